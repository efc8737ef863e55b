// The params that a spec leaves open: chosen from tuning records, and remembered.
#pragma once

#include "lacuna/Autotune/Pruner.h"
#include "lacuna/Autotune/TunedRecords.h"
#include "lacuna/Jit/Jit.h"

#include <mutex>

namespace lacuna {

/// Choosing takes several runs of the front end, for which a kernel from disk must not wait. So a choice is kept beside
/// the kernels, as a note, and holds as long as compiler and records stay the same. Thread safety: every call, from any
/// thread.
class OpenParams {
public:
  /// Gives the params that `spec` leaves open the values of the nearest record of `device` with `target`, or of this
  /// CPU with so many threads; where there is none, they stay open. Returns where the values come from; empty: nothing
  /// was set. The cache of `compiler` keeps the choice.
  std::string choose(KernelSpec &spec, const runtime::Device *device, Target target, int threads,
                     const CachedCompiler &compiler);

private:
  struct Choice {
    autotune::Settings params;
    std::string origin; ///< empty: nothing is known
  };
  Choice fromRecords(const KernelSpec &spec, Target target, const autotune::MachineLimits &machine);

  std::once_flag recordsRead;
  autotune::TunedRecords records;
};

} // namespace lacuna
