#include "ProgramQueues.h"

namespace lacuna::runtime {

Expected<std::unique_ptr<ProgramQueues>> ProgramQueues::create(const Device &device) {
  Expected<DeviceBuffer> counters = DeviceBuffer::allocate(device, kStreams * kBytes);
  if (!counters)
    return takeError(counters);
  // Cleared and waited for: no later launch, on whichever stream, may come before it.
  Expected<Stream> stream = Stream::create(device);
  if (!stream)
    return takeError(stream);
  if (Expected<void> cleared = counters->fill(*stream, 0); !cleared)
    return takeError(cleared);
  if (Expected<void> finished = stream->synchronize(); !finished)
    return takeError(finished);
  return std::unique_ptr<ProgramQueues>(new ProgramQueues(std::move(*counters)));
}

Expected<int32_t *> ProgramQueues::find(const Driver &driver, cu::Stream stream) {
  Expected<bool> captured = isCaptured(driver, stream);
  if (!captured)
    return takeError(captured);
  return *captured ? Expected<int32_t *>(nullptr) : ofStream(driver, stream);
}

Expected<bool> ProgramQueues::isCaptured(const Driver &driver, cu::Stream stream) {
  cu::CaptureStatus status = cu::CaptureNone;
  if (Expected<void> asked =
          driver.check(driver.cuStreamIsCapturing(stream, &status), "asking whether a stream is captured");
      !asked)
    return takeError(asked);
  return status != cu::CaptureNone;
}

Expected<int32_t *> ProgramQueues::ofStream(const Driver &driver, cu::Stream stream) {
  unsigned long long number = 0;
  if (Expected<void> asked = driver.check(driver.cuStreamGetId(stream, &number), "asking for a stream's number");
      !asked)
    return takeError(asked);
  std::lock_guard lock(mutex);
  auto found = places.find(number);
  if (found == places.end()) {
    if (places.size() == kStreams)
      return nullptr;
    found = places.emplace(number, places.size()).first;
  }
  return static_cast<int32_t *>(counters.data()) + 2 * found->second;
}

} // namespace lacuna::runtime
