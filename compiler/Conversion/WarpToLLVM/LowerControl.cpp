// Blocks, loops, conditions and block lists.
#include "KernelLowering.h"

#include "lacuna/Compiler/Conversion/WarpToLLVM.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna {

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      break;
    if (failed(lowerOp(&op)))
      return failure();
  }
  return success();
}

LogicalResult KernelLowering::lowerOp(Operation *op) {
  Location loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ForOp op) { return lowerFor(op); })
      .Case([&](scf::IfOp op) { return lowerIf(op); })
      .Case([&](warp::RolesOp op) { return lowerRoles(op, {}); })
      .Case([&](warp::ForTilesOp op) { return lowerRoles(op.getRoles(), op); })
      .Case<warp::RingCreateOp, warp::SmemCreateOp>([&](auto) { return success(); }) // planSharedMemory
      .Case([&](warp::WgmmaWaitOp op) { return lowerWgmmaWait(op); })
      .Case([&](arith::ConstantOp op) { return lowerConstant(op), success(); })
      .Case([&](tile::ProgramIdOp op) {
        Type type = builder.getI32Type();
        values[op] = {op.getAxis() == 0   ? builder.create<NVVM::BlockIdXOp>(loc, type).getResult()
                      : op.getAxis() == 1 ? builder.create<NVVM::BlockIdYOp>(loc, type).getResult()
                                          : builder.create<NVVM::BlockIdZOp>(loc, type).getResult()};
        return success();
      })
      .Case([&](tile::DimOp op) { return values[op] = {dims.lookup(op.getName())}, success(); })
      .Case([&](warp::WarpgroupOp op) { return values[op] = {consumer}, success(); })
      .Case([&](warp::ListOpenOp op) { return lowerListOpen(op), success(); })
      .Case([&](warp::ListBandsOp op) { return lowerListBands(op), success(); })
      .Case([&](warp::ListCountOp op) { return values[op] = {lists[op.getList()].count}, success(); })
      .Case([&](warp::ListMaskedOp op) { return values[op] = {lists[op.getList()].masked}, success(); })
      .Case([&](warp::ListPaddedOp op) { return lowerListPadded(op), success(); })
      .Case([&](warp::ListStepOp op) { return lowerListStep(op), success(); })
      .Case([&](warp::RingAcquireOp op) { return lowerAcquire(op), success(); })
      .Case([&](warp::RingFillOp op) { return lowerFill(op), success(); })
      .Case([&](warp::RingWaitOp op) { return lowerWait(op), success(); })
      .Case([&](warp::RingReleaseOp op) { return lowerRelease(op), success(); })
      .Case([&](warp::WgmmaSsOp op) {
        lowerWgmma(op, op.getA(), true, op.getTransA(), op.getB(), op.getTransB(), op.getAcc());
        return success();
      })
      .Case([&](warp::WgmmaRsOp op) {
        lowerWgmma(op, op.getA(), false, false, op.getB(), op.getTransB(), op.getAcc());
        return success();
      })
      .Case([&](warp::MmaSyncOp op) { return lowerMma(op), success(); })
      .Case([&](warp::WgmmaCommitOp) { return ptx.wgmmaCommit(loc), success(); })
      .Case([&](warp::PackAFragOp op) { return lowerPack(op), success(); })
      .Case([&](warp::BroadcastOp op) { return lowerBroadcast(op), success(); })
      .Case([&](warp::ScaleRowsOp op) { return lowerScaleRows(op), success(); })
      .Case([&](warp::RowReduceOp op) { return lowerRowReduce(op), success(); })
      .Case([&](warp::QuadReduceOp op) { return lowerQuadReduce(op), success(); })
      .Case([&](warp::BlockReduceOp op) { return lowerBlockReduce(op), success(); })
      .Case([&](warp::IotaOp op) { return lowerIota(op), success(); })
      .Case([&](warp::PositionsOp op) { return lowerPositions(op), success(); })
      .Case([&](warp::LoadGlobalOp op) { return lowerLoad(op), success(); })
      .Case([&](warp::StoreGlobalOp op) { return lowerStore(op), success(); })
      .Case([&](warp::StoreSharedOp op) { return lowerStoreShared(op), success(); })
      .Case([&](warp::TmaStoreOp op) { return lowerTmaStore(op), success(); })
      .Case([&](warp::TmaStoreWaitOp) { return ptx.waitStores(loc), success(); })
      .Case([&](warp::WarpgroupSyncOp) { return lowerWarpgroupSync(loc), success(); })
      .Case([&](warp::NamedBarrierSyncOp op) {
        return ptx.namedBarrierSync(loc, op.getId(), op.getThreads()), success();
      })
      .Case([&](warp::NamedBarrierArriveOp op) {
        return ptx.namedBarrierArrive(loc, op.getId(), op.getThreads()), success();
      })
      .Case([&](warp::TurnWaitOp) { return lowerTurnWait(loc), success(); })
      .Case([&](warp::TurnPassOp) { return lowerTurnPass(loc), success(); })
      .Case([&](warp::FenceAsyncOp) { return ptx.fenceAsync(loc), success(); })
      .Case([&](arith::TruncFOp op) { return lowerTruncation(op), success(); })
      .Default([&](Operation *op) { return lowerElementwise(op); });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Loops and conditions: every carried tile becomes its registers
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::assign(ValueRange originals, ValueRange registers) {
  for (Value original : originals) {
    int64_t count = registerCount(original.getType());
    values[original] = Registers(registers.take_front(count));
    registers = registers.drop_front(count);
  }
}

/// The largest value of a tile.dim.
static constexpr int64_t kMostOfDim = (int64_t(1) << 31) - 4096;

/// Whether the first value that is not below the upper bound may be more than an i32 holds.
static bool mayOverflow(scf::ForOp loop) {
  APInt step, upper;
  if (!matchPattern(loop.getStep(), m_ConstantInt(&step)))
    return true;
  if (step.isOne())
    return false;
  int64_t most = std::numeric_limits<int32_t>::max();
  if (loop.getUpperBound().getDefiningOp<tile::DimOp>())
    most = kMostOfDim;
  else if (matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)))
    most = upper.getSExtValue();
  return most - 1 + step.getSExtValue() > std::numeric_limits<int32_t>::max();
}

LogicalResult KernelLowering::lowerFor(scf::ForOp loop) {
  Location loc = loop.getLoc();
  SmallVector<Value> inits;
  for (Value init : loop.getInitArgs())
    llvm::append_range(inits, values[init]);
  const bool wide = mayOverflow(loop);
  auto bound = [&](Value value) { return wide ? i64(loc, scalar(value)) : scalar(value); };
  auto lowered = builder.create<scf::ForOp>(loc, bound(loop.getLowerBound()), bound(loop.getUpperBound()),
                                            bound(loop.getStep()), inits);
  assign(loop.getRegionIterArgs(), lowered.getRegionIterArgs());
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(lowered.getBody());
    Value counter = lowered.getInductionVar();
    values[loop.getInductionVar()] = {
        wide ? builder.create<arith::TruncIOp>(loc, builder.getI32Type(), counter).getResult() : counter};
    if (loop == mailboxLoop)
      returnMailbox(loc, isLateStep(lowered));
    if (failed(lowerBlock(*loop.getBody())))
      return failure();
    SmallVector<Value> yielded;
    for (Value value : loop.getYieldedValues())
      llvm::append_range(yielded, values[value]);
    if (!inits.empty())
      builder.create<scf::YieldOp>(loc, yielded);
  }
  if (loop == mailboxLoop)
    returnMailbox(loc, compare(loc, arith::CmpIPredicate::sle, lowered.getUpperBound(), lowered.getLowerBound()));
  assign(loop.getResults(), lowered.getResults());
  return success();
}

LogicalResult KernelLowering::lowerIf(scf::IfOp op) {
  Location loc = op.getLoc();
  SmallVector<Type> types;
  for (Value value : op.thenYield().getOperands()) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    types.append(registerCount(value.getType()), tensor ? tensor.getElementType() : value.getType());
  }
  auto lowered = builder.create<scf::IfOp>(loc, types, scalar(op.getCondition()), /*addThenBlock=*/true,
                                           /*addElseBlock=*/op.elseBlock() != nullptr);
  for (auto [from, to] :
       {std::pair(op.thenBlock(), lowered.thenBlock()), std::pair(op.elseBlock(), lowered.elseBlock())}) {
    if (!from)
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(to);
    if (failed(lowerBlock(*from)))
      return failure();
    SmallVector<Value> yielded;
    for (Value value : from->getTerminator()->getOperands())
      llvm::append_range(yielded, values[value]);
    builder.create<scf::YieldOp>(loc, yielded);
  }
  assign(op.getResults(), lowered.getResults());
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Block lists
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::lowerListOpen(warp::ListOpenOp op) {
  Location loc = op.getLoc();
  const Blocks &blocks = arguments[cast<BlockArgument>(op.getBlocks()).getArgNumber()].blocks;
  Value row = scalar(op.getRow());
  Value inside = compare(loc, arith::CmpIPredicate::ult, row, blocks.rowBlocks);
  auto product = [&](Value index, Value stride) -> Value {
    return builder.create<arith::MulIOp>(loc, i64(loc, index), stride);
  };
  Value index = add(
      loc,
      add(loc, product(scalar(op.getBatch()), blocks.batchStride), product(scalar(op.getHead()), blocks.headStride)),
      i64(loc, row));
  Value zero64 = builder.create<arith::ConstantIntOp>(loc, 0, 64),
        one64 = builder.create<arith::ConstantIntOp>(loc, 1, 64);
  index = builder.create<arith::SelectOp>(loc, inside, index, zero64);
  Value zero = i32(loc, 0);
  auto bound = [&](Value pointer, Value at) -> Value { // A row past the list's end is empty.
    return builder.create<arith::SelectOp>(loc, inside, loadInt(loc, pointer, at), zero);
  };
  List list;
  list.type = op.getList().getType();
  list.indices = blocks.indices;
  list.nonempty = op.getNonempty();
  list.first = bound(blocks.indptr, index);
  list.split = bound(blocks.split, index);
  list.end = bound(blocks.indptr, add(loc, index, one64));
  list.limit = scalar(op.getLimit());
  countSteps(loc, list);
  lists[op.getList()] = list;
}

void KernelLowering::lowerListBands(warp::ListBandsOp op) {
  Location loc = op.getLoc();
  SmallVector<Value> bounds;
  for (Value bound : op.getBounds())
    bounds.push_back(scalar(bound));
  List list;
  list.type = op.getList().getType();
  list.limit = scalar(op.getLimit());
  BandRuns bands = emitBandRuns(builder, loc, tile::bandsOf(bounds), list.type.getKeyBlock(), list.limit);
  list.runs = bands.runs;
  list.nonempty = op.getNonempty() && !bands.neverEmpty; // else no padding is asked for
  list.first = i32(loc, 0);
  list.split = bands.partialBlocks;
  list.end = bands.blocks;
  countSteps(loc, list);
  lists[op.getList()] = list;
}

/// From the entries of `list`: how many steps they take. Folds, so that what bands show to be constant stays so.
void KernelLowering::countSteps(Location loc, List &list) {
  Value partial = builder.createOrFold<arith::SubIOp>(loc, list.split, list.first);
  Value full = builder.createOrFold<arith::SubIOp>(loc, list.end, list.split);
  int64_t runs = list.type.getRunsPerStep(), stepsPerBlock = list.type.getStepsPerBlock();
  auto steps = [&](Value blockCount) -> Value {
    if (runs == 1)
      return builder.createOrFold<arith::MulIOp>(loc, blockCount, i32(loc, stepsPerBlock));
    Value most = builder.createOrFold<arith::AddIOp>(loc, blockCount, i32(loc, runs - 1));
    return builder.createOrFold<arith::DivUIOp>(loc, most, i32(loc, runs));
  };
  list.partialSteps = steps(partial);
  list.count = builder.createOrFold<arith::AddIOp>(loc, list.partialSteps, steps(full));
  list.masked = builder.createOrFold<arith::AddIOp>(loc, list.partialSteps, exceedingSteps(loc, list, full));
  if (!list.nonempty)
    return;
  Value padding = builder.createOrFold<arith::ExtUIOp>(loc, builder.getI32Type(), isPadded(loc, list));
  list.count = builder.createOrFold<arith::AddIOp>(loc, list.count, padding);
  list.masked = builder.createOrFold<arith::AddIOp>(loc, list.masked, padding);
}

/// The block that an entry of `list` names; there must be such an entry.
Value KernelLowering::blockAt(Location loc, const List &list, Value entry) {
  return list.indices ? loadInt(loc, list.indices, i64(loc, entry)) : emitBlockOf(builder, loc, list.runs, entry);
}

/// Whether a row is empty.
Value KernelLowering::isPadded(Location loc, const List &list) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, list.first, list.end);
}

void KernelLowering::lowerListPadded(warp::ListPaddedOp op) {
  const List &list = lists[op.getList()];
  values[op] = {list.nonempty ? isPadded(op.getLoc(), list)
                              : builder.create<arith::ConstantIntOp>(op.getLoc(), 0, 1).getResult()};
}

/// Where padding starts: past the limit, at a multiple of 64, since a copy whose innermost coordinate is past the end
/// and not aligned is an illegal instruction on sm_90.
Value KernelLowering::paddingStart(Location loc, const List &list) {
  return builder.create<arith::AndIOp>(loc, add(loc, list.limit, warp::kChunkColumns - 1),
                                       i32(loc, -warp::kChunkColumns));
}

/// Where the block that entry `entry` of a list names starts; the padding of an empty row, which has no entry to read.
Value KernelLowering::blockStart(Location loc, const List &list, Value entry) {
  auto read = [&] { return mul(loc, blockAt(loc, list, entry), list.type.getKeyBlock()); };
  if (!list.nonempty)
    return read();
  if (!list.indices) // Of bands there is nothing to read.
    return builder.create<arith::SelectOp>(loc, isPadded(loc, list), paddingStart(loc, list), read());
  auto branch = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()}, isPadded(loc, list), true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(branch.thenBlock());
  builder.create<scf::YieldOp>(loc, paddingStart(loc, list));
  builder.setInsertionPointToEnd(branch.elseBlock());
  builder.create<scf::YieldOp>(loc, read());
  return branch.getResult(0);
}

/// How many of the last full steps of a row reach past the limit, or are padded: only its last block can.
Value KernelLowering::exceedingSteps(Location loc, const List &list, Value fullBlocks) {
  int64_t keyBlock = list.type.getKeyBlock(), step = list.type.getStep(), runs = list.type.getRunsPerStep();
  Value zero = i32(loc, 0);
  Value some = compare(loc, arith::CmpIPredicate::sgt, fullBlocks, zero);
  auto choose = [&](Value condition, Value yes, Value no) -> Value {
    return builder.create<arith::SelectOp>(loc, condition, yes, no);
  };
  Value last = choose(some, add(loc, list.end, -1), list.first);
  // A list without any block has nothing to look up.
  auto read = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()}, some, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(read.thenBlock());
    builder.create<scf::YieldOp>(loc, blockAt(loc, list, last));
    builder.setInsertionPointToEnd(read.elseBlock());
    builder.create<scf::YieldOp>(loc, zero);
  }
  Value end = mul(loc, add(loc, read.getResult(0), 1), keyBlock);
  Value past = builder.create<arith::SubIOp>(loc, end, list.limit);
  Value count;
  if (runs == 1) {
    // ceil(past / step), at most the block's steps; a negative `past` gives none.
    Value steps = builder.create<arith::DivSIOp>(loc, add(loc, past, step - 1), i32(loc, step));
    count = builder.create<arith::MinSIOp>(loc, builder.create<arith::MaxSIOp>(loc, steps, zero),
                                           i32(loc, list.type.getStepsPerBlock()));
  } else {
    Value rest = builder.create<arith::RemUIOp>(loc, fullBlocks, i32(loc, runs));
    Value padded = compare(loc, arith::CmpIPredicate::ne, rest, zero);
    Value exceeds = builder.create<arith::OrIOp>(loc, padded, compare(loc, arith::CmpIPredicate::sgt, past, zero));
    count = builder.create<arith::ExtUIOp>(loc, builder.getI32Type(), exceeds);
  }
  return choose(some, count, zero);
}

/// The step of the row, in the order of its blocks, that is the `number`th to be run.
Value KernelLowering::stepInRow(Location loc, const List &list, Value number) {
  auto choose = [&](arith::CmpIPredicate predicate, Value bound, Value yes, Value no) -> Value {
    return builder.create<arith::SelectOp>(loc, compare(loc, predicate, number, bound), yes, no);
  };
  auto subtract = [&](Value a, Value b) -> Value { return builder.create<arith::SubIOp>(loc, a, b); };
  Value fromEnd = subtract(add(loc, add(loc, list.count, list.partialSteps), -1), number);
  Value later = subtract(number, subtract(list.masked, list.partialSteps));
  return choose(arith::CmpIPredicate::slt, list.partialSteps, number,
                choose(arith::CmpIPredicate::slt, list.masked, fromEnd, later));
}

void KernelLowering::lowerListStep(warp::ListStepOp op) {
  Location loc = op.getLoc();
  const List &list = lists[op.getList()];
  int64_t runs = list.type.getRunsPerStep(), stepsPerBlock = list.type.getStepsPerBlock();
  int64_t step = list.type.getStep();
  Value index = scalar(op.getIndex());
  Value number = stepInRow(loc, list, index);
  Value partial = compare(loc, arith::CmpIPredicate::slt, index, list.partialSteps);
  values[op.getPartial()] = {partial};
  Value exceeds;
  auto setStart = [&](int64_t run, Value start) {
    values[op.getStarts()[run]] = {start};
    Value past = compare(loc, arith::CmpIPredicate::sgt, add(loc, start, list.type.getRunLength()), list.limit);
    exceeds = exceeds ? builder.create<arith::OrIOp>(loc, exceeds, past).getResult() : past;
  };
  if (runs == 1) {
    Value entry = number, inner;
    if (stepsPerBlock > 1) {
      entry = builder.create<arith::DivUIOp>(loc, number, i32(loc, stepsPerBlock));
      inner = builder.create<arith::RemUIOp>(loc, number, i32(loc, stepsPerBlock));
    }
    Value start = blockStart(loc, list, add(loc, list.first, entry));
    setStart(0, inner ? add(loc, start, mul(loc, inner, step)) : start);
    values[op.getExceeds()] = {exceeds};
    return;
  }
  // Several blocks a step, partial and full ones apart; an odd step ends with padding.
  auto choose = [&](Value ifPartial, Value ifFull) -> Value {
    return builder.create<arith::SelectOp>(loc, partial, ifPartial, ifFull);
  };
  Value zero = i32(loc, 0);
  Value within = builder.create<arith::SubIOp>(loc, number, choose(zero, list.partialSteps));
  Value first = add(loc, choose(list.first, list.split), mul(loc, within, runs));
  Value end = choose(list.split, list.end);
  Value padding = paddingStart(loc, list);
  for (int64_t run = 0; run < runs; ++run) {
    Value entry = add(loc, first, run);
    Value there = compare(loc, arith::CmpIPredicate::slt, entry, end);
    Value safe = builder.create<arith::SelectOp>(loc, there, entry, first);
    Value start = blockStart(loc, list, safe);
    setStart(run, builder.create<arith::SelectOp>(loc, there, start, padding));
  }
  values[op.getExceeds()] = {exceeds};
}

} // namespace lacuna
