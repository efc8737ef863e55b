// A kernel with one open param, and records of the tuner for it.
#pragma once

#include "lacuna/Autotune/Database.h"
#include "lacuna/Jit/Jit.h"
#include "lacuna/Jit/Tuning.h"

#include <doctest/doctest.h>

namespace lacuna {

/// Its grid says which BM it was compiled with.
inline const KernelSpec kTwice = {.file = "twice.tile", .source = R"(
param BM in {16, 32, 64, 128} = 64   D in {16, 32} = 16
kernel twice(x: f32[M, D], y: out f32[M, D])
  grid (i: ceildiv(M, BM))
{
  store y[i * BM :+ BM, :] = 2 * load x[i * BM :+ BM, :]
}
schedule twice on sm_90a { tune BM }
)"};

/// Puts it into the database at `path` that BM = `rows` won on this machine, for D = 16.
inline void putTwiceWinner(const std::string &path, Target target, const autotune::MachineLimits &machine,
                           const char *rows) {
  auto description = describeForTuning(kTwice, target);
  REQUIRE_MESSAGE(description, description.error().render());
  auto database = autotune::Database::open(path);
  REQUIRE(database);
  REQUIRE(database->put(autotune::WinnerRecord{{"twice", description->hash, machine.name, machine.limitsText(), ""},
                                               "M=512 D=16",
                                               {{"BM", rows}},
                                               "measured",
                                               1,
                                               2,
                                               100}));
}

} // namespace lacuna
