// What tile-to-warp decides before it writes anything: rows, warpgroups, and which loads go through shared memory.
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace lacuna {

struct KernelPlan {
  int64_t rows = 0;       // of every computed tile
  int64_t warpgroups = 0; // consumers; rows / 64
  int64_t columns = 0;    // of the widest product
  /// Loads that a product reads, in program order.
  llvm::SetVector<mlir::Operation *> sharedLoads;

  bool isShared(mlir::Operation *load) const { return sharedLoads.contains(load); }
  /// With one consumer two thread blocks share a multiprocessor, unless its products need more than the 128 registers a
  /// thread that both then start with: an accumulator of n columns takes n / 2, and ptxas some 30 beside it.
  bool sharesMultiprocessor() const { return warpgroups == 1 && columns < 192; }
  int64_t producerRegisters() const {
    return warpgroups == 3 ? 32 : warpgroups == 2 || sharesMultiprocessor() ? 24 : 240;
  }
  int64_t consumerRegisters() const { return warpgroups == 3 ? 160 : sharesMultiprocessor() ? 232 : 240; }
};

/// Plans `func`, or says why it cannot run on sm_90a.
mlir::FailureOr<KernelPlan> planKernel(tile::FuncOp func);

/// A product's operand as it is loaded: the load behind it, and whether a transpose stands between; null if computed.
struct LoadedOperand {
  tile::LoadOp load;
  bool transposed = false;
};
LoadedOperand findLoadedOperand(mlir::Value operand);

} // namespace lacuna
