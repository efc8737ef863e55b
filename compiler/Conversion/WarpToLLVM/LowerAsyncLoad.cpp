// Copies into slots by the threads of the producer's warp (cp.async), where the machine has no copy engine.
#include "KernelLowering.h"

using namespace mlir;

namespace lacuna {

using warp::LaneCopy;

/// What a warp.async_load reads: the same in every trip of its loop over rows.
struct KernelLowering::AsyncSource {
  struct Axis {
    Value start, limit, stride; // i32, i32, i64 in elements
  };
  Axis outer, row;            // outer: only where both axes make the rows
  int64_t rows = 0;           // positions along the row axis
  Value base;                 // the element at the part's first position, for this lane's 16 bytes
  Value inside;               // whether the axes that are no rows or columns are inside the view
  SmallVector<Value> bytes;   // i32, by box: of this lane's 16 bytes, those that the view has
  SmallVector<Value> applies; // by box; null: every lane copies
};

/// Where the lane's 16 bytes of each box end: at the view's end, and (in a last, part-filled box) at the tile's.
void KernelLowering::planBoxes(warp::AsyncLoadOp load, Value start, Value limit, AsyncSource &source) {
  Location loc = load.getLoc();
  constexpr int64_t kUnit = LaneCopy::kUnitColumns;
  warp::SlotCopy copy = load;
  std::optional<int64_t> extent = load.getView().getType().getStaticExtent(load.getIndices().size() - 1);
  auto columns = static_cast<int64_t>(load.getColumns());
  Value unit = builder.create<arith::AndIOp>(loc, lane, i32(loc, warp::kChunkColumns / kUnit - 1));
  Value own = mul(loc, unit, kUnit);
  for (int64_t box = 0; box < copy.getBoxes(); ++box) {
    int64_t first = box * warp::kChunkColumns, past = std::min(columns - first, warp::kChunkColumns);
    Value whole = past == warp::kChunkColumns ? Value() : compare(loc, arith::CmpIPredicate::ult, own, i32(loc, past));
    source.applies.push_back(whole);
    if (extent && *extent % kUnit == 0 && matchConstantZero(start) && first + past <= *extent) {
      source.bytes.push_back(i32(loc, LaneCopy::kUnitBytes));
      continue;
    }
    Value position = add(loc, add(loc, start, own), first);
    Value left = builder.create<arith::SubIOp>(loc, limit, position);
    Value some = builder.create<arith::MinSIOp>(loc, left, i32(loc, kUnit));
    // Unsigned: a position below 0 is outside, as one past the end is.
    Value inside = compare(loc, arith::CmpIPredicate::ult, position, limit);
    source.bytes.push_back(builder.create<arith::SelectOp>(loc, inside, mul(loc, some, 2), i32(loc, 0)));
  }
}

KernelLowering::AsyncSource KernelLowering::planAsyncLoad(warp::AsyncLoadOp load) {
  Location loc = load.getLoc();
  tile::ViewType type = load.getView().getType();
  unsigned argument = cast<BlockArgument>(load.getView()).getArgNumber();
  arguments[argument].alignment = std::max(arguments[argument].alignment, LaneCopy::kUnitBytes);
  const View &view = arguments[argument].view;
  AsyncSource source;
  source.rows = static_cast<int64_t>(load.getRows());
  auto rowAxis = static_cast<int64_t>(load.getRowAxis()), columnAxis = type.getRank() - 1;
  bool hasOuter = load.getOuterRows() > 1;
  Value offset = builder.create<arith::ConstantIntOp>(loc, 0, 64);
  for (auto [number, index] : llvm::enumerate(load.getIndices())) {
    auto axis = static_cast<int64_t>(number);
    Value start = scalar(index);
    std::optional<int64_t> extent = type.getStaticExtent(axis);
    Value limit = extent ? i32(loc, *extent) : dims.lookup(type.getSymbol(axis));
    Value stride = axis == columnAxis ? Value() : view.strides[axis];
    Value wide = i64(loc, start);
    offset = add(loc, offset, stride ? builder.create<arith::MulIOp>(loc, wide, stride).getResult() : wide);
    if (axis == columnAxis) {
      planBoxes(load, start, limit, source);
    } else if (axis == rowAxis) {
      source.row = {start, limit, stride};
    } else if (hasOuter && axis == rowAxis - 1) {
      source.outer = {start, limit, stride};
    } else {
      Value there = compare(loc, arith::CmpIPredicate::ult, start, limit);
      source.inside = source.inside ? builder.create<arith::AndIOp>(loc, source.inside, there).getResult() : there;
    }
  }
  Value unit = builder.create<arith::AndIOp>(loc, lane, i32(loc, warp::kChunkColumns / LaneCopy::kUnitColumns - 1));
  offset = add(loc, offset, i64(loc, mul(loc, unit, LaneCopy::kUnitColumns)));
  source.base = builder.create<LLVM::GEPOp>(loc, view.pointer.getType(), type.getElementType(), view.pointer, offset);
  return source;
}

/// One row of each box: `row` counts from the part's first, `at` are the lane's places in the slot, before the round's
/// and the box's offset.
void KernelLowering::copyRow(warp::AsyncLoadOp load, const AsyncSource &source, Value row, Value at, int64_t offset,
                             int64_t chunkBytes) {
  Location loc = load.getLoc();
  Type element = load.getView().getType().getElementType();
  Value pointer = source.base, inside = source.inside, along = row;
  auto move = [&](const AsyncSource::Axis &axis, Value steps) {
    Value there = compare(loc, arith::CmpIPredicate::ult, add(loc, axis.start, steps), axis.limit);
    inside = inside ? builder.create<arith::AndIOp>(loc, inside, there).getResult() : there;
    Value offset = builder.create<arith::MulIOp>(loc, i64(loc, steps), axis.stride);
    pointer = builder.create<LLVM::GEPOp>(loc, pointer.getType(), element, pointer, offset);
  };
  if (source.outer.start) {
    Value rows = i32(loc, source.rows);
    move(source.outer, builder.create<arith::DivUIOp>(loc, row, rows));
    along = builder.create<arith::RemUIOp>(loc, row, rows);
  }
  move(source.row, along);
  for (auto [box, bytes, applies] : llvm::enumerate(source.bytes, source.applies)) {
    auto columns = static_cast<int64_t>(box) * warp::kChunkColumns;
    Value from = builder.create<LLVM::GEPOp>(loc, pointer.getType(), element, pointer,
                                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(columns)});
    Value there = builder.create<arith::SelectOp>(loc, inside, bytes, i32(loc, 0));
    ptx.copyAsync(loc, at, offset + static_cast<int64_t>(box) * chunkBytes, from, there, applies);
  }
}

/// The warp copies four rows of each box at a time, 16 bytes a lane; what lies past the view arrives as zeros.
void KernelLowering::lowerAsyncLoad(warp::AsyncLoadOp load, const Slot &slot) {
  Location loc = load.getLoc();
  AsyncSource source = planAsyncLoad(load);
  int64_t chunkBytes = slot.type.getRows() * warp::kChunkRowBytes;
  int64_t corner = static_cast<int64_t>(load.getSlotColumn()) / warp::kChunkColumns * chunkBytes +
                   static_cast<int64_t>(load.getSlotRow()) * warp::kChunkRowBytes;
  // LaneCopy::laneOffset, computed by the lane.
  Value ownRow = builder.create<arith::ShRUIOp>(loc, lane, i32(loc, 3));
  Value unit = builder.create<arith::AndIOp>(loc, builder.create<arith::XOrIOp>(loc, lane, ownRow), i32(loc, 7));
  Value place = add(loc, mul(loc, ownRow, warp::kChunkRowBytes), mul(loc, unit, LaneCopy::kUnitBytes));
  Value at = add(loc, add(loc, slot.address, corner), place);

  auto copyBlock = [&](Value block) { // of 16 rows
    Value first = add(loc, ownRow, mul(loc, block, LaneCopy::kBlockRows));
    Value there = add(loc, at, mul(loc, block, LaneCopy::kBlockRows * warp::kChunkRowBytes));
    for (int64_t round = 0; round < LaneCopy::kBlockRows / LaneCopy::kRoundRows; ++round) {
      Value flipped = there;
      if (int64_t flip = LaneCopy::flip(round))
        flipped = builder.create<arith::XOrIOp>(loc, there, i32(loc, flip));
      copyRow(load, source, add(loc, first, round * LaneCopy::kRoundRows), flipped, LaneCopy::offset(round),
              chunkBytes);
    }
  };
  int64_t blocks = warp::SlotCopy(load).getSlotRows() / LaneCopy::kBlockRows;
  if (blocks == 1)
    return copyBlock(i32(loc, 0));
  auto loop = builder.create<scf::ForOp>(loc, i32(loc, 0), i32(loc, blocks), i32(loc, 1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  copyBlock(loop.getInductionVar());
}

/// The copies of a thread must land before it leaves.
void KernelLowering::finishCopies(warp::RoleOp role) {
  if (role.walk([](warp::AsyncLoadOp) { return WalkResult::interrupt(); }).wasInterrupted())
    ptx.waitCopies(role.getLoc());
}

} // namespace lacuna
