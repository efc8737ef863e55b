// What the passes that overlap products ask of them.
#pragma once

#include "lacuna/Dialect/Warp/IR/ProductOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"

namespace lacuna::warp {

/// Registers beside kRegistersBesideTiles where work is held in front of a wait (warp.wgmma_wait … after): with fewer,
/// ptxas 13.0 spills.
inline constexpr int64_t kRegistersToHold = 8;

/// The same where the next program's first step runs beside the last product, or a wide accumulator passes from program
/// to program.
inline constexpr int64_t kRegistersAcrossPrograms = 24;

/// Whether `value` is a tile as a product gives it, in the registers of an accumulator.
inline bool isAccumulator(mlir::Value value) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(value.getType());
  return tensor && mlir::isa_and_present<AccAttr>(tensor.getEncoding());
}

/// Columns of a product's result.
inline int64_t productColumns(mlir::Operation *product) {
  return mlir::cast<InflightType>(product->getResult(0).getType()).getTensor().getDimSize(1);
}

/// Registers a thread of the accumulators of a loop's products and of the A operands packed from them.
inline int64_t productRegisters(mlir::scf::ForOp loop) {
  int64_t registers = 0;
  for (mlir::Operation &op : *loop.getBody()) {
    if (isProduct(&op))
      registers += productColumns(&op) / 2;
    if (auto pack = mlir::dyn_cast<PackAFragOp>(op))
      registers += mlir::cast<mlir::RankedTensorType>(pack.getType()).getDimSize(1) / 4;
  }
  return registers;
}

/// What a wait may come after: a row reduction, which takes all that was computed before it.
inline bool isHolding(mlir::Operation *op) {
  return mlir::isa<RowReduceOp>(op) && mlir::getElementTypeOrSelf(op->getResult(0)).isF32();
}

} // namespace lacuna::warp
