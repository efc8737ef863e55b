// tile.load and tile.store: whole rows as vectors where they lie within the view, masked where they do not, element by
// element where the tile's columns are not the view's innermost axis.
#include "CellEvaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

/// How an axis of the view lies along one of a tile: element i stands at position `start + i / repeat % size`, or the
/// i-th of `list`.
struct CpuLowering::Axis {
  Value start;
  std::optional<Buffer> list;
  Value extent; ///< of the view, i32
  Value stride; ///< in elements; null for 1
  int64_t size = 1, repeat = 1;
  bool wraps = false; ///< whether i / repeat goes on past `size`
};

struct CpuLowering::TileAccess {
  Value pointer;                      ///< with the indices of the axes that are not in the tile
  Value inside;                       ///< whether those indices are within the view
  SmallVector<Axis, 2> rows, columns; ///< several: together, the last counting fastest
  FlatShape shape;
  Type element;
  bool contiguous = false;
  Value fullColumns; ///< contiguous: whether all columns are within the view
};

/// One row of an access: where its column 0 lies, whether it is within the view, and the extent of its columns (0 where
/// it is not).
struct CpuLowering::RowAccess {
  Value pointer, valid, extent;
};

Value CpuLowering::extentOf(ViewType view, int64_t axis) {
  if (std::optional<int64_t> extent = view.getStaticExtent(axis))
    return i32(static_cast<int32_t>(*extent));
  return dims.lookup(view.getSymbol(axis));
}

Value CpuLowering::positionOn(const Axis &axis, Value index) {
  if (axis.repeat > 1)
    index = b.createOrFold<arith::DivUIOp>(index, i64(axis.repeat));
  if (axis.wraps)
    index = b.createOrFold<arith::RemUIOp>(index, i64(axis.size));
  if (axis.list)
    return load(*axis.list, i64(0), index, 0);
  return add(axis.start, b.createOrFold<arith::TruncIOp>(b.getI32Type(), index));
}

/// Unsigned, so that a negative position is outside too.
Value CpuLowering::isWithin(const Axis &axis, Value position) {
  return b.create<arith::CmpIOp>(arith::CmpIPredicate::ult, position, axis.extent);
}

CpuLowering::TileAccess CpuLowering::prepareAccess(Value view, ValueRange indices, ArrayRef<int64_t> sizes,
                                                   Type value) {
  FlatShape shape = isTile(value) ? flatShape(value) : FlatShape();
  auto type = cast<ViewType>(view.getType());
  const ViewValue &parameter = views.find(view)->second;
  TileAccess access;
  access.pointer = parameter.pointer;
  access.inside = b.create<arith::ConstantOp>(b.getBoolAttr(true));
  access.shape = shape;
  access.element = type.getElementType();
  AccessAxes axes = getAccessAxes(sizes, value);
  for (auto [number, index, size] : llvm::enumerate(indices, sizes)) {
    Axis axis{scalars.lookupOrNull(index), std::nullopt, extentOf(type, number), {}, size};
    if (number < parameter.strides.size())
      axis.stride = parameter.strides[number];
    if (auto it = positions.find(index); it != positions.end())
      axis.list = it->second.buffer;
    if (size > 1) {
      bool isRow = !shape.isVector() && llvm::is_contained(axes.rows, number);
      (isRow ? access.rows : access.columns).push_back(axis);
      continue;
    }
    access.inside = b.createOrFold<arith::AndIOp>(access.inside, isWithin(axis, axis.start));
    Value offset = toI64(axis.start);
    access.pointer = element(access.pointer, access.element, axis.stride ? mul(offset, axis.stride) : offset);
  }
  for (SmallVector<Axis, 2> *along : {&access.rows, &access.columns}) {
    int64_t repeat = 1;
    for (Axis &axis : llvm::reverse(*along)) {
      axis.repeat = repeat;
      axis.wraps = &axis != along->begin();
      repeat *= axis.size;
    }
  }
  access.contiguous = access.columns.size() == 1 && isContiguousAccess(indices, sizes);
  if (access.contiguous) {
    Value start = toI64(access.columns[0].start);
    Value end = add(start, i64(shape.columns));
    Value low = b.create<arith::CmpIOp>(arith::CmpIPredicate::sge, start, i64(0));
    Value high = b.create<arith::CmpIOp>(arith::CmpIPredicate::sle, end, toI64(access.columns[0].extent));
    access.fullColumns = b.create<arith::AndIOp>(low, high);
    // From here on column 0 is the tile's; elements before the view are never touched.
    access.pointer = element(access.pointer, access.element, start);
  }
  return access;
}

CpuLowering::RowAccess CpuLowering::rowOf(const TileAccess &access, Value row) {
  RowAccess result{access.pointer, access.inside, {}};
  for (const Axis &axis : access.rows)
    result.pointer = moveAlong(axis, positionOn(axis, row), access.element, result.pointer, result.valid);
  if (access.contiguous)
    result.extent = b.create<arith::SelectOp>(result.valid, access.columns[0].extent, i32(0));
  return result;
}

/// `pointer` moved to `position` of `axis`; `valid` is made to say whether that is within the view.
Value CpuLowering::moveAlong(const Axis &axis, Value position, Type elementType, Value pointer, Value &valid) {
  valid = b.createOrFold<arith::AndIOp>(valid, isWithin(axis, position));
  Value offset = toI64(position);
  return element(pointer, elementType, axis.stride ? mul(offset, axis.stride) : offset);
}

Value CpuLowering::maskOf(const TileAccess &access, const RowAccess &row, Value column) {
  Value first = positionOn(access.columns[0], column);
  Value positionsHere = b.create<arith::AddIOp>(splat(b, first, kWidth), laneNumbers(b));
  return b.create<arith::CmpIOp>(arith::CmpIPredicate::ult, positionsHere, splat(b, row.extent, kWidth));
}

std::pair<Value, Value> CpuLowering::elementOf(const TileAccess &access, Value row, Value column) {
  RowAccess line = rowOf(access, row);
  for (const Axis &axis : access.columns)
    line.pointer = moveAlong(axis, positionOn(axis, column), access.element, line.pointer, line.valid);
  return {line.pointer, line.valid};
}

void CpuLowering::chooseMasking(Value unmasked, llvm::function_ref<void(bool)> body) {
  auto choice = b.create<scf::IfOp>(unmasked, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(choice.thenBlock()->getTerminator());
  body(false);
  b.setInsertionPoint(choice.elseBlock()->getTerminator());
  body(true);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Loads
//===--------------------------------------------------------------------------------------------------------------===//

void CpuLowering::lowerLoad(LoadOp load) {
  TileAccess access = prepareAccess(load.getView(), load.getIndices(), load.getSizes(), load.getType());
  Value tile = load.getResult();
  if (placement.kind(tile) != Placement::Kind::Panel) {
    Buffer target = buffers[tile] = allocateFor(tile);
    access.contiguous ? loadRows(access, target) : loadElementwise(access, target);
    return;
  }
  auto transpose = dyn_cast<TransposeOp>(*tile.user_begin());
  auto dot = cast<DotOp>(transpose ? *transpose->user_begin() : *tile.user_begin());
  auto result = cast<RankedTensorType>(dot.getType());
  auto operand = cast<RankedTensorType>(dot.getB().getType());
  DotBlocking blocking = blockingOf(result.getDimSize(0), result.getDimSize(1));
  Buffer target = allocate({operand.getDimSize(0), operand.getDimSize(1)}, access.element, blocking.columns);
  buffers[tile] = target;
  transpose ? loadTransposed(access, target) : loadRows(access, target);
}

void CpuLowering::loadRows(const TileAccess &access, const Buffer &target) {
  repeat(access.shape.rows, 1, [&](Value row) {
    RowAccess line = rowOf(access, row);
    chooseMasking(b.create<arith::AndIOp>(line.valid, access.fullColumns), [&](bool masked) {
      repeat(access.shape.columns, kWidth, [&](Value column) {
        Value mask = masked ? maskOf(access, line, column) : Value();
        Value place = element(line.pointer, access.element, column);
        store(target, loadElements(b, access.element, place, kWidth, mask), row, column, kWidth);
      });
    });
  });
}

void CpuLowering::loadTransposed(const TileAccess &access, const Buffer &target) {
  repeat(access.shape.rows, kWidth, [&](Value firstRow) {
    SmallVector<RowAccess> lines;
    Value unmasked = access.fullColumns;
    for (int64_t i = 0; i < kWidth; ++i) {
      lines.push_back(rowOf(access, add(firstRow, i64(i))));
      unmasked = b.create<arith::AndIOp>(unmasked, lines.back().valid);
    }
    chooseMasking(unmasked, [&](bool masked) {
      repeat(access.shape.columns, kWidth, [&](Value column) {
        SmallVector<Value> block;
        for (const RowAccess &line : lines) {
          Value mask = masked ? maskOf(access, line, column) : Value();
          block.push_back(loadElements(b, access.element, element(line.pointer, access.element, column), kWidth, mask));
        }
        storeTransposed(block, target, firstRow, column);
      });
    });
  });
}

void CpuLowering::loadElementwise(const TileAccess &access, const Buffer &target) {
  repeat(access.shape.rows, 1, [&](Value row) {
    repeat(access.shape.columns, 1, [&](Value column) {
      auto [place, valid] = elementOf(access, row, column);
      chooseMasking(valid, [&, place = place](bool masked) {
        Value value = masked ? constantOf(b, b.getZeroAttr(registerType(access.element)), 0)
                             : loadElements(b, access.element, place, 0);
        store(target, value, row, column, 0);
      });
    });
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Stores
//===--------------------------------------------------------------------------------------------------------------===//

void CpuLowering::lowerStore(StoreOp storeOp) {
  Value tile = storeOp.getValue();
  TileAccess access = prepareAccess(storeOp.getView(), storeOp.getIndices(), storeOp.getSizes(), tile.getType());
  FlatShape shape = access.shape;
  if (!access.contiguous) {
    repeat(shape.rows, 1, [&](Value row) {
      repeat(shape.columns, 1, [&](Value column) {
        auto [place, valid] = elementOf(access, row, column);
        Value value = CellEvaluator(*this, row, column, 0).get(tile);
        auto guarded = b.create<scf::IfOp>(valid);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(guarded.thenBlock()->getTerminator());
        storeElements(b, access.element, value, place, 0);
      });
    });
    return;
  }
  repeat(shape.rows, 1, [&](Value row) {
    RowAccess line = rowOf(access, row);
    chooseMasking(b.create<arith::AndIOp>(line.valid, access.fullColumns), [&](bool masked) {
      repeat(shape.columns, kWidth, [&](Value column) {
        Value mask = masked ? maskOf(access, line, column) : Value();
        Value value = CellEvaluator(*this, row, column, kWidth).get(tile);
        storeElements(b, access.element, value, element(line.pointer, access.element, column), kWidth, mask);
      });
    });
  });
}

} // namespace lacuna::cpu
