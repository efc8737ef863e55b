//===- DriverTypes.h - The few CUDA driver types we use ---------*- C++ -*-===//
//
// Declared by us, so that Lacuna builds without the CUDA toolkit. Handles are pointers to the same opaque structs as in
// cuda.h, so a caller's CUstream or CUcontext passes without a cast. Numbers are those of the CUDA 12 driver API.
//
// **Source:** CUDA driver API reference, data types (https://docs.nvidia.com/cuda/cuda-driver-api).
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DRIVERTYPES_H
#define LACUNA_RUNTIME_DRIVERTYPES_H

#include <cstdint>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;

namespace lacuna::runtime::cu {

using Context = CUctx_st *;
using Module = CUmod_st *;
using Function = CUfunc_st *;
using Stream = CUstream_st *;
using Event = CUevent_st *;
using Device = int;
using DevicePtr = unsigned long long;

/// CUresult: the values that the runtime treats differently; all others carry the driver's own name and text.
enum Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidImage = 200,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  NotFound = 500,
  IllegalAddress = 700,
  LaunchOutOfResources = 701,
  SystemDriverMismatch = 803,
};

enum DeviceAttribute : int {
  WarpSize = 10,
  ClockRate = 13, ///< kHz
  MultiprocessorCount = 16,
  L2CacheSize = 38, ///< bytes
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
  MaxSharedMemoryPerBlockOptin = 97, ///< bytes
};

enum PointerAttribute : int {
  PointerMemoryType = 2,
  PointerDeviceOrdinal = 9,
};

/// CUmemorytype, as PointerMemoryType gives it.
enum MemoryType : unsigned { MemoryHost = 1, MemoryDevice = 2 };

enum FunctionAttribute : int {
  MaxThreadsPerBlock = 0,
  StaticSharedBytes = 1,
  LocalBytes = 3,
  NumRegisters = 4,
  MaxDynamicSharedBytes = 8,
};

enum JitOption : int {
  InfoLogBuffer = 3,
  InfoLogBufferSize = 4,
  ErrorLogBuffer = 5,
  ErrorLogBufferSize = 6,
  LogVerbose = 12,
};

/// CUtensorMap: opaque, passed to a kernel by value. The driver asks for 64-byte alignment.
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

enum TensorMapDataType : int { Float16 = 6, BFloat16 = 9 };
enum TensorMapInterleave : int { InterleaveNone = 0 };
enum TensorMapSwizzle : int { Swizzle128B = 3 };
enum TensorMapL2Promotion : int { L2Promotion128B = 2 };
enum TensorMapFill : int { FillZero = 0 };

/// CUstreamCaptureStatus.
enum CaptureStatus : int { CaptureNone = 0, CaptureActive = 1, CaptureInvalidated = 2 };

/// CU_STREAM_PER_THREAD: another stream in each thread.
inline Stream perThreadStream() {
  return reinterpret_cast<Stream>(2);
}

constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventDefault = 0;

} // namespace lacuna::runtime::cu

#endif // LACUNA_RUNTIME_DRIVERTYPES_H
