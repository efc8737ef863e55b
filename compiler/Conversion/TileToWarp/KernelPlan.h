// What tile-to-warp decides before it writes anything: rows, warpgroups, and which loads go through shared memory.
#pragma once

#include "Schedule.h"
#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace lacuna {

struct KernelPlan {
  KernelPlan(tile::FuncOp func, const warp::Machine &machine) : machine(machine), schedule(func) {}

  const warp::Machine &machine;
  Schedule schedule;
  int64_t rows = 0;       // of every computed tile
  int64_t warpgroups = 0; // consumers; rows / 64
  int64_t columns = 0;    // of the widest product
  /// Loads that a product reads, in program order.
  llvm::SetVector<mlir::Operation *> sharedLoads;

  /// Whether thread blocks stay and run one program after another. A kernel without copies has nothing to run ahead
  /// with.
  bool isPersistent() const {
    return machine.staysResident && !sharedLoads.empty() && schedule.isPersistent() && countable;
  }
  /// Whether the preamble knows how often each shared load happens: all stand at the top or in a loop there.
  bool countable = true;

  /// Whether empty rows of the list that `loop` runs over have a step of padding: programs overlap best where each has
  /// a step (warp-overlap-programs).
  bool padsEmptyRows(tile::ForBlocksOp loop) const;

  /// Computed A operands that leave too few registers for their loop's products to overlap, unless they lie in shared
  /// memory: by product.
  llvm::SetVector<mlir::Operation *> wideOperands;

  bool isShared(mlir::Operation *load) const { return sharedLoads.contains(load); }
  /// With one consumer two thread blocks share a multiprocessor, unless its products need more than the 128 registers a
  /// thread that both then start with: an accumulator of n columns takes n / 2, and ptxas some 30 beside it.
  bool sharesMultiprocessor() const { return warpgroups == 1 && columns < 192; }
  /// Registers a thread of the roles, from the schedule where it says. The producer of a persistent kernel keeps more
  /// state than the 24 that straight copying takes.
  int64_t producerRegisters() const;
  /// What the producer leaves, evenly.
  int64_t consumerRegisters() const;
  /// Registers a thread of every role has when the kernel starts.
  int64_t entryRegisters() const;

private:
  int64_t allRegisters() const; // of a thread in each warpgroup together
};

/// Plans `func`, or says why it cannot run on `machine`.
mlir::FailureOr<KernelPlan> planKernel(tile::FuncOp func, const warp::Machine &machine);

/// A product's operand as it is loaded: the load behind it, and whether a transpose stands between; null if computed.
struct LoadedOperand {
  tile::LoadOp load;
  bool transposed = false;
};
LoadedOperand findLoadedOperand(mlir::Value operand);

} // namespace lacuna
