// The counters that the thread blocks of a persistent kernel take programs from, one for each launch that may be
// running.
//
// A counter is two words: the programs taken, and the thread blocks that have left. Both are zero between launches: the
// last thread block to leave resets them. A launch takes the next counter of a ring; it comes round again after kEager
// launches, long after the driver would have blocked the caller. A launch that is captured into a CUDA graph may run at
// any later time, so that its counter is never given out again; when those are used up, captured launches get none and
// deal programs to thread blocks in fixed turns.
#pragma once

#include "lacuna/Runtime/Device.h"

#include <atomic>

namespace lacuna::runtime {

/// Thread safety: any number of threads may take counters.
class ProgramQueues {
public:
  /// Allocates the counters of one kernel. Errors: as DeviceBuffer.
  static Expected<std::unique_ptr<ProgramQueues>> create(const Device &device);

  /// The counter for one launch on `stream`, or null where none is left. Errors: as Driver::check.
  Expected<int32_t *> take(const Driver &driver, cu::Stream stream);

private:
  static constexpr uint64_t kEager = 8192, kCaptured = 4096;
  static constexpr size_t kBytes = 2 * sizeof(int32_t);

  explicit ProgramQueues(DeviceBuffer counters) : counters(std::move(counters)) {}

  DeviceBuffer counters;
  std::atomic<uint64_t> eager = 0, captured = 0;
};

} // namespace lacuna::runtime
