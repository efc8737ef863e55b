// The PTX instructions that the lowering writes as inline assembly, one function each. All operate on 32-bit shared
// addresses and are marked as having side effects; Codegen makes every such call convergent.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace lacuna::ptx {

/// One k16 step of a product.
struct WgmmaStep {
  llvm::ArrayRef<mlir::Value> aFragment; // four i32, or empty
  mlir::Value aDescriptor;               // i64, where there is no fragment
  int64_t aAdvance = 0;                  // added to it here, not in a register that a loop would keep for each step
  mlir::Value bDescriptor;               // i64
};

/// A product of 64 rows: m64nNk16 for each step, all into the same registers.
struct WgmmaProduct {
  int64_t columns;
  bool bf16;
  bool transA, transB;             // "transposed" in PTX's sense: M- or N-major
  llvm::ArrayRef<mlir::Value> acc; // what it adds to; empty: it starts at zero
  llvm::ArrayRef<WgmmaStep> steps;
};

class Emitter {
public:
  /// `suspends`: threads that wait at an mbarrier may be suspended (from sm_90 on).
  Emitter(mlir::OpBuilder &builder, bool suspends) : builder(builder), suspends(suspends) {}

  void initBarrier(mlir::Location loc, mlir::Value address, int64_t count);
  void fenceBarrierInit(mlir::Location loc);
  void blockBarrier(mlir::Location loc);
  void namedBarrierSync(mlir::Location loc, int64_t id, int64_t threads);
  void namedBarrierArrive(mlir::Location loc, int64_t id, int64_t threads);
  void namedBarrierSync(mlir::Location loc, mlir::Value id, int64_t threads);
  void namedBarrierArrive(mlir::Location loc, mlir::Value id, int64_t threads);
  /// Spins until the phase of parity `parity` of the mbarrier is complete.
  void waitBarrier(mlir::Location loc, mlir::Value address, mlir::Value parity);
  void arrive(mlir::Location loc, mlir::Value address, mlir::Value predicate);
  void expectBytes(mlir::Location loc, mlir::Value address, int64_t bytes);
  /// Copies one box; `coordinates` innermost first.
  void tmaLoad(mlir::Location loc, mlir::Value destination, mlir::Value tensorMap,
               llvm::ArrayRef<mlir::Value> coordinates, mlir::Value barrier);
  /// Copies one box from shared memory to a view; `coordinates` innermost first. Of the thread's open group.
  void tmaStore(mlir::Location loc, mlir::Value tensorMap, llvm::ArrayRef<mlir::Value> coordinates, mlir::Value source);
  /// Closes the thread's group of stores.
  void commitStores(mlir::Location loc);
  /// Waits until all groups of the thread's stores have read shared memory.
  void waitStores(mlir::Location loc);
  /// Writes a 16x16 tile of 16-bit elements: `words` are the thread's four registers of it as an A operand has them.
  /// The row that this lane stands for (row lane % 16, columns 8 * (lane / 16) on) begins at (`address` xor `flip`) +
  /// `offset`: computed here, so that a loop of many tiles keeps one address in registers.
  void storeMatrix(mlir::Location loc, mlir::Value address, int64_t flip, int64_t offset,
                   llvm::ArrayRef<mlir::Value> words);
  void setMaxRegisters(mlir::Location loc, int64_t registers, bool increase);
  void fenceAsync(mlir::Location loc);

  /// Copies 16 bytes to shared memory at `address` + `offset`; of `pointer` only `bytes` are read, the rest is zero.
  /// Not where `predicate` is given and does not hold.
  void copyAsync(mlir::Location loc, mlir::Value address, int64_t offset, mlir::Value pointer, mlir::Value bytes,
                 mlir::Value predicate);
  /// Arrives at an mbarrier when all copies of this thread so far have landed.
  void arriveWhenCopied(mlir::Location loc, mlir::Value address);
  /// Waits until all copies of this thread have landed.
  void waitCopies(mlir::Location loc);
  void syncWarp(mlir::Location loc);
  /// Four matrices of 8x8 16-bit elements; the row that this lane names begins at `address` + `offset`. One word each.
  llvm::SmallVector<mlir::Value> loadMatrix(mlir::Location loc, mlir::Value address, int64_t offset, bool transpose);
  /// m16n8k16: four words of A, two of B, four f32 that are added to.
  llvm::SmallVector<mlir::Value> mma(mlir::Location loc, bool bf16, llvm::ArrayRef<mlir::Value> a,
                                     llvm::ArrayRef<mlir::Value> b, llvm::ArrayRef<mlir::Value> acc);

  void wgmmaFence(mlir::Location loc);
  void wgmmaCommit(mlir::Location loc);
  /// All steps in one piece of assembly: the accumulators, up to 128 registers, are named once and not once a step,
  /// which is a third of what the compiler spends on a kernel.
  llvm::SmallVector<mlir::Value> wgmma(mlir::Location loc, const WgmmaProduct &product);
  /// Waits until at most `pending` groups are in flight; `values` pass through the wait, so that no use moves above it.
  llvm::SmallVector<mlir::Value> wgmmaWait(mlir::Location loc, int64_t pending, llvm::ArrayRef<mlir::Value> values);

  /// Keeps a following wgmmaWait behind the two f32 `values`. To ptxas a wait uses no registers, so that it moves waits
  /// up as far as it can, and what should run beside products runs behind them; but it moves none across a nanosleep.
  /// This one is skipped but for one sum in 2^32, where it costs a nanosecond.
  void holdBehind(mlir::Location loc, llvm::ArrayRef<mlir::Value> values);

  /// The value of lane 0, so that the compiler knows it is the same in the warp.
  mlir::Value broadcastLane0(mlir::Location loc, mlir::Value value);
  mlir::Value shuffleXor(mlir::Location loc, mlir::Value value, int64_t mask);
  mlir::Value loadShared(mlir::Location loc, mlir::Value address);
  mlir::Value shuffleXorInt(mlir::Location loc, mlir::Value value, int64_t mask);
  /// Zero where `predicate` does not hold.
  mlir::Value loadSharedInt(mlir::Location loc, mlir::Value address, mlir::Value predicate);
  void storeSharedInt(mlir::Location loc, mlir::Value address, mlir::Value value);
  /// Adds to an i32 in global memory, whole device; its value before.
  mlir::Value atomicAdd(mlir::Location loc, mlir::Value pointer, mlir::Value value);
  void storeShared(mlir::Location loc, mlir::Value address, mlir::Value value, mlir::Value predicate);

private:
  void call(mlir::Location loc, const llvm::Twine &text, llvm::StringRef constraints, mlir::ValueRange operands);
  mlir::Value call(mlir::Location loc, mlir::Type result, const llvm::Twine &text, llvm::StringRef constraints,
                   mlir::ValueRange operands);

  mlir::OpBuilder &builder;
  bool suspends;
};

} // namespace lacuna::ptx
