//===- CpuKernel.h - A kernel compiled for the CPU --------------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_CPUKERNEL_H
#define LACUNA_RUNTIME_CPUKERNEL_H

#include "lacuna/Runtime/LaunchSignature.h"
#include "lacuna/Runtime/ProfilerRange.h"
#include "lacuna/Runtime/ThreadPool.h"

#include <memory>
#include <span>

namespace lacuna::runtime {

/// The entry point of a CPU kernel: runs program (x, y, z); params[i] points to parameter i (LaunchMetadata.h).
using CpuEntry = void (*)(void **params, int32_t x, int32_t y, int32_t z);

class PreparedCpuLaunch;

/// A kernel in this process's memory, its grid spread over a pool of threads.
/// Thread safety: any number of threads may launch; launches on one pool run one after the other.
class CpuKernel {
public:
  /// `code` keeps the machine code alive as long as the kernel (null: it lives as long as the process).
  /// Errors: as LaunchSignature::create; InvalidArgument for a null entry or pool.
  static Expected<CpuKernel> create(CpuEntry entry, LaunchMetadata metadata, std::shared_ptr<ThreadPool> pool,
                                    std::shared_ptr<const void> code = nullptr);

  /// Checks the arguments, runs every program of the grid and returns when all are done. Views hold host pointers.
  /// Errors: as LaunchSignature::bind (nothing ran).
  Expected<void> launch(std::span<const ArgumentValue> arguments) const;
  /// Checks and packs the arguments once, for any number of runs (PreparedLaunch.h). Errors: likewise.
  Expected<PreparedCpuLaunch> prepare(std::span<const ArgumentValue> arguments) const;

  const LaunchMetadata &metadata() const { return signature.metadata(); }

private:
  friend class PreparedCpuLaunch;
  CpuKernel(CpuEntry entry, LaunchSignature signature, std::shared_ptr<ThreadPool> pool,
            std::shared_ptr<const void> code);
  void runGrid(void **parameters, const LaunchBounds &bounds) const;

  CpuEntry entry;
  LaunchSignature signature;
  std::shared_ptr<ThreadPool> pool;
  std::shared_ptr<const void> code;
  RangeName launchRange;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_CPUKERNEL_H
