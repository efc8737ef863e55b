// tile.for_blocks: the steps of one row of a block list.
//
// A row lists blocks first[0..count): those before `split` are partial, the rest full. A step covers either a part of
// one block (block >= step) or several blocks of one kind (block < step; the last step of a kind may have too few, and
// its remaining positions are the limit). Every step writes its positions to a small buffer: gathered loads,
// key_positions and padding then need no cases.
#include "BandRuns.h"
#include "CpuLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

/// A row's entries, as i64: [begin, split) partial, [split, end) full; how many steps the partial ones take. The blocks
/// of the entries lie in memory at `indices` (which is then given), or follow from `runs`.
struct ListRow {
  Value indices, begin, split, end, partialSteps, steps;
  SmallVector<EntryRun> runs;
};

/// Reads the bounds of a row, empty past the list's end.
static ListRow readRow(ImplicitLocOpBuilder &b, const BlocksValue &list, Value batch, Value head, Value row,
                       llvm::function_ref<Value(Value, Type, Value)> element) {
  Type i32Type = b.getI32Type(), i64Type = b.getI64Type();
  auto widen = [&](Value value) -> Value { return b.create<arith::ExtSIOp>(i64Type, value); };
  Value zero = b.create<arith::ConstantOp>(b.getI64IntegerAttr(0)),
        one = b.create<arith::ConstantOp>(b.getI64IntegerAttr(1));
  Value exists = b.create<arith::CmpIOp>(arith::CmpIPredicate::ult, row, list.rowBlocks);
  auto bounds = b.create<scf::IfOp>(TypeRange{i64Type, i64Type, i64Type}, exists, true, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(bounds.thenBlock());
    Value batchOffset = b.create<arith::MulIOp>(widen(batch), list.batchStride);
    Value headOffset = b.create<arith::MulIOp>(widen(head), list.headStride);
    Value index = b.create<arith::AddIOp>(b.create<arith::AddIOp>(batchOffset, headOffset), widen(row));
    auto read = [&](Value array, Value at) {
      return widen(b.create<LLVM::LoadOp>(i32Type, element(array, i32Type, at)));
    };
    Value begin = read(list.indptr, index), split = read(list.split, index);
    Value end = read(list.indptr, b.create<arith::AddIOp>(index, one));
    b.create<scf::YieldOp>(ValueRange{begin, split, end});
    b.setInsertionPointToStart(bounds.elseBlock());
    b.create<scf::YieldOp>(ValueRange{zero, zero, zero});
  }
  return {list.indices, bounds.getResult(0), bounds.getResult(1), bounds.getResult(2), {}, {}, {}};
}

/// The row that bands say.
static ListRow rowOfBands(ImplicitLocOpBuilder &b, ArrayRef<Value> bounds, int64_t keyBlock, Value limit) {
  BandRuns bands = emitBandRuns(b, b.getLoc(), bandsOf(bounds), keyBlock, limit);
  auto widen = [&](Value value) -> Value { return b.create<arith::ExtSIOp>(b.getI64Type(), value); };
  Value zero = b.create<arith::ConstantOp>(b.getI64IntegerAttr(0));
  return {{}, zero, widen(bands.partialBlocks), widen(bands.blocks), {}, {}, bands.runs};
}

/// Writes the positions of one step, see the top of the file.
PositionsValue CpuLowering::emitPositions(ForBlocksOp loop, Value step, const ListRow &row) {
  const int64_t extent = loop.getStep(), keyBlock = loop.getKeyBlock();
  const int64_t blocksPerStep = loop.getBlocksPerStep(), stepsPerBlock = loop.getStepsPerBlock();
  Value isPartial = b.create<arith::CmpIOp>(arith::CmpIPredicate::slt, step, row.partialSteps);
  PositionsValue result{allocate({1, extent}, b.getI32Type()), {}, isPartial};
  auto readBlock = [&](Value entry) -> Value {
    Value block;
    if (row.indices)
      block = b.create<LLVM::LoadOp>(b.getI32Type(), element(row.indices, b.getI32Type(), entry));
    else
      block = emitBlockOf(b, b.getLoc(), row.runs, b.create<arith::TruncIOp>(b.getI32Type(), entry));
    return mul(block, i32(static_cast<int32_t>(keyBlock)));
  };
  auto writeRun = [&](Value first, Value from, int64_t length, Value stride) {
    repeat(length, kWidth, [&](Value index) {
      Value lane =
          b.create<arith::AddIOp>(splat(b, b.create<arith::TruncIOp>(b.getI32Type(), index), kWidth), laneNumbers(b));
      Value run = b.create<arith::MulIOp>(lane, splat(b, stride, kWidth));
      store(result.buffer, b.create<arith::AddIOp>(splat(b, first, kWidth), run), i64(0), add(from, index), kWidth);
    });
  };
  if (blocksPerStep == 1) {
    Value within = b.createOrFold<arith::RemSIOp>(step, i64(stepsPerBlock));
    Value entry = add(row.begin, b.createOrFold<arith::DivSIOp>(step, i64(stepsPerBlock)));
    Value offset = b.create<arith::TruncIOp>(b.getI32Type(), mul(within, i64(extent)));
    Value first = add(readBlock(entry), offset);
    writeRun(first, i64(0), extent, i32(1));
    result.last = add(first, i32(static_cast<int32_t>(extent - 1)));
    return result;
  }
  // Several blocks: counted from the start of their kind.
  Value kindStep = b.create<arith::SubIOp>(step, b.create<arith::SelectOp>(isPartial, i64(0), row.partialSteps));
  Value kindBegin = b.create<arith::SelectOp>(isPartial, row.begin, row.split);
  Value kindEnd = b.create<arith::SelectOp>(isPartial, row.split, row.end);
  Value firstEntry = add(kindBegin, mul(kindStep, i64(blocksPerStep)));
  repeat(blocksPerStep, 1, [&](Value number) {
    Value entry = add(firstEntry, number);
    Value exists = b.create<arith::CmpIOp>(arith::CmpIPredicate::slt, entry, kindEnd);
    auto run = b.create<scf::IfOp>(TypeRange{b.getI32Type(), b.getI32Type()}, exists, true, true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(run.thenBlock());
      Value first = readBlock(entry);
      b.create<scf::YieldOp>(ValueRange{first, i32(1)});
      b.setInsertionPointToStart(run.elseBlock());
      b.create<scf::YieldOp>(ValueRange{scalar(loop.getLimit()), i32(0)});
    }
    writeRun(run.getResult(0), mul(number, i64(keyBlock)), keyBlock, run.getResult(1));
  });
  return result;
}

void CpuLowering::lowerForBlocks(ForBlocksOp loop) {
  auto scalars = [&](ValueRange values) { return llvm::map_to_vector(values, [&](Value v) { return scalar(v); }); };
  ListRow row;
  if (BandsOp bands = loop.getBands()) {
    row = rowOfBands(b, scalars(bands.getBounds()), loop.getKeyBlock(), scalar(loop.getLimit()));
  } else {
    SmallVector<Value> place = scalars(loop.getPlace());
    row = readRow(b, lists.find(loop.getBlocks())->second, place[0], place[1], place[2],
                  [&](Value pointer, Type type, Value index) { return element(pointer, type, index); });
  }
  auto stepsOf = [&](Value begin, Value end) -> Value {
    Value count = b.create<arith::SubIOp>(end, begin);
    if (loop.getBlocksPerStep() == 1)
      return mul(count, i64(loop.getStepsPerBlock()));
    return b.create<arith::DivUIOp>(add(count, i64(loop.getBlocksPerStep() - 1)), i64(loop.getBlocksPerStep()));
  };
  row.partialSteps = stepsOf(row.begin, row.split);
  row.steps = add(row.partialSteps, stepsOf(row.split, row.end));

  Buffer step;
  auto enter = [&](Value number) {
    PositionsValue value = emitPositions(loop, number, row);
    positions[loop.getPositions()] = value;
    step = value.buffer;
  };
  lowerLoop(loop.getBody().front(), loop.getInits(), loop.getResults(), i64(0), row.steps, i64(1), enter,
            [&] { release(step); });
}

Value CpuLowering::lowerExceeds(ExceedsOp exceeds) {
  const PositionsValue &value = positions.find(exceeds.getPositions())->second;
  Value limit = scalar(exceeds.getLimit()), last = value.last;
  if (!last) {
    Value smallest = constantOf(b, b.getI32IntegerAttr(std::numeric_limits<int32_t>::min()), kWidth);
    Value largest = repeat(value.buffer.shape.columns, kWidth, smallest, [&](Value column, ValueRange running) {
      Value here = load(value.buffer, i64(0), column, kWidth);
      return SmallVector<Value>{b.create<arith::MaxSIOp>(here, running[0])};
    })[0];
    last = b.create<vector::ReductionOp>(vector::CombiningKind::MAXSI, largest);
  }
  return b.create<arith::CmpIOp>(arith::CmpIPredicate::sge, last, limit);
}

} // namespace lacuna::cpu
