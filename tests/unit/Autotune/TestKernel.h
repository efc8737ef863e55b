// A kernel description to tune in tests, and records of it.
#ifndef LACUNA_TESTS_TESTKERNEL_H
#define LACUNA_TESTS_TESTKERNEL_H

#include "Runtime/ScratchDirectory.h"

#include "lacuna/Autotune/Database.h"
#include "lacuna/Autotune/KernelDescription.h"

#include <doctest/doctest.h>

namespace lacuna::autotune::test {

inline KernelDescription attentionLike() {
  KernelDescription kernel;
  kernel.kernel = "attention_forward";
  kernel.file = "attention_forward.tile";
  kernel.hash = "h1";
  kernel.knobs = {{"BM", {"64", "128", "192"}, "128", true}, {"BN", {"64", "128", "256"}, "128", true}};
  kernel.params = {{"D", {"64", "128"}, "128"},
                   {"T", {"bf16", "f16"}, "bf16"},
                   {"QB", {"64", "128"}, "128"},
                   {"KB", {"64", "128"}, "128"}};
  kernel.dims = {"B", "H", "M", "G", "N"};
  kernel.constraints = {"H % G == 0"};
  kernel.conditions = {"smem <= 232448 && regs_fit && BM >= 64"};
  kernel.listColumns = "N";
  kernel.listRowParam = "QB";
  kernel.listColumnParam = "KB";
  kernel.hasMask = true;
  return kernel;
}

inline MachineLimits h200() {
  return {"NVIDIA H200", "sm_90a", 232448, 132};
}

/// A file name in a fresh directory, gone with this object.
struct ScratchFile {
  std::string path(const char *name = "tuning.db") const { return scratch / name; }
  runtime::ScratchDirectory scratch;
};

inline PointRecord pointRecord(const std::string &bn, PointRecord::Status status = PointRecord::Status::Measured) {
  PointRecord record;
  record.key = {"attention_forward", "h1", "NVIDIA H200", "sm_90a, 132 multiprocessors", "ptxas 13.0.88"};
  record.shape = "B=1 G=1 H=1 M=64 N=64 D=128 T=bf16 pattern=dense";
  record.point = {{"BM", "128"}, {"BN", bn}};
  record.status = status;
  record.predicted = 0.9;
  record.microseconds = 12.5;
  record.presetMicroseconds = 14;
  record.spread = 0.25;
  record.time = 100;
  return record;
}

inline WinnerRecord winnerRecord(const std::string &bn) {
  PointRecord point = pointRecord(bn);
  return {point.key, point.shape, point.point, "measured", 12.5, 14, 100};
}

} // namespace lacuna::autotune::test

#endif // LACUNA_TESTS_TESTKERNEL_H
