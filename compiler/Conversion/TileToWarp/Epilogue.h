// Which tiles leave through shared memory and TMA: a copy runs beside the next program, where stores from registers
// hold the consumers up.
#pragma once

#include "KernelPlan.h"

namespace lacuna {

/// A store and the type of the shared tile that it goes through.
struct StagedStore {
  tile::StoreOp store;
  warp::SmemType type;
};

/// Chooses the stores of `source` that TMA can make and that fit in `room` bytes of shared memory together, in program
/// order; notes for each 16-bit tile in the decisions of `target` which way it goes, and why.
llvm::SmallVector<StagedStore> planEpilogue(tile::FuncOp source, const KernelPlan &plan, int64_t room,
                                            warp::FuncOp target);

/// The name of the argument that `view` is, in messages and for what belongs to it; `otherwise` without one.
llvm::StringRef nameOfView(mlir::Value view, llvm::StringRef otherwise);

} // namespace lacuna
