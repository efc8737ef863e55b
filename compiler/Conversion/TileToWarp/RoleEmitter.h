// What the producer's and the consumers' emitters share: the preamble's values, rings, and counted loops.
//
// The n-th fill of a ring is numbered by a counter that the loop around it carries: one for each loop whose body itself
// contains shared loads. A loop also carries the counters of such loops inside it, so that they go on counting.
#pragma once

#include "KernelPlan.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace lacuna {

/// What both roles find when they start.
struct Preamble {
  mlir::IRMapping values;                                 // scalars and lists computed before the roles
  llvm::DenseMap<mlir::Operation *, mlir::Value> rings;   // by shared load
  llvm::DenseMap<mlir::Operation *, mlir::Value> lists;   // by tile.for_blocks
  llvm::DenseMap<mlir::Operation *, mlir::Value> staging; // shared tiles, by the tile.store or tile.dot that uses one
  /// The number of the first fill that a loop makes, and (by the function) that loads outside loops make; absent: 0.
  llvm::DenseMap<mlir::Operation *, mlir::Value> firstFills;
};

class RoleEmitter {
public:
  RoleEmitter(mlir::OpBuilder builder, const KernelPlan &plan, const Preamble &preamble)
      : builder(builder), plan(plan), rings(preamble.rings), lists(preamble.lists), staging(preamble.staging),
        mapping(preamble.values), counters(preamble.firstFills) {}
  virtual ~RoleEmitter() = default;

protected:
  /// Emits the operations of `block` up to its terminator.
  virtual mlir::LogicalResult emitBlock(mlir::Block &block) = 0;
  /// Whether this role carries the loop's value `index`.
  virtual bool carries(mlir::Operation *loop, unsigned index) = 0;
  virtual mlir::Type convertType(mlir::Type type) = 0;

  /// Emits a dense or a sparse loop with the carried values of this role and the counters.
  mlir::LogicalResult emitLoop(mlir::Operation *loop);
  /// The number of the fill that a shared load directly in `block` stands for.
  mlir::Value fillNumber(mlir::Operation *load);

  mlir::Value constant(mlir::Location loc, int32_t value) {
    return builder.create<mlir::arith::ConstantIntOp>(loc, value, 32);
  }
  bool isMapped(mlir::ValueRange values) const {
    return llvm::all_of(values, [&](mlir::Value value) { return mapping.contains(value); });
  }

  mlir::OpBuilder builder;
  const KernelPlan &plan;
  const llvm::DenseMap<mlir::Operation *, mlir::Value> &rings;
  const llvm::DenseMap<mlir::Operation *, mlir::Value> &lists;
  const llvm::DenseMap<mlir::Operation *, mlir::Value> &staging;
  mlir::IRMapping mapping;
  /// The step of the innermost sparse loop that positions belong to.
  llvm::DenseMap<mlir::Value, warp::ListStepOp> steps;

private:
  /// Loops in and below `loop` whose own body holds shared loads.
  llvm::SmallVector<mlir::Operation *> countedLoops(mlir::Operation *loop);
  mlir::Value counter(mlir::Location loc, mlir::Operation *loop);

  llvm::DenseMap<mlir::Operation *, mlir::Value> counters;
};

/// Emits the producer's part of `func` at `builder`.
mlir::LogicalResult emitProducer(tile::FuncOp func, mlir::OpBuilder builder, const KernelPlan &plan,
                                 const Preamble &preamble);
/// Emits the consumers' part of `func` at `builder`.
mlir::LogicalResult emitConsumer(tile::FuncOp func, mlir::OpBuilder builder, const KernelPlan &plan,
                                 const Preamble &preamble);

} // namespace lacuna
