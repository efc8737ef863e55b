#include "lacuna/Runtime/Device.h"

#include <charconv>

namespace lacuna::runtime {

struct Device::State {
  std::shared_ptr<const Driver> driver;
  DeviceInfo info;
  cu::Device handle = 0;
  cu::Context context = nullptr;

  ~State() {
    if (context)
      (void)driver->cuDevicePrimaryCtxRelease(handle);
  }
};

std::string DeviceInfo::target() const {
  return fmt::format("sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

/// "sm_89" -> 89; what is no such name, and anything behind the number, is -1.
static int capabilityOf(std::string_view name) {
  constexpr std::string_view kPrefix = "sm_";
  int number = -1;
  if (!name.starts_with(kPrefix))
    return -1;
  const char *end = name.data() + name.size();
  auto [rest, status] = std::from_chars(name.data() + kPrefix.size(), end, number);
  return status == std::errc() && rest == end ? number : -1;
}

bool DeviceInfo::runs(std::string_view code, std::string_view processor) const {
  if (code == target() && (processor.empty() || processor == code))
    return true;
  const int from = capabilityOf(code), own = 10 * major + minor;
  if (from < 0 || own < from)
    return false;
  if (processor.empty())
    return true;
  const int assembled = capabilityOf(processor);
  return assembled / 10 == major && assembled % 10 <= minor;
}

const DeviceInfo &Device::info() const {
  return state->info;
}
const Driver &Device::driver() const {
  return *state->driver;
}

Expected<int> Device::count() {
  Expected<std::shared_ptr<const Driver>> driver = Driver::get();
  if (!driver)
    return takeError(driver);
  int count = 0;
  if (auto done = (*driver)->check((*driver)->cuDeviceGetCount(&count), "counting the GPUs"); !done)
    return takeError(done);
  return count;
}

Expected<Device> Device::open(int ordinal) {
  Expected<std::shared_ptr<const Driver>> driver = Driver::get();
  if (!driver)
    return takeError(driver);
  return open(std::move(*driver), ordinal);
}

Expected<Device> Device::open(std::shared_ptr<const Driver> driver, int ordinal) {
  int count = 0;
  if (auto done = driver->check(driver->cuDeviceGetCount(&count), "counting the GPUs"); !done)
    return takeError(done);
  if (count == 0)
    return makeError(ErrorCode::Unavailable, "the CUDA driver sees no GPU; check CUDA_VISIBLE_DEVICES, or use the CPU "
                                             "target");
  if (ordinal < 0 || ordinal >= count)
    return makeError(ErrorCode::InvalidArgument, "GPU {} was asked for, and there are {}; give 0 to {}", ordinal, count,
                     count - 1);

  auto state = std::make_shared<State>();
  state->driver = driver;
  state->info.ordinal = ordinal;
  char name[256] = {};
  size_t memory = 0;
  auto ask = [&](cu::Result result) { return driver->check(result, fmt::format("asking GPU {} what it is", ordinal)); };
  auto attribute = [&](cu::DeviceAttribute which, auto &value) -> Expected<void> {
    int result = 0;
    Expected<void> done = ask(driver->cuDeviceGetAttribute(&result, which, state->handle));
    value = result;
    return done;
  };
  DeviceInfo &info = state->info;
  Expected<void> done =
      ask(driver->cuDeviceGet(&state->handle, ordinal))
          .and_then([&] { return ask(driver->cuDeviceGetName(name, sizeof(name) - 1, state->handle)); })
          .and_then([&] { return ask(driver->cuDeviceTotalMem(&memory, state->handle)); })
          .and_then([&] { return attribute(cu::ComputeCapabilityMajor, info.major); })
          .and_then([&] { return attribute(cu::ComputeCapabilityMinor, info.minor); })
          .and_then([&] { return attribute(cu::MultiprocessorCount, info.multiprocessors); })
          .and_then([&] { return attribute(cu::MaxSharedMemoryPerBlockOptin, info.sharedBytesPerBlock); })
          .and_then([&] { return attribute(cu::L2CacheSize, info.l2Bytes); });
  if (!done)
    return takeError(done);
  info.name = name;
  info.memoryBytes = static_cast<int64_t>(memory);
  if (auto retained = driver->check(driver->cuDevicePrimaryCtxRetain(&state->context, state->handle),
                                    fmt::format("retaining the primary context of GPU {} ({})", ordinal, info.name));
      !retained)
    return takeError(retained);
  return Device(std::move(state));
}

//===----------------------------------------------------------------------===//
// ContextGuard
//===----------------------------------------------------------------------===//

ContextGuard::ContextGuard(const Device &device) : driver(device.driver()) {
  cu::Context current = nullptr;
  if (driver.cuCtxGetCurrent(&current) == cu::Success && current == device.state->context)
    return;
  pushed = driver.cuCtxPushCurrent(device.state->context) == cu::Success;
}

ContextGuard::~ContextGuard() {
  cu::Context popped = nullptr;
  if (pushed)
    (void)driver.cuCtxPopCurrent(&popped);
}

//===----------------------------------------------------------------------===//
// Stream
//===----------------------------------------------------------------------===//

Expected<Stream> Stream::create(const Device &device) {
  ContextGuard guard(device);
  cu::Stream handle = nullptr;
  const Driver &driver = device.driver();
  if (auto done = driver.check(driver.cuStreamCreate(&handle, cu::kStreamNonBlocking), "creating a stream"); !done)
    return takeError(done);
  return Stream(device, handle, true);
}

Stream::Stream(Stream &&other) noexcept
    : owner(std::move(other.owner)), stream(other.stream), owned(std::exchange(other.owned, false)) {}

Stream &Stream::operator=(Stream &&other) noexcept {
  std::swap(owner, other.owner);
  std::swap(stream, other.stream);
  std::swap(owned, other.owned);
  return *this;
}

Stream::~Stream() {
  if (!owned)
    return;
  ContextGuard guard(owner);
  (void)owner.driver().cuStreamDestroy(stream);
}

Expected<void> Stream::synchronize() const {
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuStreamSynchronize(stream), "waiting for a stream");
}

//===----------------------------------------------------------------------===//
// Event
//===----------------------------------------------------------------------===//

Expected<Event> Event::create(const Device &device) {
  ContextGuard guard(device);
  cu::Event handle = nullptr;
  const Driver &driver = device.driver();
  if (auto done = driver.check(driver.cuEventCreate(&handle, cu::kEventDefault), "creating an event"); !done)
    return takeError(done);
  return Event(device, handle);
}

Event::Event(Event &&other) noexcept : owner(std::move(other.owner)), event(std::exchange(other.event, nullptr)) {}

Event &Event::operator=(Event &&other) noexcept {
  std::swap(owner, other.owner);
  std::swap(event, other.event);
  return *this;
}

Event::~Event() {
  if (!event)
    return;
  ContextGuard guard(owner);
  (void)owner.driver().cuEventDestroy(event);
}

Expected<void> Event::record(const Stream &stream) {
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuEventRecord(event, stream.handle()), "recording an event");
}

Expected<void> Event::synchronize() const {
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuEventSynchronize(event), "waiting for an event");
}

Expected<double> Event::millisecondsSince(const Event &start) const {
  ContextGuard guard(owner);
  float milliseconds = 0;
  if (auto done = owner.driver().check(owner.driver().cuEventElapsedTime(&milliseconds, start.event, event),
                                       "taking the time between two events");
      !done)
    return takeError(done);
  return milliseconds;
}

//===----------------------------------------------------------------------===//
// DeviceBuffer
//===----------------------------------------------------------------------===//

Expected<DeviceBuffer> DeviceBuffer::allocate(const Device &device, size_t bytes) {
  if (bytes == 0)
    return makeError(ErrorCode::InvalidArgument, "a device buffer of 0 bytes was asked for; give at least 1");
  ContextGuard guard(device);
  cu::DevicePtr pointer = 0;
  const Driver &driver = device.driver();
  if (auto done =
          driver.check(driver.cuMemAlloc(&pointer, bytes), fmt::format("allocating {} bytes of the {} on {}", bytes,
                                                                       device.info().memoryBytes, device.info().name));
      !done)
    return takeError(done);
  return DeviceBuffer(device, pointer, bytes);
}

DeviceBuffer::DeviceBuffer(DeviceBuffer &&other) noexcept
    : owner(std::move(other.owner)), pointer(std::exchange(other.pointer, 0)), bytes(std::exchange(other.bytes, 0)) {}

DeviceBuffer &DeviceBuffer::operator=(DeviceBuffer &&other) noexcept {
  std::swap(owner, other.owner);
  std::swap(pointer, other.pointer);
  std::swap(bytes, other.bytes);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  if (!pointer)
    return;
  ContextGuard guard(owner);
  (void)owner.driver().cuMemFree(pointer);
}

Expected<void> DeviceBuffer::upload(const void *source, size_t count) {
  if (count > bytes)
    return makeError(ErrorCode::InvalidArgument, "uploading {} bytes into a buffer of {}", count, bytes);
  if (count == 0)
    return {};
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuMemcpyHtoD(pointer, source, count), "copying to the GPU");
}

Expected<void> DeviceBuffer::download(void *destination, size_t count) const {
  if (count > bytes)
    return makeError(ErrorCode::InvalidArgument, "downloading {} bytes from a buffer of {}", count, bytes);
  if (count == 0)
    return {};
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuMemcpyDtoH(destination, pointer, count), "copying from the GPU");
}

Expected<void> DeviceBuffer::fill(const Stream &stream, unsigned char value) {
  ContextGuard guard(owner);
  return owner.driver().check(owner.driver().cuMemsetD8Async(pointer, value, bytes, stream.handle()),
                              "filling a buffer on the GPU");
}

} // namespace lacuna::runtime
