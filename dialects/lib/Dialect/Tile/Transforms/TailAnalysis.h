// Follows, through a kernel, which axis of a tile can run past which end, and what the tile holds there.
//
// Example, one step of attention with keys t (limit N) along axis 1 of the scores:
//
//     k  = load [t, 0 :+ D]      axis 0: {t: Zero}          a load reads zero past the end
//     s  = dot(q, transpose(k))  axis 1: {t: Unknown}       0 * anything is not always 0
//     s' = masked with -inf      axis 1: {t: MinusInf}      what tile-mask-tails inserts before the row maximum
//     p  = exp(s' - c)           axis 1: {t: Zero}          so neither rowsum(p) nor dot(p, v) needs a mask
#pragma once

#include "TailValue.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace lacuna::tile {

class TailAnalysis {
public:
  explicit TailAnalysis(FuncOp func);

  /// Axis `axis` of `value`, a tile or a scalar.
  AxisState get(mlir::Value value, int axis) const;

private:
  struct TileState {
    AxisState axes[2];
    bool operator==(const TileState &other) const { return axes[0] == other.axes[0] && axes[1] == other.axes[1]; }
  };

  void visit(mlir::Operation *op);
  void visitLoad(LoadOp op);
  void visitBroadcast(BroadcastOp op);
  void visitDot(DotOp op);
  void visitReduce(ReduceOp op);
  void visitIf(mlir::scf::IfOp op);
  void visitLoop(mlir::Operation *loop, mlir::ValueRange inits, mlir::ValueRange carried, mlir::ValueRange yielded);
  void visitElementwise(mlir::Operation *op);
  void set(mlir::Value value, TileState state);

  AxisState elementwise(mlir::Operation *op, int axis, int64_t extent, llvm::ArrayRef<AxisState> operands) const;

  llvm::DenseMap<mlir::Value, TileState> states;
  llvm::SmallVector<TailSource> sources; // of the whole function
  bool changed = false;
};

/// Whether `source` is described by a value from inside `loop`: it names other positions in the next iteration.
bool isDefinedInside(const TailSource &source, mlir::Operation *loop);

} // namespace lacuna::tile
