// The machines that `warp` kernels are written for: what a multiprocessor has, and how its kernels copy and multiply.
// A kernel names its machine (warp.target); passes, verifiers and the lowering ask here, so that a machine is a row of
// this table and the ops that it has (docs/new-target.md).
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <cstdint>

namespace lacuna::warp {

class FuncOp;

struct Machine {
  llvm::StringLiteral name;

  // How kernels are built.
  bool copyEngine;    // one thread of the producer issues copies (TMA), from and to shared memory; else all its threads
                      // copy (cp.async), to shared memory only
  bool asyncProducts; // products run beside the warpgroup that issued them (wgmma); else a warp computes them
                      // (mma.sync)
  bool movesRegisters; // roles give up registers and take more (setmaxnreg); else all threads keep what they start with
  bool staysResident;  // thread blocks may take one program after another (warp.for_tiles)
  int64_t producerThreads;

  // What a multiprocessor has. Source: CUDA C++ Programming Guide, technical specifications of compute capabilities.
  int64_t sharedMemory;      // bytes of all its thread blocks, 1 KiB more than they ask for each
  int64_t sharedMemoryLimit; // bytes of a thread block
  /// Bytes of a thread block on every GPU that runs the target's code: what a kernel takes unless it is told to take
  /// more.
  int64_t commonSharedMemory;

  int64_t threads(int64_t consumerWarpgroups) const { return producerThreads + 128 * consumerWarpgroups; }
  /// Registers a thread has when the kernel starts, a multiple of 8: each of a multiprocessor's four parts has 16,384
  /// for the warps that it runs, a quarter of all, rounded up.
  int64_t entryRegisters(int64_t consumerWarpgroups, int64_t blocksPerMultiprocessor) const {
    int64_t warps = threads(consumerWarpgroups) / 32 * blocksPerMultiprocessor, warpsOfPart = (warps + 3) / 4;
    return std::min<int64_t>(16384 / (32 * warpsOfPart) / 8 * 8, 248);
  }
  /// Thread blocks, one or two, that share a multiprocessor where all threads of one have `registers` together.
  int64_t blocksByRegisters(int64_t consumerWarpgroups, int64_t registers) const {
    int64_t half = movesRegisters ? 65536 / 2 : threads(consumerWarpgroups) * entryRegisters(consumerWarpgroups, 2);
    return registers <= half ? 2 : 1;
  }
  /// Thread blocks of `bytes` bytes of dynamic shared memory that a multiprocessor holds; at least 1.
  int64_t blocksBySharedMemory(int64_t bytes) const { return std::max<int64_t>(1, sharedMemory / (bytes + 1024)); }
};

/// All of them; the first is what a kernel that names none is written for.
llvm::ArrayRef<Machine> machines();
/// Null: there is no such machine.
const Machine *findMachine(llvm::StringRef name);
/// The machine of `func`; where it names an unknown one, the first.
const Machine &machineOf(FuncOp func);

} // namespace lacuna::warp
