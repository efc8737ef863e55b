#include "TailSource.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna::tile {

static IntegerAttr numberAttr(MLIRContext *context, int64_t value) {
  return IntegerAttr::get(IntegerType::get(context, 64), value);
}

static std::optional<int64_t> asNumber(OpFoldResult value) {
  if (auto attr = dyn_cast_if_present<IntegerAttr>(dyn_cast<Attribute>(value)))
    return attr.getInt();
  return std::nullopt;
}

/// The same form for the same number: constants and dimensions by value, through broadcasts.
static OpFoldResult normalize(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getX();
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return numberAttr(value.getContext(), constant.getSExtValue());
  if (auto dim = value.getDefiningOp<DimOp>())
    return dim.getNameAttr();
  return value;
}

/// An i32 value for a number, a dimension's name or a value.
static Value materialize(OpBuilder &builder, Location loc, OpFoldResult value) {
  if (auto number = asNumber(value))
    return builder.create<arith::ConstantOp>(loc, builder.getI32IntegerAttr(*number));
  if (auto name = dyn_cast_if_present<StringAttr>(dyn_cast<Attribute>(value)))
    return builder.create<DimOp>(loc, name);
  return cast<Value>(value);
}

TypedValue<PositionsType> TailSource::getPositions() const {
  auto value = dyn_cast<Value>(anchor);
  return value ? dyn_cast<TypedValue<PositionsType>>(value) : TypedValue<PositionsType>();
}

bool TailSource::isDefinedBy(function_ref<bool(Value)> predicate) const {
  return llvm::any_of(ArrayRef{anchor, limit}, [&](OpFoldResult part) {
    auto value = dyn_cast<Value>(part);
    return value && predicate(value);
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// What a mask is made of
//===--------------------------------------------------------------------------------------------------------------===//

/// limit - anchor: how many elements count. A subtraction cannot overflow where anchor + extent could.
static Value emitRemaining(OpBuilder &builder, Location loc, const TailSource &source) {
  auto start = asNumber(source.anchor), limit = asNumber(source.limit);
  if (start && limit)
    return materialize(builder, loc, numberAttr(builder.getContext(), *limit - *start));
  return builder.createOrFold<arith::SubIOp>(loc, materialize(builder, loc, source.limit),
                                             materialize(builder, loc, source.anchor));
}

Value TailSource::emitReachesPast(OpBuilder &builder, Location loc) const {
  if (auto positions = getPositions())
    return builder.create<ExceedsOp>(loc, positions, materialize(builder, loc, limit));
  if (asNumber(anchor) && asNumber(limit))
    return {};
  Value full = materialize(builder, loc, numberAttr(builder.getContext(), extent));
  return builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, emitRemaining(builder, loc, *this), full);
}

static Value emitSplat(OpBuilder &builder, Location loc, RankedTensorType type, int64_t value) {
  return builder.create<arith::ConstantOp>(
      loc, DenseElementsAttr::get(type, builder.getI32IntegerAttr(static_cast<int32_t>(value)).getValue()));
}

Value TailSource::emitPlaces(OpBuilder &builder, Location loc, RankedTensorType type) const {
  Value places = builder.create<IotaOp>(loc, type);
  if (repeat > 1)
    places = builder.create<arith::DivUIOp>(loc, places, emitSplat(builder, loc, type, repeat));
  if (wrapsAround())
    places = builder.create<arith::RemUIOp>(loc, places, emitSplat(builder, loc, type, extent));
  return places;
}

Value TailSource::emitCounts(OpBuilder &builder, Location loc, int axis) const {
  SmallVector<int64_t, 2> extents = {1, 1};
  extents[axis] = elements;
  auto type = RankedTensorType::get(extents, builder.getI32Type());
  Value numbers, end;
  if (auto positions = getPositions()) {
    auto rowType = RankedTensorType::get({1, extent}, builder.getI32Type());
    numbers = builder.create<PositionsOp>(loc, rowType, positions);
    if (axis == 0)
      numbers = builder.create<TransposeOp>(loc, type, numbers);
    end = materialize(builder, loc, limit);
  } else {
    numbers = emitPlaces(builder, loc, type);
    end = emitRemaining(builder, loc, *this);
  }
  end = builder.createOrFold<BroadcastOp>(loc, type, end);
  return builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, numbers, end);
}

bool TailSource::isRemaining(Value value) const {
  auto start = asNumber(anchor), end = asNumber(limit);
  OpFoldResult normal = normalize(value);
  if (start && end)
    return asNumber(normal) == *end - *start;
  if (start == 0 && normal == limit)
    return true;
  auto plain = dyn_cast<Value>(normal);
  auto sub = plain ? plain.getDefiningOp<arith::SubIOp>() : arith::SubIOp();
  return sub && normalize(sub.getLhs()) == limit && normalize(sub.getRhs()) == anchor;
}

bool TailSource::isReachesPast(Value condition) const {
  if (auto exceeds = condition.getDefiningOp<ExceedsOp>())
    return OpFoldResult(exceeds.getPositions()) == anchor && normalize(exceeds.getLimit()) == limit;
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  return compare && compare.getPredicate() == arith::CmpIPredicate::slt &&
         asNumber(normalize(compare.getRhs())) == extent && isRemaining(compare.getLhs());
}

/// What `value` repeats or turns; `axis` turns with it.
static Value stripShape(Value value, int &axis) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<BroadcastOp, TransposeOp>(op))
      break;
    if (isa<TransposeOp>(op))
      axis = 1 - axis;
    value = op->getOperand(0);
  }
  return value;
}

bool TailSource::isPlaces(Value value, int axis) const {
  auto strip = [&](bool expected, auto op, int64_t divisor) {
    if (expected && op && asNumber(normalize(op.getRhs())) == divisor)
      value = stripShape(op.getLhs(), axis);
    return !expected || op;
  };
  value = stripShape(value, axis);
  if (!strip(wrapsAround(), value.getDefiningOp<arith::RemUIOp>(), extent) ||
      !strip(repeat > 1, value.getDefiningOp<arith::DivUIOp>(), repeat))
    return false;
  auto iota = value.getDefiningOp<IotaOp>();
  return iota && iota.getType().getDimSize(axis) == elements;
}

bool TailSource::isCounts(Value condition, int axis) const {
  condition = stripShape(condition, axis);
  if (auto both = condition.getDefiningOp<arith::AndIOp>())
    return isCounts(both.getLhs(), axis) || isCounts(both.getRhs(), axis);
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt)
    return false;
  Value numbers = stripShape(compare.getLhs(), axis);
  if (auto positions = numbers.getDefiningOp<PositionsOp>())
    return axis == 1 && OpFoldResult(positions.getPositions()) == anchor && normalize(compare.getRhs()) == limit;
  return !getPositions() && isPlaces(numbers, axis) && isRemaining(compare.getRhs());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Sources of loads, stores and positions
//===--------------------------------------------------------------------------------------------------------------===//

TailSource getPositionsSource(Value positions) {
  auto loop = cast<ForBlocksOp>(cast<BlockArgument>(positions).getOwner()->getParentOp());
  return {positions, normalize(loop.getLimit()), cast<PositionsType>(positions.getType()).getExtent()};
}

AccessSources getAccessSources(ViewType view, OperandRange indices, ArrayRef<int64_t> sizes, Type value) {
  AccessSources sources;
  auto limitOf = [&](int64_t viewAxis) -> OpFoldResult {
    if (auto extent = view.getStaticExtent(viewAxis))
      return numberAttr(view.getContext(), *extent);
    return view.getExtents()[viewAxis];
  };
  auto add = [&](int tileAxis, int64_t viewAxis, int64_t repeat, int64_t elements) {
    auto &here = sources.axes[tileAxis];
    Value index = indices[viewAxis];
    OpFoldResult limit = limitOf(viewAxis);
    int64_t size = sizes[viewAxis];
    if (isa<PositionsType>(index.getType())) {
      TailSource loop = getPositionsSource(index);
      here.push_back(loop);
      if (loop.limit != limit)
        here.push_back({index, limit, size});
      return;
    }
    TailSource source{normalize(index), limit, size, repeat, elements};
    auto start = asNumber(source.anchor), end = asNumber(limit);
    if (!(start && end && *start + size <= *end))
      here.push_back(source);
  };
  AccessAxes axes = getAccessAxes(sizes, value);
  int64_t elements = axes.countRows(sizes), repeat = elements;
  for (int64_t axis : axes.rows) {
    repeat /= sizes[axis];
    if (elements > 1)
      add(0, axis, repeat, elements);
  }
  if (axes.column && sizes[*axes.column] > 1)
    add(1, *axes.column, 1, sizes[*axes.column]);
  return sources;
}

} // namespace lacuna::tile
