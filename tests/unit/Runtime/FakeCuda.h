//===- FakeCuda.h - A driver without a GPU, that fails on demand -*- C++ -*-===//
//
// Stands in for libcuda in the tests of the runtime's error paths. It counts its calls and its live objects, fails the
// call that it is told to, and keeps the parameters of the last launch.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TESTS_FAKECUDA_H
#define LACUNA_TESTS_FAKECUDA_H

#include "lacuna/Runtime/Driver.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lacuna::runtime::fake {

/// What the fake driver is told and what it has seen.
struct State {
  int version = 12040;
  int deviceCount = 1;
  std::string missingFunction; ///< the resolver does not know it
  std::string failFunction;    ///< calls of it give failResult
  int failCall = -1;           ///< the call with this number, from 0, gives failResult
  cu::Result failResult = cu::OutOfMemory;
  int maxThreads = 1024;
  int sharedBytes = 232448; ///< of dynamic shared memory a CTA
  bool capturing = false;
  unsigned long long streamId = 1;                 ///< of every stream
  std::function<void(void **parameters)> onLaunch; ///< sees each launch's parameters

  int calls = 0;
  std::map<std::string, int> live;  ///< contexts, streams, events, buffers, modules
  std::map<std::string, int> count; ///< calls by name
  std::vector<cu::Context> stack;   ///< current contexts
  std::vector<uint32_t> lastBox;
  std::vector<uint64_t> lastExtents, lastByteStrides;
  unsigned lastGrid[3] = {};
  std::vector<void *> lastParameters;
};

inline State &state() {
  static State value;
  return value;
}

/// Counts a call and tells whether it is to fail. Releases and lookups never fail, as the real ones hardly do.
inline cu::Result enter(const char *name) {
  State &s = state();
  ++s.count[name];
  int number = s.calls++;
  return number == s.failCall || s.failFunction == name ? s.failResult : cu::Success;
}

#define FAKE(name, parameters, ...)                                                                                    \
  inline cu::Result name parameters {                                                                                  \
    if (cu::Result failed = enter(#name))                                                                              \
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
     *value = attribute == cu::ComputeCapabilityMajor         ? 9
              : attribute == cu::ComputeCapabilityMinor       ? 0
              : attribute == cu::MaxSharedMemoryPerBlockOptin ? s.sharedBytes
                                                              : 132)
FAKE(cuDeviceTotalMem, (size_t *bytes, cu::Device), *bytes = size_t(1) << 37)
FAKE(cuDevicePrimaryCtxRetain, (cu::Context * context, cu::Device), ++s.live["contexts"];
     *context = reinterpret_cast<cu::Context>(0x1000))
FAKE(cuStreamCreate, (cu::Stream * stream, unsigned), ++s.live["streams"];
     *stream = reinterpret_cast<cu::Stream>(0x2000))
FAKE(cuStreamSynchronize, (cu::Stream))
FAKE(cuStreamGetId, (cu::Stream, unsigned long long *id), *id = s.streamId)
FAKE(cuStreamIsCapturing, (cu::Stream, cu::CaptureStatus *status),
     *status = s.capturing ? cu::CaptureActive : cu::CaptureNone)
FAKE(cuEventCreate, (cu::Event * event, unsigned), ++s.live["events"]; *event = reinterpret_cast<cu::Event>(0x3000))
FAKE(cuEventRecord, (cu::Event, cu::Stream))
FAKE(cuEventSynchronize, (cu::Event))
FAKE(cuEventElapsedTime, (float *milliseconds, cu::Event, cu::Event), *milliseconds = 1.5f)
FAKE(cuMemAlloc, (cu::DevicePtr * pointer, size_t bytes), ++s.live["buffers"];
     *pointer = reinterpret_cast<cu::DevicePtr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256)))
FAKE(cuMemcpyHtoD, (cu::DevicePtr to, const void *from, size_t bytes),
     std::memcpy(reinterpret_cast<void *>(to), from, bytes))
FAKE(cuMemcpyDtoH, (void *to, cu::DevicePtr from, size_t bytes), std::memcpy(to, reinterpret_cast<void *>(from), bytes))
FAKE(cuMemsetD8Async, (cu::DevicePtr pointer, unsigned char value, size_t bytes, cu::Stream),
     std::memset(reinterpret_cast<void *>(pointer), value, bytes))
FAKE(cuModuleGetFunction, (cu::Function * function, cu::Module, const char *),
     *function = reinterpret_cast<cu::Function>(0x5000))
FAKE(cuFuncGetAttribute, (int *value, cu::FunctionAttribute attribute, cu::Function),
     *value = attribute == cu::MaxThreadsPerBlock ? s.maxThreads
              : attribute == cu::NumRegisters     ? 168
                                                  : 0)
FAKE(cuFuncSetAttribute, (cu::Function, cu::FunctionAttribute, int))
#undef FAKE

inline cu::Result cuModuleLoadDataEx(cu::Module *module, const void *, unsigned count, cu::JitOption *options,
                                     void **values) {
  if (cu::Result failed = enter("cuModuleLoadDataEx")) {
    for (unsigned index = 0; index < count; ++index)
      if (options[index] == cu::ErrorLogBuffer)
        std::strcpy(static_cast<char *>(values[index]), "line 7: something is wrong");
    return failed;
  }
  ++state().live["modules"];
  *module = reinterpret_cast<cu::Module>(0x4000);
  return cu::Success;
}

inline cu::Result cuLaunchKernel(cu::Function, unsigned x, unsigned y, unsigned z, unsigned, unsigned, unsigned,
                                 unsigned, cu::Stream, void **parameters, void **) {
  if (cu::Result failed = enter("cuLaunchKernel"))
    return failed;
  State &s = state();
  unsigned grid[] = {x, y, z};
  std::memcpy(s.lastGrid, grid, sizeof(grid));
  s.lastParameters.assign(parameters, parameters + 4);
  if (s.onLaunch)
    s.onLaunch(parameters);
  return cu::Success;
}

inline cu::Result cuTensorMapEncodeTiled(cu::TensorMap *map, cu::TensorMapDataType, uint32_t rank, void *,
                                         const uint64_t *extents, const uint64_t *byteStrides, const uint32_t *box,
                                         const uint32_t *, cu::TensorMapInterleave, cu::TensorMapSwizzle,
                                         cu::TensorMapL2Promotion, cu::TensorMapFill) {
  if (cu::Result failed = enter("cuTensorMapEncodeTiled"))
    return failed;
  State &s = state();
  s.lastBox.assign(box, box + rank);
  s.lastExtents.assign(extents, extents + rank);
  s.lastByteStrides.assign(byteStrides, byteStrides + rank - 1);
  std::memset(map, s.count["cuTensorMapEncodeTiled"], sizeof(*map));
  return cu::Success;
}

inline cu::Result cuDriverGetVersion(int *version) {
  *version = state().version;
  return cu::Success;
}
inline cu::Result cuGetErrorName(cu::Result, const char **name) {
  *name = "FAKE_ERROR";
  return cu::Success;
}
inline cu::Result cuGetErrorString(cu::Result, const char **text) {
  *text = "told to fail";
  return cu::Success;
}
inline cu::Result cuDevicePrimaryCtxRelease(cu::Device) {
  --state().live["contexts"];
  return cu::Success;
}
inline cu::Result cuCtxGetCurrent(cu::Context *context) {
  *context = state().stack.empty() ? nullptr : state().stack.back();
  return cu::Success;
}
inline cu::Result cuCtxPushCurrent(cu::Context context) {
  state().stack.push_back(context);
  return cu::Success;
}
inline cu::Result cuCtxPopCurrent(cu::Context *context) {
  *context = state().stack.back();
  state().stack.pop_back();
  return cu::Success;
}
inline cu::Result cuStreamDestroy(cu::Stream) {
  --state().live["streams"];
  return cu::Success;
}
inline cu::Result cuEventDestroy(cu::Event) {
  --state().live["events"];
  return cu::Success;
}
inline cu::Result cuMemFree(cu::DevicePtr pointer) {
  std::free(reinterpret_cast<void *>(pointer));
  --state().live["buffers"];
  return cu::Success;
}
inline cu::Result cuModuleUnload(cu::Module) {
  --state().live["modules"];
  return cu::Success;
}

/// The fake's cuGetProcAddress.
inline cu::Result resolve(const char *name, void **function, int, uint64_t, int *) {
  *function = nullptr;
#define LACUNA_DRIVER_FUNCTION(each, parameters)                                                                       \
  if (std::strcmp(name, #each) == 0)                                                                                   \
    *function = reinterpret_cast<void *>(&each);
#include "lacuna/Runtime/DriverFunctions.def"
  return *function && state().missingFunction != name ? cu::Success : cu::NotFound;
}

/// A fresh fake driver for one test; nothing may be alive at its end.
struct FakeDriver {
  FakeDriver() { fake::state() = fake::State(); }
  ~FakeDriver() {
    for (const auto &[kind, count] : fake::state().live) {
      CAPTURE(kind);
      CHECK(count == 0);
    }
    CHECK(fake::state().stack.empty());
  }
  Expected<std::shared_ptr<const Driver>> load() { return Driver::fromResolver(resolve, "a fake driver"); }
  State &state = fake::state();
};

} // namespace lacuna::runtime::fake

#endif // LACUNA_TESTS_FAKECUDA_H
