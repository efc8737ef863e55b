#include "ProgramQueues.h"

#include <vector>

namespace lacuna::runtime {

Expected<std::unique_ptr<ProgramQueues>> ProgramQueues::create(const Device &device) {
  const std::vector<std::byte> zeros((kEager + kCaptured) * kBytes);
  Expected<DeviceBuffer> counters = DeviceBuffer::allocate(device, zeros.size());
  if (!counters)
    return takeError(counters);
  if (Expected<void> cleared = counters->upload(zeros.data(), zeros.size()); !cleared)
    return takeError(cleared);
  return std::unique_ptr<ProgramQueues>(new ProgramQueues(std::move(*counters)));
}

Expected<int32_t *> ProgramQueues::take(const Driver &driver, cu::Stream stream) {
  cu::CaptureStatus status = cu::CaptureNone;
  if (Expected<void> asked =
          driver.check(driver.cuStreamIsCapturing(stream, &status), "asking whether a stream records");
      !asked)
    return takeError(asked);
  uint64_t index = 0;
  if (status == cu::CaptureNone) {
    index = eager.fetch_add(1, std::memory_order_relaxed) % kEager;
  } else {
    uint64_t taken = captured.fetch_add(1, std::memory_order_relaxed);
    if (taken >= kCaptured)
      return nullptr;
    index = kEager + taken;
  }
  return static_cast<int32_t *>(counters.data()) + 2 * index;
}

} // namespace lacuna::runtime
