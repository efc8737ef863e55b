// The params that a spec leaves open: chosen from tuning records, and remembered.
#pragma once

#include "AssemblerChoice.h"

#include "lacuna/Autotune/Pruner.h"
#include "lacuna/Autotune/TunedRecords.h"
#include "lacuna/Jit/Jit.h"

#include <mutex>

namespace lacuna {

/// Choosing takes several runs of the front end, for which a kernel from disk must not wait. So a choice is kept beside
/// the kernels, as a note, and holds as long as compiler, assembler and records stay the same. A process reads the
/// records once; what it notes stands under the stamp that they had then, however they changed since. Thread safety:
/// every call, from any thread.
class OpenParams {
public:
  /// Gives the params that `spec` leaves open the values of the nearest record of `machine`; where there is none, they
  /// stay open. Returns where the values come from; empty: nothing was set. The cache of `compiler` keeps the choice.
  std::string choose(KernelSpec &spec, Target target, const autotune::MachineLimits &machine,
                     const CachedCompiler &compiler);

private:
  struct Choice {
    autotune::Settings params;
    std::string origin; ///< empty: nothing is known
  };
  /// Reads the records, the first time.
  void readRecords();
  Choice fromRecords(const KernelSpec &spec, Target target, const autotune::MachineLimits &machine,
                     const std::string &assembler) const;

  AssemblerChoice assemblers;
  std::once_flag recordsRead;
  std::string stampOfRecords; ///< taken before they were read
  autotune::TunedRecords records;
};

} // namespace lacuna
