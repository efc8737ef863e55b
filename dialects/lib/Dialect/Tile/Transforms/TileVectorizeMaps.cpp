// tile-vectorize-maps: the scalar body of a tile.map becomes operations on tiles.
//
// Every scalar of the body turns into the smallest tile that holds all its values over the elements (i, j):
//
//     depends on            becomes            e.g. in   keep = q0 + i >= t[j]
//     nothing               the scalar itself  q0
//     the row only          tensor<Mx1>        q0 + i           (one addition a row)
//     the column only       tensor<1xN>        t[j]             (tile.key_positions, once a column)
//     both                  tensor<MxN>        the comparison   (one an element)
//
// An operation runs at the join of its operands' shapes; smaller operands are broadcast there. Nothing here knows the
// operations one by one: whatever MLIR calls elementwise means the same on tiles.
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace lacuna::tile {

#define GEN_PASS_DEF_TILEVECTORIZEMAPS
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

namespace {

/// Turns one map into operations in front of it.
class MapVectorizer {
public:
  explicit MapVectorizer(MapOp map)
      : map(map), builder(map), shape(cast<RankedTensorType>(map.getResult().getType()).getShape()) {}

  /// The map's value, or nothing after an error.
  FailureOr<Value> run();

private:
  void bindArguments();
  LogicalResult vectorize(Operation &op);
  LogicalResult vectorizePositions(PositionAtOp op);
  LogicalResult vectorizeElementwise(Operation &op);

  Value keepPositions(Value result);

  /// `iota` along `axis`, or the scalar 0 where that axis has one element.
  Value numbers(int axis);
  /// `value` repeated over `extents`.
  Value widen(Value value, ArrayRef<int64_t> extents);
  BlockArgument columnArgument() { return map.getBody().front().getArguments().back(); }

  MapOp map;
  OpBuilder builder;
  ArrayRef<int64_t> shape;
  /// From a scalar of the body to its scalar or tile outside.
  IRMapping mapping;
};

} // namespace

Value MapVectorizer::numbers(int axis) {
  Type i32 = builder.getI32Type();
  if (shape[axis] == 1)
    return builder.create<arith::ConstantOp>(map.getLoc(), builder.getI32IntegerAttr(0));
  SmallVector<int64_t, 2> extents = {1, 1};
  extents[axis] = shape[axis];
  return builder.create<IotaOp>(map.getLoc(), RankedTensorType::get(extents, i32));
}

void MapVectorizer::bindArguments() {
  Block &body = map.getBody().front();
  mapping.map(body.getArguments().drop_back(2), map.getInputs());
  for (int axis : {0, 1})
    if (BlockArgument number = body.getArgument(map.getInputs().size() + axis); !number.use_empty())
      mapping.map(number, numbers(axis));
}

Value MapVectorizer::widen(Value value, ArrayRef<int64_t> extents) {
  auto type = RankedTensorType::get(extents, getElementTypeOrSelf(value));
  return value.getType() == type ? value : builder.create<BroadcastOp>(value.getLoc(), type, value);
}

LogicalResult MapVectorizer::vectorizePositions(PositionAtOp op) {
  if (op.getIndex() != columnArgument())
    return op.emitOpError() << "takes the column number of the tile.map as its index; for another column, compute it "
                               "from the position of this one, e.g. t[j] + 1";
  int64_t extent = op.getPositions().getType().getExtent();
  if (shape[1] != extent)
    return op.emitOpError() << "the step has " << extent << " positions, but the tile of the map has " << shape[1]
                            << " columns; map a tile with one column a position";
  auto type = RankedTensorType::get({1, extent}, builder.getI32Type());
  mapping.map(op.getResult(), builder.create<PositionsOp>(op.getLoc(), type, op.getPositions()).getResult());
  return success();
}

LogicalResult MapVectorizer::vectorizeElementwise(Operation &op) {
  SmallVector<Value> operands;
  SmallVector<int64_t, 2> extents = {1, 1};
  for (Value operand : op.getOperands()) {
    operands.push_back(mapping.lookupOrDefault(operand));
    if (auto tile = dyn_cast<RankedTensorType>(operands.back().getType()))
      for (int axis : {0, 1})
        extents[axis] = std::max(extents[axis], tile.getDimSize(axis));
  }
  // A select takes a scalar condition as it is: one decision for the whole tile.
  for (auto [index, operand] : llvm::enumerate(operands))
    if (!(isa<arith::SelectOp>(op) && index == 0 && !isa<RankedTensorType>(operand.getType())))
      operand = widen(operand, extents);
  SmallVector<Type> results;
  for (Type type : op.getResultTypes())
    results.push_back(RankedTensorType::get(extents, type));
  OperationState state(op.getLoc(), op.getName(), operands, results, op.getDiscardableAttrDictionary().getValue());
  state.propertiesAttr = op.getPropertiesAsAttribute();
  mapping.map(op.getResults(), builder.create(state)->getResults());
  return success();
}

LogicalResult MapVectorizer::vectorize(Operation &op) {
  if (auto position = dyn_cast<PositionAtOp>(op))
    return vectorizePositions(position);
  if (isa<CallHookOp>(op))
    return op.emitOpError() << "is still a call: run tile-inline-hooks before tile-vectorize-maps";
  if (op.getNumRegions() != 0)
    return op.emitOpError() << "cannot be done element by element: the body of a tile.map is straight-line arithmetic; "
                               "choose between two values with arith.select (c ? a : b)";
  bool uniform = llvm::none_of(op.getOperands(), [&](Value operand) {
    return isa<RankedTensorType>(mapping.lookupOrDefault(operand).getType());
  });
  if (uniform) {
    builder.clone(op, mapping);
    return success();
  }
  if (!OpTrait::hasElementwiseMappableTraits(&op))
    return op.emitOpError() << "has no meaning on tiles: the body of a tile.map is made of the elementwise operations "
                               "of arith and math";
  return vectorizeElementwise(op);
}

FailureOr<Value> MapVectorizer::run() {
  bindArguments();
  Block &body = map.getBody().front();
  for (Operation &op : body.without_terminator())
    if (failed(vectorize(op)))
      return failure();
  Value result = widen(mapping.lookupOrDefault(body.getTerminator()->getOperand(0)), shape);
  return keepPositions(result);
}

/// A result that ignores an input still stands at its positions.
Value MapVectorizer::keepPositions(Value result) {
  Value yielded = map.getBody().front().getTerminator()->getOperand(0);
  SmallPtrSet<Value, 8> used = {yielded};
  SmallVector<Value> pending = {yielded};
  while (!pending.empty())
    if (Operation *op = pending.pop_back_val().getDefiningOp(); op && op->getBlock() == &map.getBody().front())
      for (Value operand : op->getOperands())
        if (used.insert(operand).second)
          pending.push_back(operand);
  for (auto [argument, input] : llvm::zip(map.getBody().getArguments(), map.getInputs()))
    if (!used.contains(argument))
      result = builder.create<AlongOp>(map.getLoc(), result, input);
  return result;
}

namespace {
class TileVectorizeMaps : public impl::TileVectorizeMapsBase<TileVectorizeMaps> {
  void runOnOperation() override {
    SmallVector<MapOp> maps;
    getOperation().walk([&](MapOp map) { maps.push_back(map); });
    for (MapOp map : maps) {
      FailureOr<Value> result = MapVectorizer(map).run();
      if (failed(result))
        return signalPassFailure();
      map.getResult().replaceAllUsesWith(*result);
      map.erase();
    }
  }
};
} // namespace

} // namespace lacuna::tile
