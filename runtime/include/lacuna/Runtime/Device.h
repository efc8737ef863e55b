//===- Device.h - GPUs, streams, events and memory --------------*- C++ -*-===//
//
// A Device retains the primary context of a GPU, the one that the CUDA runtime and PyTorch use too, and never creates
// another. Streams, events, buffers and modules keep it alive, so objects may be destroyed in any order.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DEVICE_H
#define LACUNA_RUNTIME_DEVICE_H

#include "lacuna/Runtime/Driver.h"

#include <memory>
#include <string>
#include <utility>

namespace lacuna::runtime {

/// What a GPU is and can do.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int major = 0, minor = 0; ///< compute capability
  int multiprocessors = 0;
  int64_t sharedBytesPerBlock = 0; ///< the most dynamic shared memory a CTA can ask for, in bytes
  int64_t l2Bytes = 0;
  int64_t memoryBytes = 0;

  /// The compiler's name of the architecture, e.g. "sm_90a"; the suffix stands from compute capability 9.0 on.
  std::string target() const;
  /// Whether it runs code generated for `target` ("sm_90a", "sm_80") and assembled for `processor` (empty: PTX, which
  /// its driver assembles). A cubin runs on the processor that it is for and on later ones with the same major number;
  /// where the name has a suffix, on that one alone.
  bool runs(std::string_view target, std::string_view processor) const;
};

/// A GPU whose primary context is retained. A handle: copies share the context, the last one releases it.
/// Thread safety: immutable; any number of threads.
class Device {
public:
  /// How many GPUs the driver sees. Errors: Unavailable as Driver::get.
  static Expected<int> count();
  /// Opens GPU `ordinal`. Errors: Unavailable without a driver or GPU, InvalidArgument for an ordinal that does not
  /// exist.
  static Expected<Device> open(int ordinal = 0);
  /// The same through a given driver.
  static Expected<Device> open(std::shared_ptr<const Driver> driver, int ordinal);

  const DeviceInfo &info() const;
  const Driver &driver() const;

private:
  struct State;
  explicit Device(std::shared_ptr<const State> state) : state(std::move(state)) {}
  friend class ContextGuard;
  std::shared_ptr<const State> state;
};

/// Makes a device's context current in this scope and restores the caller's afterwards.
/// Thread safety: lives in one thread.
class ContextGuard {
public:
  explicit ContextGuard(const Device &device);
  ~ContextGuard();
  ContextGuard(const ContextGuard &) = delete;
  ContextGuard &operator=(const ContextGuard &) = delete;

private:
  const Driver &driver;
  bool pushed = false;
};

/// A queue of work on a device: our own, or a borrowed one of the caller.
/// Thread safety: as a CUDA stream; any thread may enqueue.
class Stream {
public:
  /// A new stream that does not wait for the default stream. Errors: as Driver::check.
  static Expected<Stream> create(const Device &device);
  /// The caller's stream (null: the default stream), which must outlive this object; never destroyed by us.
  static Stream borrow(const Device &device, cu::Stream handle) { return Stream(device, handle, false); }

  Stream(Stream &&other) noexcept;
  Stream &operator=(Stream &&other) noexcept;
  ~Stream();

  cu::Stream handle() const { return stream; }
  const Device &device() const { return owner; }
  /// Waits for all work enqueued so far, and reports a failure of any of it.
  Expected<void> synchronize() const;

private:
  Stream(const Device &device, cu::Stream handle, bool owned) : owner(device), stream(handle), owned(owned) {}
  Device owner;
  cu::Stream stream;
  bool owned;
};

/// A point in a stream's work, with its time. Thread safety: one thread at a time.
class Event {
public:
  static Expected<Event> create(const Device &device);
  Event(Event &&other) noexcept;
  Event &operator=(Event &&other) noexcept;
  ~Event();

  Expected<void> record(const Stream &stream);
  Expected<void> synchronize() const;
  /// Milliseconds from `start` to this event; both recorded and reached. Resolution about half a microsecond.
  Expected<double> millisecondsSince(const Event &start) const;

private:
  Event(const Device &device, cu::Event handle) : owner(device), event(handle) {}
  Device owner;
  cu::Event event;
};

/// Memory on a device, freed with the object. Thread safety: one thread at a time; the memory itself as in CUDA.
class DeviceBuffer {
public:
  /// Allocates `bytes` (at least one). Errors: ResourceExhausted with the size asked for and the memory of the device.
  static Expected<DeviceBuffer> allocate(const Device &device, size_t bytes);
  DeviceBuffer(DeviceBuffer &&other) noexcept;
  DeviceBuffer &operator=(DeviceBuffer &&other) noexcept;
  ~DeviceBuffer();

  void *data() const { return reinterpret_cast<void *>(pointer); }
  size_t size() const { return bytes; }

  /// Copies `count` bytes from or to host memory, from the buffer's start, and waits for it. Errors: InvalidArgument
  /// where the buffer is smaller.
  Expected<void> upload(const void *source, size_t count);
  Expected<void> download(void *destination, size_t count) const;
  /// Sets every byte, in the stream's order.
  Expected<void> fill(const Stream &stream, unsigned char value);

private:
  DeviceBuffer(const Device &device, cu::DevicePtr pointer, size_t bytes)
      : owner(device), pointer(pointer), bytes(bytes) {}
  Device owner;
  cu::DevicePtr pointer;
  size_t bytes;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_DEVICE_H
