#include "FakeCuda.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lacuna::runtime::fake {
namespace {

/// CUDA_ERROR_INVALID_CONTEXT.
constexpr auto kInvalidContext = static_cast<cu::Result>(201);

/// Whether a call needs a current context: all that come after the streams but those that only compute or give back.
bool needsContext(Call call) {
  switch (call) {
  case Call::cuTensorMapEncodeTiled:
  case Call::cuStreamDestroy:
  case Call::cuEventDestroy:
  case Call::cuMemFree:
  case Call::cuModuleUnload:
    return false;
  default:
    return call >= Call::cuStreamCreate;
  }
}

/// Counts a call and tells whether it is to fail.
cu::Result enter(Call call, const char *name) {
  State &s = state();
  const int ofThis = ++s.counts[static_cast<size_t>(call)], number = s.calls++;
  if (number == s.failCall || (s.failFunction == name && (s.failAt == 0 || s.failAt == ofThis))) {
    s.failed = call;
    return s.failResult;
  }
  return needsContext(call) && s.stack.empty() ? kInvalidContext : cu::Success;
}

/// A context's handle tells its device.
constexpr uintptr_t kContexts = 0x1000, kContextStep = 0x10;

int currentDevice() {
  const State &s = state();
  return s.stack.empty() ? 0
                         : static_cast<int>((reinterpret_cast<uintptr_t>(s.stack.back()) - kContexts) / kContextStep);
}

template <class Handle> Handle handle(uintptr_t value) {
  return reinterpret_cast<Handle>(value);
}

#define FAKE(name, parameters, ...)                                                                                    \
  cu::Result name parameters {                                                                                         \
    if (cu::Result failed = enter(Call::name, #name))                                                                  \
      return failed;                                                                                                   \
    State &s = state();                                                                                                \
    (void)s;                                                                                                           \
    __VA_ARGS__;                                                                                                       \
    return cu::Success;                                                                                                \
  }

FAKE(cuInit, (unsigned))
FAKE(cuDeviceGetCount, (int *count), *count = s.deviceCount)
FAKE(cuDeviceGet, (cu::Device * device, int ordinal), *device = ordinal)
FAKE(cuDeviceGetName, (char *name, int length, cu::Device), std::strncpy(name, "Fake GPU", static_cast<size_t>(length)))
FAKE(cuDeviceGetAttribute, (int *value, cu::DeviceAttribute attribute, cu::Device),
     *value = attribute == cu::ComputeCapabilityMajor         ? s.major
              : attribute == cu::ComputeCapabilityMinor       ? s.minor
              : attribute == cu::MaxSharedMemoryPerBlockOptin ? s.sharedBytes
                                                              : s.multiprocessors)
FAKE(cuDeviceTotalMem, (size_t *bytes, cu::Device), *bytes = s.memoryBytes)
FAKE(cuDevicePrimaryCtxRetain, (cu::Context * context, cu::Device device), ++s.live["contexts"];
     *context = handle<cu::Context>(kContexts + kContextStep * static_cast<uintptr_t>(device)))
FAKE(cuStreamCreate, (cu::Stream * stream, unsigned), ++s.live["streams"]; *stream = handle<cu::Stream>(0x2000))
FAKE(cuStreamSynchronize, (cu::Stream))
FAKE(cuStreamGetId, (cu::Stream, unsigned long long *id), *id = s.streamId)
FAKE(cuStreamIsCapturing, (cu::Stream, cu::CaptureStatus *status),
     *status = s.capturing ? cu::CaptureActive : cu::CaptureNone)
FAKE(cuEventCreate, (cu::Event * event, unsigned), ++s.live["events"]; *event = handle<cu::Event>(0x3000))
FAKE(cuEventRecord, (cu::Event, cu::Stream))
FAKE(cuEventSynchronize, (cu::Event))
FAKE(cuEventElapsedTime, (float *milliseconds, cu::Event, cu::Event), *milliseconds = 1.5f)
FAKE(cuMemcpyHtoD, (cu::DevicePtr to, const void *from, size_t bytes),
     std::memcpy(reinterpret_cast<void *>(to), from, bytes))
FAKE(cuMemcpyDtoH, (void *to, cu::DevicePtr from, size_t bytes), std::memcpy(to, reinterpret_cast<void *>(from), bytes))
FAKE(cuMemsetD8Async, (cu::DevicePtr pointer, unsigned char value, size_t bytes, cu::Stream),
     std::memset(reinterpret_cast<void *>(pointer), value, bytes))
FAKE(cuModuleGetFunction, (cu::Function * function, cu::Module, const char *), *function = handle<cu::Function>(0x5000))
FAKE(cuFuncGetAttribute, (int *value, cu::FunctionAttribute attribute, cu::Function),
     *value = attribute == cu::MaxThreadsPerBlock ? s.maxThreads
              : attribute == cu::NumRegisters     ? 168
                                                  : 0)
FAKE(cuFuncSetAttribute, (cu::Function, cu::FunctionAttribute, int))

cu::Result cuMemAlloc(cu::DevicePtr *pointer, size_t bytes) {
  if (cu::Result failed = enter(Call::cuMemAlloc, "cuMemAlloc"))
    return failed;
  State &s = state();
  if (bytes > s.memoryBytes - s.usedBytes)
    return cu::OutOfMemory;
  *pointer = reinterpret_cast<cu::DevicePtr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  s.blocks[*pointer] = {bytes, currentDevice()};
  s.usedBytes += bytes;
  ++s.live["buffers"];
  return cu::Success;
}

/// Knows the memory of cuMemAlloc alone; the rest is host memory that was never registered.
cu::Result cuPointerGetAttribute(void *value, cu::PointerAttribute attribute, cu::DevicePtr pointer) {
  if (cu::Result failed = enter(Call::cuPointerGetAttribute, "cuPointerGetAttribute"))
    return failed;
  const State &s = state();
  auto after = s.blocks.upper_bound(pointer);
  if (after == s.blocks.begin())
    return cu::InvalidValue;
  const auto &[start, block] = *std::prev(after);
  if (pointer >= start + block.bytes)
    return cu::InvalidValue;
  int answer = attribute == cu::PointerMemoryType ? cu::MemoryDevice : block.device;
  std::memcpy(value, &answer, sizeof(answer));
  return cu::Success;
}

cu::Result cuModuleLoadDataEx(cu::Module *module, const void *image, unsigned count, cu::JitOption *options,
                              void **values) {
  State &s = state();
  const char *text = static_cast<const char *>(image);
  const bool isCubin = std::strncmp(text,
                                    "\x7f"
                                    "ELF",
                                    4) == 0;
  s.images.emplace_back(text, strnlen(text, 8));
  cu::Result failed = enter(Call::cuModuleLoadDataEx, "cuModuleLoadDataEx");
  if (!failed && (s.refuse == Refuse::Everything || (s.refuse == Refuse::Cubins && isCubin)))
    failed = cu::NoBinaryForGpu;
  if (failed) {
    for (unsigned index = 0; index < count; ++index)
      if (options[index] == cu::ErrorLogBuffer)
        std::strcpy(static_cast<char *>(values[index]), "line 7: something is wrong");
    return failed;
  }
  ++s.live["modules"];
  *module = handle<cu::Module>(0x4000);
  return cu::Success;
}

cu::Result cuLaunchKernel(cu::Function, unsigned x, unsigned y, unsigned z, unsigned, unsigned, unsigned, unsigned,
                          cu::Stream stream, void **parameters, void **) {
  if (cu::Result failed = enter(Call::cuLaunchKernel, "cuLaunchKernel"))
    return failed;
  State &s = state();
  unsigned grid[] = {x, y, z};
  std::memcpy(s.lastGrid, grid, sizeof(grid));
  s.lastStream = stream;
  if (s.onLaunch)
    s.onLaunch(parameters);
  return cu::Success;
}

cu::Result cuTensorMapEncodeTiled(cu::TensorMap *map, cu::TensorMapDataType, uint32_t rank, void *,
                                  const uint64_t *extents, const uint64_t *byteStrides, const uint32_t *box,
                                  const uint32_t *, cu::TensorMapInterleave, cu::TensorMapSwizzle,
                                  cu::TensorMapL2Promotion, cu::TensorMapFill) {
  if (cu::Result failed = enter(Call::cuTensorMapEncodeTiled, "cuTensorMapEncodeTiled"))
    return failed;
  State &s = state();
  s.lastBox.assign(box, box + rank);
  s.lastExtents.assign(extents, extents + rank);
  s.lastByteStrides.assign(byteStrides, byteStrides + rank - 1);
  std::memset(map, s.count(Call::cuTensorMapEncodeTiled), sizeof(*map));
  return cu::Success;
}

cu::Result cuDriverGetVersion(int *version) {
  *version = state().version;
  return cu::Success;
}
cu::Result cuGetErrorName(cu::Result, const char **name) {
  *name = "FAKE_ERROR";
  return cu::Success;
}
cu::Result cuGetErrorString(cu::Result, const char **text) {
  *text = "told to fail";
  return cu::Success;
}
FAKE(cuCtxGetCurrent, (cu::Context * context), *context = s.stack.empty() ? nullptr : s.stack.back())
FAKE(cuCtxPushCurrent, (cu::Context context), s.stack.push_back(context))
cu::Result cuCtxPopCurrent(cu::Context *context) { // what was pushed can be popped
  *context = state().stack.back();
  state().stack.pop_back();
  return cu::Success;
}

// What is given back is gone, whatever the call says: the real driver gives the error of an earlier launch there.
cu::Result giveBack(Call call, const char *name, const char *kind) {
  --state().live[kind];
  return enter(call, name);
}
cu::Result cuDevicePrimaryCtxRelease(cu::Device) {
  return giveBack(Call::cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease", "contexts");
}
cu::Result cuStreamDestroy(cu::Stream) {
  return giveBack(Call::cuStreamDestroy, "cuStreamDestroy", "streams");
}
cu::Result cuEventDestroy(cu::Event) {
  return giveBack(Call::cuEventDestroy, "cuEventDestroy", "events");
}
cu::Result cuModuleUnload(cu::Module) {
  return giveBack(Call::cuModuleUnload, "cuModuleUnload", "modules");
}
cu::Result cuMemFree(cu::DevicePtr pointer) {
  State &s = state();
  s.usedBytes -= s.blocks[pointer].bytes;
  s.blocks.erase(pointer);
  std::free(reinterpret_cast<void *>(pointer));
  return giveBack(Call::cuMemFree, "cuMemFree", "buffers");
}
#undef FAKE

/// The state of a process that knows the fake only as its driver: scripted when it is loaded, reported at its end.
struct ProcessState {
  State state;

  ProcessState() {
    const char *text = std::getenv("LACUNA_FAKECUDA");
    if (std::string wrong = text ? state.script(text) : ""; !wrong.empty()) {
      std::fprintf(stderr, "fakecuda: LACUNA_FAKECUDA: '%s' is not understood; FakeCuda.h lists what is\n",
                   wrong.c_str());
      std::exit(2);
    }
  }
  ~ProcessState() {
    if (state.reportLeaks)
      std::fprintf(stderr, "fakecuda: alive: %s\n", state.leaks().empty() ? "nothing" : state.leaks().c_str());
  }
};

} // namespace

State &state() {
  static ProcessState process;
  return process.state;
}

cu::Result resolve(const char *name, void **function, int, uint64_t, int *) {
  *function = nullptr;
#define LACUNA_DRIVER_FUNCTION(each, parameters)                                                                       \
  if (std::strcmp(name, #each) == 0)                                                                                   \
    *function = reinterpret_cast<void *>(&each);
#include "lacuna/Runtime/DriverFunctions.def"
  return *function && state().missingFunction != name ? cu::Success : cu::NotFound;
}

} // namespace lacuna::runtime::fake

/// What Driver::load looks for.
extern "C" __attribute__((visibility("default"))) int cuGetProcAddress_v2(const char *name, void **function,
                                                                          int version, uint64_t flags, int *status) {
  return lacuna::runtime::fake::resolve(name, function, version, flags, status);
}
