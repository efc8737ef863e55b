// What a loaded GPU kernel is made of; shared by its handles and by its prepared launches.
#pragma once

#include "ProgramQueues.h"
#include "TensorMapCache.h"

#include "lacuna/Runtime/Kernel.h"
#include "lacuna/Runtime/ProfilerRange.h"

namespace lacuna::runtime {

struct Kernel::State {
  LaunchSignature signature;
  Function function;
  TensorMapCache tensorMaps;
  std::unique_ptr<ProgramQueues> queues; ///< of a persistent kernel
  std::string action;                    ///< for the error of a failed launch, made ahead of it
  RangeName launchRange;

  State(LaunchSignature checked, Function entry);

  const Device &device() const { return function.module().device(); }

  /// Whether `stream` belongs to the kernel's device. Errors: InvalidArgument, naming both.
  Expected<void> checkStream(const Stream &stream) const;
  /// How many programs of the grid a launch runs. Errors: InvalidArgument for a number that does not go with the
  /// kernel.
  Expected<int64_t> programsOf(const LaunchBounds &bounds, const LaunchOptions &options) const;
  /// The thread blocks of a launch: the grid, or for a persistent kernel as many as the device holds at once, and no
  /// more than programs run.
  std::array<unsigned, 3> threadBlocks(const LaunchBounds &bounds, int64_t programs) const;
  /// Hands the launch to the driver, in whichever context is current. Errors: as Driver::check.
  Expected<void> enqueue(cu::Stream stream, const std::array<unsigned, 3> &blocks, void **parameters) const;
};

/// Whether the driver knows the memory of every view and list as that of `device` or as pinned host memory; asks it
/// twice for each pointer. Errors: InvalidArgument by the argument's name; as Driver::check.
Expected<void> checkResidence(const Device &device, const LaunchMetadata &metadata,
                              std::span<const ArgumentValue> arguments);

} // namespace lacuna::runtime
