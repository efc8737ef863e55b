// scf.for and scf.if. Scalars are carried as values; a tile that a loop carries or a condition gives has one place in
// the scratch area (its home), which every iteration and both branches write.
#include "CpuLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

void CpuLowering::enterLoop(ValueRange inits, ArrayRef<BlockArgument> carried, ValueRange results) {
  for (auto [init, argument, result] : llvm::zip_equal(inits, carried, results)) {
    if (!isTile(init.getType()))
      continue;
    Buffer home = allocateFor(argument);
    computeInto(init, home);
    buffers[argument] = buffers[result] = home;
  }
}

SmallVector<Value> CpuLowering::leaveIteration(ArrayRef<BlockArgument> carried, ValueRange yielded) {
  SmallVector<Value> leavingScalars;
  struct Move {
    Value tile;
    BlockArgument argument;
  };
  SmallVector<Move> moves;
  for (auto [argument, value] : llvm::zip_equal(carried, yielded)) {
    if (!isTile(value.getType()))
      leavingScalars.push_back(scalar(value));
    else if (value != argument && placement.carriedPlace(value) != argument)
      moves.push_back({value, argument});
  }
  // All yielded tiles are those of this iteration: what another one still reads is not overwritten before it has.
  auto mayMoveNow = [&](const Move &move) {
    return placement.readsInPlace(move.tile, move.argument) && llvm::none_of(moves, [&](const Move &other) {
             return other.argument != move.argument && placement.reads(other.tile, move.argument);
           });
  };
  SmallVector<std::pair<Buffer, BlockArgument>> copies;
  for (const Move &move : moves) {
    if (mayMoveNow(move))
      continue;
    Buffer temporary = allocateFor(move.tile);
    computeInto(move.tile, temporary);
    copies.push_back({temporary, move.argument});
  }
  for (const Move &move : moves)
    if (mayMoveNow(move))
      computeInto(move.tile, buffers.lookup(move.argument));
  for (auto [temporary, argument] : copies) {
    copy(temporary, buffers.lookup(argument));
    release(temporary);
  }
  return leavingScalars;
}

static SmallVector<Value> scalarsAmong(ValueRange values) {
  return llvm::to_vector(llvm::make_filter_range(values, [](Value value) { return !isTile(value.getType()); }));
}

void CpuLowering::lowerLoop(Block &body, ValueRange inits, ValueRange results, Value lower, Value upper, Value step,
                            llvm::function_ref<void(Value)> enter, llvm::function_ref<void()> leave) {
  SmallVector<BlockArgument> carried = llvm::to_vector(body.getArguments().drop_front());
  enterLoop(inits, carried, results);
  SmallVector<Value> start;
  for (Value init : scalarsAmong(inits))
    start.push_back(scalar(init));
  auto lowered = b.create<scf::ForOp>(lower, upper, step, start);
  for (auto [argument, value] :
       llvm::zip_equal(scalarsAmong(body.getArguments().drop_front()), lowered.getRegionIterArgs()))
    scalars.map(argument, value);
  {
    OpBuilder::InsertionGuard guard(b);
    if (start.empty())
      lowered.getBody()->getTerminator()->erase();
    b.setInsertionPointToStart(lowered.getBody());
    enter(lowered.getInductionVar());
    lowerBlock(body);
    b.create<scf::YieldOp>(leaveIteration(carried, body.getTerminator()->getOperands()));
    releaseAfter(body.getTerminator());
    leave();
  }
  for (auto [result, value] : llvm::zip_equal(scalarsAmong(results), lowered.getResults()))
    scalars.map(result, value);
}

/// Counts in i64: the first value that is not below the upper bound may be more than an i32 holds.
void CpuLowering::lowerFor(scf::ForOp loop) {
  auto wide = [&](Value value) -> Value { return b.create<arith::ExtSIOp>(b.getI64Type(), scalar(value)); };
  lowerLoop(*loop.getBody(), loop.getInits(), loop.getResults(), wide(loop.getLowerBound()), wide(loop.getUpperBound()),
            wide(loop.getStep()), [&](Value induction) {
              scalars.map(loop.getInductionVar(), b.create<arith::TruncIOp>(b.getI32Type(), induction));
            });
}

void CpuLowering::lowerIf(scf::IfOp conditional) {
  SmallVector<Type> types;
  for (OpResult result : conditional.getResults()) {
    if (!isTile(result.getType()))
      types.push_back(result.getType());
    else if (Value source = placement.adoptedBy(result))
      buffers[result] = buffers.lookup(source);
    else
      buffers[result] = allocateFor(result);
  }
  const bool hasElse = !conditional.getElseRegion().empty();
  auto lowered = b.create<scf::IfOp>(types, scalar(conditional.getCondition()), /*addThenBlock=*/true, hasElse);
  auto lowerBranch = [&](Block &source, Block &target) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&target);
    lowerBlock(source);
    SmallVector<Value> leaving;
    for (auto [result, value] : llvm::zip_equal(conditional.getResults(), source.getTerminator()->getOperands())) {
      if (isTile(value.getType()))
        computeInto(value, buffers.lookup(result));
      else
        leaving.push_back(scalar(value));
    }
    b.create<scf::YieldOp>(leaving);
    releaseAfter(source.getTerminator());
  };
  lowerBranch(*conditional.thenBlock(), *lowered.thenBlock());
  if (hasElse)
    lowerBranch(*conditional.elseBlock(), *lowered.elseBlock());
  for (auto [result, value] : llvm::zip_equal(scalarsAmong(conditional.getResults()), lowered.getResults()))
    scalars.map(result, value);
}

} // namespace lacuna::cpu
