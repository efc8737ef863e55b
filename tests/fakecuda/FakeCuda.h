//===- FakeCuda.h - A driver without a GPU, that fails on demand -*- C++ -*-===//
//
// libfakecuda.so stands in for libcuda.so.1: it exports cuGetProcAddress_v2, keeps memory in host memory, runs no
// kernel, counts its calls and its live objects, and fails where it is told to. There are two ways to it:
//
//   * a test that is linked to it takes a FakeDriver and scripts fake::state();
//   * any other process loads it by name, LACUNA_DRIVER=…/libfakecuda.so, or by LD_LIBRARY_PATH=…/fakecuda, where it
//     is called libcuda.so.1, and scripts it by LACUNA_FAKECUDA, entries separated by semicolons:
//
//       version=11080            what cuDriverGetVersion says                 devices=0        how many GPUs there are
//       capability=8.9           compute capability                           multiprocessors=128
//       shared=101376            the most dynamic shared memory, bytes        memory=1048576   of a GPU, bytes
//       threads=256              the most threads a CTA of any kernel         missing=cuInit   the resolver lacks it
//       fail=cuMemAlloc@2:2      the 2nd call of it (@0: each) gives 2        failcall=17:700  the 17th call of all
//       ptx=only                 cubins are refused as NoBinaryForGpu         image=none       every image is
//       report=leaks             at exit, stderr says what is still alive
//
// Thread safety: one thread at a time.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TESTS_FAKECUDA_H
#define LACUNA_TESTS_FAKECUDA_H

#include "lacuna/Runtime/Driver.h"

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::runtime::fake {

/// Every function of DriverFunctions.def, as kcuInit and so on.
enum class Call : int {
#define LACUNA_DRIVER_FUNCTION(name, parameters) name,
#include "lacuna/Runtime/DriverFunctions.def"
  Count
};

/// Which image loads are refused as being for another GPU.
enum class Refuse { Nothing, Cubins, Everything };

/// A block of memory that cuMemAlloc gave.
struct Block {
  size_t bytes = 0;
  int device = 0;
};

/// What the fake driver is told and what it has seen.
struct State {
  int version = 12040;
  int deviceCount = 1;
  int major = 9, minor = 0;
  int multiprocessors = 132;
  int sharedBytes = 232448;
  size_t memoryBytes = size_t(1) << 37;
  int maxThreads = 1024;
  std::string missingFunction; ///< the resolver does not know it
  std::string failFunction;    ///< calls of it give failResult: the call with number failAt, or with 0 each
  int failAt = 0;
  int failCall = -1; ///< the call with this number, from 0, of all gives failResult
  cu::Result failResult = cu::OutOfMemory;
  Refuse refuse = Refuse::Nothing;
  bool capturing = false;
  unsigned long long streamId = 1;                 ///< of every stream
  std::function<void(void **parameters)> onLaunch; ///< sees each launch's parameters
  bool reportLeaks = false;                        ///< at exit

  int calls = 0;
  Call failed = Call::Count;                                     ///< the function that failed last, as it was told to
  std::array<int, static_cast<size_t>(Call::Count)> counts = {}; ///< calls by function
  std::map<std::string, int> live;                               ///< contexts, streams, events, buffers, modules
  std::map<uint64_t, Block> blocks;                              ///< live memory, by address
  size_t usedBytes = 0;
  std::vector<cu::Context> stack;  ///< current contexts
  std::vector<std::string> images; ///< the first bytes of each image that was loaded or refused
  std::vector<uint32_t> lastBox;
  std::vector<uint64_t> lastExtents, lastByteStrides;
  unsigned lastGrid[3] = {};
  cu::Stream lastStream = nullptr;

  int count(Call call) const { return counts[static_cast<size_t>(call)]; }
  /// Sets what LACUNA_FAKECUDA says. Returns the entry that it does not understand, or nothing.
  std::string script(std::string_view text);
  /// The kinds that are still alive, "modules: 1, streams: 2", or nothing.
  std::string leaks() const;
};

/// The state of this process's fake driver.
State &state();

/// The fake's cuGetProcAddress.
cu::Result resolve(const char *name, void **function, int version, uint64_t flags, int *status);

} // namespace lacuna::runtime::fake

#endif // LACUNA_TESTS_FAKECUDA_H
