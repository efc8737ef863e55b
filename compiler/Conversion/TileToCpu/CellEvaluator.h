//===- CellEvaluator.h - Elements of deferred tiles -------------*- C++ -*-===//
#ifndef LACUNA_CONVERSION_TILETOCPU_CELLEVALUATOR_H
#define LACUNA_CONVERSION_TILETOCPU_CELLEVALUATOR_H

#include "CpuLowering.h"

namespace lacuna::cpu {

/// Generates the code that computes elements of tiles at one cell: `width` consecutive columns of a row (0: one element
/// as a scalar). Buffered tiles are read, deferred ones are computed from their operands, each once a cell.
class CellEvaluator {
public:
  CellEvaluator(CpuLowering &lowering, mlir::Value row, mlir::Value column, int64_t width)
      : lowering(lowering), row(row), column(column), width(width) {}

  /// The elements of `tile` at this cell; a scalar operand is repeated.
  mlir::Value get(mlir::Value tile);

private:
  mlir::Value compute(mlir::Value tile);
  mlir::Value computeBroadcast(tile::BroadcastOp broadcast);

  CpuLowering &lowering;
  mlir::Value row, column;
  int64_t width;
  llvm::DenseMap<mlir::Value, mlir::Value> computed;
};

} // namespace lacuna::cpu

#endif // LACUNA_CONVERSION_TILETOCPU_CELLEVALUATOR_H
