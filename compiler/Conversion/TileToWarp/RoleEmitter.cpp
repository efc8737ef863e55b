#include "RoleEmitter.h"

using namespace mlir;

namespace lacuna {

SmallVector<Operation *> RoleEmitter::countedLoops(Operation *loop) {
  SmallVector<Operation *> loops;
  loop->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<scf::ForOp, tile::ForBlocksOp>(op))
      return;
    if (llvm::any_of(op->getRegion(0).front(), [&](Operation &inner) { return plan.isShared(&inner); }))
      loops.push_back(op);
  });
  return loops;
}

Value RoleEmitter::counter(Location loc, Operation *loop) {
  Value &value = counters[loop];
  if (!value)
    value = constant(loc, 0);
  return value;
}

Value RoleEmitter::fillNumber(Operation *load) {
  return counter(load->getLoc(), load->getParentOp());
}

LogicalResult RoleEmitter::emitLoop(Operation *op) {
  Location loc = op->getLoc();
  auto dense = dyn_cast<scf::ForOp>(op);
  auto sparse = dyn_cast<tile::ForBlocksOp>(op);
  ValueRange inits = dense ? ValueRange(dense.getInitArgs()) : ValueRange(sparse.getInits());
  SmallVector<Operation *> counted = countedLoops(op);

  SmallVector<unsigned> carried;
  SmallVector<Value> start;
  for (unsigned index = 0; index < inits.size(); ++index)
    if (carries(op, index)) {
      carried.push_back(index);
      start.push_back(mapping.lookup(inits[index]));
    }
  for (Operation *loop : counted)
    start.push_back(counter(loc, loop));

  Value lower, upper, step;
  if (dense) {
    lower = mapping.lookup(dense.getLowerBound());
    upper = mapping.lookup(dense.getUpperBound());
    step = mapping.lookup(dense.getStep());
  } else {
    lower = constant(loc, 0);
    upper = builder.create<warp::ListCountOp>(loc, builder.getI32Type(), lists.lookup(op));
    step = constant(loc, 1);
  }
  auto loop = builder.create<scf::ForOp>(loc, lower, upper, step, start);

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Block &body = op->getRegion(0).front();
  if (dense) {
    mapping.map(body.getArgument(0), loop.getInductionVar());
  } else {
    Value list = lists.lookup(op);
    SmallVector<Type> starts(cast<warp::ListType>(list.getType()).getRunsPerStep(), builder.getI32Type());
    steps[body.getArgument(0)] = builder.create<warp::ListStepOp>(loc, builder.getI1Type(), builder.getI1Type(), starts,
                                                                  list, loop.getInductionVar());
  }
  for (auto [position, index] : llvm::enumerate(carried))
    mapping.map(body.getArgument(index + 1), loop.getRegionIterArg(position));
  for (auto [position, inner] : llvm::enumerate(counted))
    counters[inner] = loop.getRegionIterArg(carried.size() + position);

  if (failed(emitBlock(body)))
    return failure();

  SmallVector<Value> yielded;
  for (unsigned index : carried)
    yielded.push_back(mapping.lookup(body.getTerminator()->getOperand(index)));
  for (Operation *inner : counted)
    yielded.push_back(inner == op ? builder.create<arith::AddIOp>(loc, counters[inner], constant(loc, 1)).getResult()
                                  : counters[inner]);
  // A loop that carries nothing already has its terminator.
  if (!loop.getBody()->empty() && loop.getBody()->back().hasTrait<OpTrait::IsTerminator>())
    loop.getBody()->back().erase();
  builder.setInsertionPointToEnd(loop.getBody());
  builder.create<scf::YieldOp>(loc, yielded);

  builder.setInsertionPointAfter(loop);
  Value padded;
  if (sparse && plan.padsEmptyRows(sparse) && !carried.empty())
    padded = builder.create<warp::ListPaddedOp>(loc, builder.getI1Type(), lists.lookup(op));
  for (auto [position, index] : llvm::enumerate(carried)) {
    Value result = loop.getResult(position);
    if (padded) // What a step of padding makes of the values does not count.
      result = builder.create<arith::SelectOp>(loc, padded, start[position], result);
    mapping.map(op->getResult(index), result);
  }
  for (auto [position, inner] : llvm::enumerate(counted))
    counters[inner] = loop.getResult(carried.size() + position);
  return success();
}

} // namespace lacuna
