#include "CellEvaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

Value CellEvaluator::get(Value tile) {
  Value &slot = computed[tile];
  if (slot)
    return slot;
  Value value = compute(tile);
  return computed[tile] = value; // compute() may have moved the slot.
}

Value CellEvaluator::compute(Value tile) {
  ImplicitLocOpBuilder &b = lowering.b;
  if (!isTile(tile.getType()))
    return splat(b, lowering.scalar(tile), width);
  if (auto it = lowering.buffers.find(tile); it != lowering.buffers.end())
    return lowering.load(it->second, row, column, width);
  Operation *op = tile.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return constantOf(b, cast<SplatElementsAttr>(constant.getValue()).getSplatValue<Attribute>(), width);
  if (isa<IotaOp>(op)) {
    Value first = b.create<arith::TruncIOp>(b.getI32Type(), column);
    return width ? b.create<arith::AddIOp>(splat(b, first, width), laneNumbers(b)).getResult() : first;
  }
  if (auto keys = dyn_cast<PositionsOp>(op))
    return lowering.load(lowering.positions.find(keys.getPositions())->second.buffer, row, column, width);
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return get(transpose.getX()); // Of a vector: another matrix transpose is in a buffer.
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return computeBroadcast(broadcast);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(isTile(operand.getType()) || !isa<arith::SelectOp>(op) ? get(operand)
                                                                              : lowering.scalar(operand));
  return buildElementwise(b, op, operands, width);
}

Value CellEvaluator::computeBroadcast(BroadcastOp broadcast) {
  Value source = broadcast.getX();
  if (!isTile(source.getType()) || source.getType() == broadcast.getType())
    return get(source);
  FlatShape from = flatShape(source.getType());
  if (from.elements() != 1 && cast<RankedTensorType>(source.getType()).getDimSize(0) == 1) // One value a column.
    return CellEvaluator(lowering, lowering.i64(0), column, width).get(source);
  // One value a row, or one in all: the same along the columns, so it is computed before their loop.
  ImplicitLocOpBuilder &b = lowering.b;
  OpBuilder::InsertionGuard guard(b);
  auto counter = dyn_cast<BlockArgument>(column), rowCounter = dyn_cast<BlockArgument>(row);
  Operation *columns = counter ? counter.getOwner()->getParentOp() : nullptr;
  if (columns && rowCounter && rowCounter.getOwner()->findAncestorOpInBlock(*columns))
    b.setInsertionPoint(columns);
  Value zero = lowering.i64(0);
  Value index = from.elements() == 1 ? zero : row;
  return splat(b, CellEvaluator(lowering, zero, index, 0).get(source), width);
}

} // namespace lacuna::cpu
