// Views in global memory, read and written by the thread's own elements.
#include "KernelLowering.h"

using namespace mlir;

namespace lacuna {

using warp::AccLayout;
using warp::ColLayout;
using warp::RowLayout;

/// A tile of a view (a position below 0 is outside, as one past the end is: comparisons are unsigned): where it starts,
/// and the axes along its rows and its columns.
struct KernelLowering::Access {
  struct Axis {
    Value start;      // absolute position of the tile, i32
    Value limit;      // extent of the view, i32
    Value stride;     // i64; null: 1
    int64_t size = 0; // positions of the tile
  };
  Type element;
  Value base;                // pointer to the element at the tile's first position
  int64_t argument = 0;      // of the kernel
  SmallVector<Axis, 2> rows; // several: together, the last counting fastest
  Value columnStart, columnLimit, columnStride;
  std::optional<int64_t> columnExtent; // where it is known
};

KernelLowering::Access KernelLowering::makeAccess(Location loc, Value viewValue, ValueRange indices,
                                                  ArrayRef<int64_t> sizes, Type value) {
  auto type = cast<tile::ViewType>(viewValue.getType());
  Access access;
  access.element = type.getElementType();
  access.argument = cast<BlockArgument>(viewValue).getArgNumber();
  const View &view = arguments[access.argument].view;
  tile::AccessAxes axes = tile::getAccessAxes(sizes, value);
  Value offset = builder.create<arith::ConstantIntOp>(loc, 0, 64);
  for (auto [axis, index, size] : llvm::enumerate(indices, sizes)) {
    Value start = scalar(index);
    Value stride = axis + 1 < sizes.size() ? view.strides[axis] : Value();
    Value wide = i64(loc, start);
    offset = add(loc, offset, stride ? builder.create<arith::MulIOp>(loc, wide, stride).getResult() : wide);
    if (size == 0)
      continue;
    std::optional<int64_t> extent = type.getStaticExtent(axis);
    Value limit = extent ? i32(loc, *extent) : dims.lookup(type.getSymbol(axis));
    if (llvm::is_contained(axes.rows, axis)) {
      access.rows.push_back({start, limit, stride, size});
    } else {
      access.columnStart = start, access.columnLimit = limit, access.columnStride = stride;
      access.columnExtent = extent;
    }
  }
  access.base = builder.create<LLVM::GEPOp>(loc, view.pointer.getType(), access.element, view.pointer, offset);
  return access;
}

/// The positions of row `row` of the tile along its row axes, counted from where the tile starts.
Registers KernelLowering::rowPositions(Location loc, const Access &access, Value row) {
  Registers positions;
  for (const Access::Axis &axis : llvm::reverse(llvm::drop_begin(access.rows))) {
    Value size = i32(loc, axis.size);
    positions.push_back(builder.create<arith::RemUIOp>(loc, row, size));
    row = builder.create<arith::DivUIOp>(loc, row, size);
  }
  positions.push_back(row);
  std::reverse(positions.begin(), positions.end());
  return positions;
}

/// Whether row `row` (null: the first) lies inside the view.
Value KernelLowering::isRowInside(Location loc, const Access &access, Value row) {
  Registers positions = row ? rowPositions(loc, access, row) : Registers();
  Value inside;
  for (auto [number, axis] : llvm::enumerate(access.rows)) {
    Value position = row ? add(loc, axis.start, positions[number]) : axis.start;
    Value there = compare(loc, arith::CmpIPredicate::ult, position, axis.limit);
    inside = inside ? builder.create<arith::AndIOp>(loc, inside, there).getResult() : there;
  }
  return inside;
}

/// The element `row` rows and `column` columns (i32; null: 0) from the tile's first.
Value KernelLowering::elementPointer(Location loc, const Access &access, Value row, Value column) {
  Value pointer = access.base;
  auto move = [&](Value index, Value stride) {
    Value offset = i64(loc, index);
    if (stride)
      offset = builder.create<arith::MulIOp>(loc, offset, stride);
    pointer = builder.create<LLVM::GEPOp>(loc, pointer.getType(), access.element, pointer, offset);
  };
  if (row)
    for (auto [position, axis] : llvm::zip(rowPositions(loc, access, row), access.rows))
      move(position, axis.stride);
  if (column)
    move(column, access.columnStride);
  return pointer;
}

void KernelLowering::lowerLoad(warp::LoadGlobalOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Access access = makeAccess(loc, op.getView(), op.getIndices(), op.getSizes(), type);
  bool row = isa<warp::RowAttr>(type.getEncoding()), column = isa<warp::ColAttr>(type.getEncoding());
  int64_t count = row      ? RowLayout::registers()
                  : column ? ColLayout::registers(type.getDimSize(1))
                           : AccLayout::registers(type.getDimSize(1));
  Value ownRow = rowInTile(loc), ownColumn = columnInTile(loc);
  Value zero = builder.create<arith::ConstantOp>(loc, builder.getZeroAttr(access.element));
  Value viewPointer = arguments[access.argument].view.pointer;
  Registers result;
  for (int64_t reg = 0; reg < count; ++reg) {
    Value rowIndex, columnIndex;
    if (!access.rows.empty() && !column)
      rowIndex = add(loc, ownRow, 8 * (row ? reg : AccLayout::rowHalf(reg)));
    Value inside = isRowInside(loc, access, rowIndex);
    if (access.columnStart) {
      if (!row)
        columnIndex = add(loc, ownColumn, column ? ColLayout::columnBase(reg) : AccLayout::columnBase(reg));
      Value position = columnIndex ? add(loc, access.columnStart, columnIndex) : access.columnStart;
      Value there = compare(loc, arith::CmpIPredicate::ult, position, access.columnLimit);
      inside = inside ? builder.create<arith::AndIOp>(loc, inside, there).getResult() : there;
    }
    // What is not there is read from the view's first element, and dropped.
    Value pointer = elementPointer(loc, access, rowIndex, columnIndex);
    pointer = builder.create<LLVM::SelectOp>(loc, inside, pointer, viewPointer);
    Value loaded = builder.create<LLVM::LoadOp>(loc, access.element, pointer);
    result.push_back(builder.create<arith::SelectOp>(loc, inside, loaded, zero));
  }
  values[op.getResult()] = result;
}

void KernelLowering::storeWhere(Location loc, Value predicate, Value value, Value pointer) {
  auto guarded = builder.create<scf::IfOp>(loc, predicate, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(guarded.thenBlock());
  builder.create<LLVM::StoreOp>(loc, value, pointer);
}

/// The thread's elements of one row of an accumulator, two neighbours at once where they are known to lie together.
void KernelLowering::storeAccRow(Location loc, const Access &access, const Registers &registers, int64_t half,
                                 int64_t columns) {
  bool together = access.columnExtent && *access.columnExtent % 8 == 0 && !access.columnStride &&
                  warp::isMultipleOf(access.columnStart, 2);
  bool known = together && matchConstantZero(access.columnStart);
  Value own = columnInTile(loc);
  Value row = add(loc, rowInTile(loc), 8 * half);
  Value rowPointer = elementPointer(loc, access, row, own);
  int64_t bytes = access.element.getIntOrFloatBitWidth() / 8;
  if (together)
    arguments[access.argument].alignment = std::max(arguments[access.argument].alignment, 2 * bytes);
  for (int64_t group = 0; group < columns / 8; ++group) {
    int64_t column = 8 * group;
    if (known && column >= *access.columnExtent)
      break; // The tile's padding.
    Registers pair = {registers[4 * group + 2 * half], registers[4 * group + 2 * half + 1]};
    auto pointerAt = [&](int64_t offset) -> Value {
      if (access.columnStride)
        return elementPointer(loc, access, row, add(loc, own, offset));
      return builder.create<LLVM::GEPOp>(loc, rowPointer.getType(), access.element, rowPointer,
                                         ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    };
    auto inside = [&](int64_t offset) {
      return compare(loc, arith::CmpIPredicate::ult, add(loc, add(loc, access.columnStart, own), offset),
                     access.columnLimit);
    };
    if (together) {
      Value vector = builder.create<LLVM::UndefOp>(loc, VectorType::get(2, access.element));
      for (int64_t k : {0, 1})
        vector = builder.create<LLVM::InsertElementOp>(loc, vector, pair[k], i32(loc, k));
      if (known)
        builder.create<LLVM::StoreOp>(loc, vector, pointerAt(column), /*alignment=*/2 * bytes);
      else
        storeWhere(loc, inside(column), vector, pointerAt(column));
    } else {
      for (int64_t k : {0, 1})
        storeWhere(loc, inside(column + k), pair[k], pointerAt(column + k));
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rows of 16-bit elements, 16 bytes a lane. As it computes, a lane holds 2 of every 8 columns: a store instruction
// would write 16 bytes of each of eight rows. The four lanes of a row exchange their words first, so that each has 8
// columns of its own, and the instruction writes 64 bytes of each row.
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr int64_t kQuad = 4, kWideColumns = 8, kWideBytes = 16;

bool KernelLowering::storesWide(const Access &access) {
  bool wide = access.element.getIntOrFloatBitWidth() == 16 && access.columnExtent &&
              *access.columnExtent % kWideColumns == 0 && !access.columnStride && !access.rows.empty() &&
              warp::isMultipleOf(access.columnStart, kWideColumns);
  if (wide)
    arguments[access.argument].alignment = std::max(arguments[access.argument].alignment, kWideBytes);
  return wide;
}

/// One half's words of an accumulator's rows, after the exchange: words 4s to 4s + 3 are columns 8 (4s + q) to 8 (4s +
/// q) + 7 for the lane q of a quad. All lanes take part, whether their row is inside the view or not.
Registers KernelLowering::gatherRow(Location loc, const Registers &registers, int64_t half) {
  Type word = builder.getI32Type();
  auto pair = VectorType::get(2, registers[0].getType());
  Registers words;
  for (size_t group = 0; group < registers.size() / 4; ++group) {
    Value vector = builder.create<LLVM::UndefOp>(loc, pair);
    for (int64_t k : {0, 1})
      vector = builder.create<LLVM::InsertElementOp>(loc, vector, registers[4 * group + 2 * half + k], i32(loc, k));
    words.push_back(builder.create<LLVM::BitcastOp>(loc, word, vector));
  }
  while (words.size() % kQuad != 0)
    words.push_back(i32(loc, 0));
  auto bit = [&](int64_t mask) {
    return compare(loc, arith::CmpIPredicate::ne, builder.create<arith::AndIOp>(loc, lane, i32(loc, mask)),
                   i32(loc, 0));
  };
  Value odd = bit(1), upper = bit(2);
  auto choose = [&](Value condition, Value yes, Value no) -> Value {
    return builder.create<arith::SelectOp>(loc, condition, yes, no);
  };
  // Of two words a lane keeps the one that its bit names and trades the other with its neighbour; the pair is in lane
  // order.
  auto trade = [&](Value bit, int64_t mask, Value low, Value high) {
    Value received = ptx.shuffleXorInt(loc, choose(bit, low, high), mask), kept = choose(bit, high, low);
    return std::pair(choose(bit, received, kept), choose(bit, kept, received));
  };
  Registers gathered;
  for (size_t at = 0; at < words.size(); at += kQuad) {
    auto [a0, a1] = trade(odd, 1, words[at], words[at + 1]);
    auto [b0, b1] = trade(odd, 1, words[at + 2], words[at + 3]);
    auto [c0, c2] = trade(upper, 2, a0, b0);
    auto [c1, c3] = trade(upper, 2, a1, b1);
    gathered.append({c0, c1, c2, c3});
  }
  return gathered;
}

/// Writes what gatherRow gave, for a row that lies inside the view.
void KernelLowering::storeWideRow(Location loc, const Access &access, const Registers &words, int64_t half,
                                  int64_t columns) {
  bool known = matchConstantZero(access.columnStart);
  Value quadLane = builder.create<arith::AndIOp>(loc, lane, i32(loc, kQuad - 1));
  Value own = mul(loc, quadLane, kWideColumns);
  Value pointer = elementPointer(loc, access, add(loc, rowInTile(loc), 8 * half), own);
  auto type = VectorType::get(kQuad, builder.getI32Type());
  constexpr int64_t kSet = kQuad * kWideColumns; // columns that a quad writes at once
  for (int64_t column = 0; column < columns; column += kSet) {
    if (known && column >= *access.columnExtent)
      break; // The tile's padding.
    Value vector = builder.create<LLVM::UndefOp>(loc, type);
    for (int64_t k = 0; k < kQuad; ++k)
      vector = builder.create<LLVM::InsertElementOp>(loc, vector, words[column / kWideColumns + k], i32(loc, k));
    Value address = builder.create<LLVM::GEPOp>(loc, pointer.getType(), access.element, pointer,
                                                ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(column)});
    if (known && column + kSet <= std::min(columns, *access.columnExtent)) {
      builder.create<LLVM::StoreOp>(loc, vector, address, /*alignment=*/kWideBytes);
      continue;
    }
    Value first = add(loc, own, column);
    Value inside = compare(loc, arith::CmpIPredicate::ult, add(loc, access.columnStart, first), access.columnLimit);
    if (column + kSet > columns) // Past the tile.
      inside =
          builder.create<arith::AndIOp>(loc, inside, compare(loc, arith::CmpIPredicate::ult, first, i32(loc, columns)));
    storeWhere(loc, inside, vector, address);
  }
}

bool KernelLowering::matchConstantZero(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantIntOp>();
  return constant && constant.value() == 0;
}

void KernelLowering::lowerStore(warp::StoreGlobalOp op) {
  Location loc = op.getLoc();
  Type type = op.getValue().getType();
  Access access = makeAccess(loc, op.getView(), op.getIndices(), op.getSizes(), type);
  const Registers registers = values[op.getValue()];
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto lanesEqual = [&](Value value, int64_t to) {
    return compare(loc, arith::CmpIPredicate::eq, value, i32(loc, to));
  };
  if (!tensor || isa<warp::ColAttr>(tensor.getEncoding())) {
    // The same everywhere: the first warp of the first warpgroup writes it.
    Value firstWarp = lanesEqual(add(loc, mul(loc, consumer, 4), warpInGroup), 0);
    Value quad = builder.create<arith::ShRUIOp>(loc, lane, i32(loc, 2));
    Value mine = builder.create<arith::AndIOp>(loc, firstWarp, lanesEqual(tensor ? quad : lane, 0));
    for (auto [reg, value] : llvm::enumerate(registers)) {
      Value predicate = mine, column;
      if (tensor) {
        column = add(loc, columnInTile(loc), ColLayout::columnBase(reg));
        Value inside =
            compare(loc, arith::CmpIPredicate::ult, add(loc, access.columnStart, column), access.columnLimit);
        predicate = builder.create<arith::AndIOp>(loc, mine, inside);
        if (!access.rows.empty()) // One row of several.
          predicate = builder.create<arith::AndIOp>(loc, predicate, isRowInside(loc, access, {}));
      }
      storeWhere(loc, predicate, value, elementPointer(loc, access, {}, column));
    }
    return;
  }
  bool row = isa<warp::RowAttr>(tensor.getEncoding());
  std::array<Registers, 2> wide; // by half, where rows are written 16 bytes at a time
  if (!row && storesWide(access))
    for (int64_t half = 0; half < 2; ++half)
      wide[half] = gatherRow(loc, registers, half);
  for (int64_t half = 0; half < 2; ++half) {
    Value own = add(loc, rowInTile(loc), 8 * half);
    Value inside = isRowInside(loc, access, own);
    if (row) { // One lane of the quad that shares the row.
      Value first = lanesEqual(columnInTile(loc), 0);
      if (access.columnStart) // One column of several.
        inside = builder.create<arith::AndIOp>(
            loc, inside, compare(loc, arith::CmpIPredicate::ult, access.columnStart, access.columnLimit));
      storeWhere(loc, builder.create<arith::AndIOp>(loc, inside, first), registers[half],
                 elementPointer(loc, access, own, {}));
      continue;
    }
    auto guarded = builder.create<scf::IfOp>(loc, inside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(guarded.thenBlock());
    if (wide[half].empty())
      storeAccRow(loc, access, registers, half, tensor.getDimSize(1));
    else
      storeWideRow(loc, access, wide[half], half, tensor.getDimSize(1));
  }
}

} // namespace lacuna
