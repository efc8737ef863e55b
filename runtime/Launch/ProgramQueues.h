// The counters that the thread blocks of a persistent kernel take programs from, one for each stream.
//
// A counter is two words: the programs taken, and the thread blocks that have left. Both are zero between launches: the
// last thread block to leave resets them. Launches on one stream run one after another, so that they share a counter;
// streams are told apart by the driver's number, which is never given twice. A launch that is captured into a CUDA
// graph may run at any time and beside copies of itself: it gets no counter, and neither does a launch on a stream
// beyond the first kStreams. Such a launch deals programs to thread blocks in fixed turns.
#pragma once

#include "lacuna/Runtime/Device.h"

#include <mutex>
#include <unordered_map>

namespace lacuna::runtime {

/// Thread safety: any number of threads may ask.
class ProgramQueues {
public:
  /// Allocates the counters of one kernel. Errors: as DeviceBuffer and Stream.
  static Expected<std::unique_ptr<ProgramQueues>> create(const Device &device);

  /// The counter for a launch on `stream`, or null where it has none. Asks the driver twice. Errors: as Driver::check.
  Expected<int32_t *> find(const Driver &driver, cu::Stream stream);
  /// The counter of `stream` for launches that are not captured. Asks the driver once. Errors: likewise.
  Expected<int32_t *> ofStream(const Driver &driver, cu::Stream stream);
  /// Whether what is launched on `stream` now goes into a graph. Asks the driver once. Errors: likewise.
  static Expected<bool> isCaptured(const Driver &driver, cu::Stream stream);

private:
  static constexpr size_t kStreams = 1024, kBytes = 2 * sizeof(int32_t);

  explicit ProgramQueues(DeviceBuffer counters) : counters(std::move(counters)) {}

  DeviceBuffer counters;
  std::mutex mutex;
  std::unordered_map<uint64_t, size_t> places; ///< by the stream's number
};

} // namespace lacuna::runtime
