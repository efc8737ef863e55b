// Roles, the loop of a persistent kernel around them, and turns between warpgroups.
#include "KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace lacuna {

LogicalResult KernelLowering::lowerRoles(warp::RolesOp roles, warp::ForTilesOp around) {
  Location loc = roles.getLoc();
  Value producing = compare(loc, arith::CmpIPredicate::eq, warpgroup, i32(loc, 0));
  auto branch = builder.create<scf::IfOp>(loc, producing, /*withElseRegion=*/true);
  for (auto role : roles.getBody().front().getOps<warp::RoleOp>()) {
    inProducer = role.getKind() == warp::RoleKind::Producer;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(inProducer ? branch.thenBlock() : branch.elseBlock());
    if (int64_t registers = role.getRegisters(); registers != entryRegisters)
      ptx.setMaxRegisters(loc, registers, /*increase=*/registers > entryRegisters);
    if (inProducer) { // One thread issues every copy.
      Value first = compare(loc, arith::CmpIPredicate::eq, threadId, i32(loc, 0));
      auto elected = builder.create<scf::IfOp>(loc, first, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(elected.thenBlock());
    } else if (role.walk([](warp::TurnWaitOp) { return WalkResult::interrupt(); }).wasInterrupted()) {
      lowerFirstTurn(loc);
    }
    if (failed(around ? lowerTileLoop(around, role) : lowerBlock(role.getBody().front())))
      return failure();
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Persistent kernels. Programs are numbered 0 to count - 1, x fastest. A thread block starts with the position of its
// own number in the order; further positions come from a counter in global memory (launch-abi.md) or, without one, in
// steps of the number of thread blocks. The producer passes program numbers on through two mailboxes in shared memory.
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::initMailboxes(Location loc) {
  for (int64_t index : {0, 1}) {
    ptx.initBarrier(loc, add(loc, sharedBase, mailboxes + kMailboxFull + 8 * index), 1);
    ptx.initBarrier(loc, add(loc, sharedBase, mailboxes + kMailboxEmpty + 8 * index), 4 * consumerWarpgroups);
  }
}

/// The program at `position` of the order; the count where there is none left.
Value KernelLowering::programAt(Location loc, Value position) {
  auto inside = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()},
                                          compare(loc, arith::CmpIPredicate::ult, position, tiles.count), true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(inside.elseBlock());
  builder.create<scf::YieldOp>(loc, tiles.count);
  builder.setInsertionPointToEnd(inside.thenBlock());
  auto ordered = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()}, isGiven(loc, tiles.order), true);
  builder.create<scf::YieldOp>(loc, ordered.getResults());
  builder.setInsertionPointToEnd(ordered.thenBlock());
  builder.create<scf::YieldOp>(loc, loadInt(loc, tiles.order, i64(loc, position)));
  builder.setInsertionPointToEnd(ordered.elseBlock());
  builder.create<scf::YieldOp>(loc, position);
  return inside.getResult(0);
}

Value KernelLowering::isGiven(Location loc, Value pointer) {
  Value address = builder.create<LLVM::PtrToIntOp>(loc, builder.getI64Type(), pointer);
  return compare(loc, arith::CmpIPredicate::ne, address, builder.create<arith::ConstantIntOp>(loc, 0, 64));
}

KernelLowering::Mailbox KernelLowering::mailbox(Location loc, Value round) {
  Value index = builder.create<arith::AndIOp>(loc, round, i32(loc, 1));
  Value phase = builder.create<arith::ShRUIOp>(loc, round, i32(loc, 1));
  Value base = add(loc, sharedBase, mailboxes), offset = mul(loc, index, 8);
  return {add(loc, add(loc, base, kMailboxWord), mul(loc, index, 4)), add(loc, add(loc, base, kMailboxFull), offset),
          add(loc, add(loc, base, kMailboxEmpty), offset), builder.create<arith::AndIOp>(loc, phase, i32(loc, 1))};
}

/// The position that this thread block takes next. Its result is used after the program's copies are under way.
Value KernelLowering::takePosition(Location loc, Value round) {
  Value blocks = builder.create<NVVM::GridDimXOp>(loc, builder.getI32Type());
  Value block = builder.create<NVVM::BlockIdXOp>(loc, builder.getI32Type());
  auto queued = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()}, isGiven(loc, tiles.queue), true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(queued.thenBlock());
  builder.create<scf::YieldOp>(loc, add(loc, blocks, ptx.atomicAdd(loc, tiles.queue, i32(loc, 1))));
  builder.setInsertionPointToEnd(queued.elseBlock());
  Value next = builder.create<arith::MulIOp>(loc, add(loc, round, 1), blocks);
  builder.create<scf::YieldOp>(loc, add(loc, block, next));
  return queued.getResult(0);
}

void KernelLowering::postProgram(Location loc, Value round, Value program) {
  Mailbox box = mailbox(loc, round);
  ptx.waitBarrier(loc, box.empty, builder.create<arith::XOrIOp>(loc, box.parity, i32(loc, 1)));
  ptx.storeSharedInt(loc, box.word, program);
  ptx.arrive(loc, box.full, builder.create<arith::ConstantIntOp>(loc, 1, 1));
}

Value KernelLowering::receiveProgram(Location loc, Value round) {
  Mailbox box = mailbox(loc, round);
  ptx.waitBarrier(loc, box.full, box.parity);
  Value program = ptx.broadcastLane0(loc, ptx.loadSharedInt(loc, box.word));
  ptx.arrive(loc, box.empty, compare(loc, arith::CmpIPredicate::eq, lane, i32(loc, 0)));
  return program;
}

/// The last thread block to leave sets the queue to zero for the next launch: all have taken their last position by
/// then.
void KernelLowering::leaveQueue(Location loc) {
  auto queued = builder.create<scf::IfOp>(loc, isGiven(loc, tiles.queue), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(queued.thenBlock());
  Value blocks = builder.create<NVVM::GridDimXOp>(loc, builder.getI32Type());
  Value finished = builder.create<LLVM::GEPOp>(loc, tiles.queue.getType(), builder.getI32Type(), tiles.queue,
                                               ArrayRef<LLVM::GEPArg>{1});
  Value before = ptx.atomicAdd(loc, finished, i32(loc, 1));
  auto last = builder.create<scf::IfOp>(loc, compare(loc, arith::CmpIPredicate::eq, before, add(loc, blocks, -1)),
                                        /*withElseRegion=*/false);
  builder.setInsertionPointToStart(last.thenBlock());
  builder.create<LLVM::StoreOp>(loc, i32(loc, 0), tiles.queue, /*alignment=*/4);
  builder.create<LLVM::StoreOp>(loc, i32(loc, 0), finished, /*alignment=*/4);
}

LogicalResult KernelLowering::lowerTileLoop(warp::ForTilesOp op, warp::RoleOp role) {
  Location loc = op.getLoc();
  Value first = programAt(loc, builder.create<NVVM::BlockIdXOp>(loc, builder.getI32Type()));
  SmallVector<Value> inits = {inProducer ? first : ptx.broadcastLane0(loc, first), i32(loc, 0)};
  for (Value init : op.getInits())
    inits.push_back(scalar(init));
  SmallVector<Type> types(inits.size(), builder.getI32Type());
  SmallVector<Location> locations(inits.size(), loc);
  auto loop = builder.create<scf::WhileOp>(loc, types, inits);
  OpBuilder::InsertionGuard guard(builder);
  Block *before = builder.createBlock(&loop.getBefore(), {}, types, locations);
  Value left = compare(loc, arith::CmpIPredicate::ult, before->getArgument(0), tiles.count);
  builder.create<scf::ConditionOp>(loc, left, before->getArguments());

  Block *body = builder.createBlock(&loop.getAfter(), {}, types, locations);
  Value program = body->getArgument(0), round = body->getArgument(1);
  Value column = builder.create<arith::DivUIOp>(loc, program, tiles.width);
  values[op.getCoordinates()[0]] = {builder.create<arith::RemUIOp>(loc, program, tiles.width)};
  values[op.getCoordinates()[1]] = {builder.create<arith::RemUIOp>(loc, column, tiles.height)};
  values[op.getCoordinates()[2]] = {builder.create<arith::DivUIOp>(loc, column, tiles.height)};
  for (auto [carried, argument] : llvm::zip(op.getCarried(), body->getArguments().drop_front(2)))
    values[carried] = {argument};

  Value taken = inProducer ? takePosition(loc, round) : Value();
  for (Operation &inner : op.getBody().front().without_terminator())
    if (failed(&inner == op.getRoles() ? lowerBlock(role.getBody().front()) : lowerOp(&inner)))
      return failure();
  Value next;
  if (inProducer) {
    next = programAt(loc, taken);
    postProgram(loc, round, next);
  } else {
    next = receiveProgram(loc, round);
  }
  SmallVector<Value> yielded = {next, add(loc, round, 1)};
  for (Value value : op.getBody().front().getTerminator()->getOperands())
    yielded.push_back(scalar(value));
  builder.create<scf::YieldOp>(loc, yielded);
  builder.setInsertionPointAfter(loop);
  if (inProducer)
    leaveQueue(loc);
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Turns: the named barrier of warpgroup w is kFirstTurnBarrier + w; the one before arrives there, w waits
//===--------------------------------------------------------------------------------------------------------------===//

/// The last warpgroup gives warpgroup 0 the first turn.
void KernelLowering::lowerFirstTurn(Location loc) {
  Value last = compare(loc, arith::CmpIPredicate::eq, consumer, i32(loc, consumerWarpgroups - 1));
  auto arrive = builder.create<scf::IfOp>(loc, last, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(arrive.thenBlock());
  ptx.namedBarrierArrive(loc, warp::kFirstTurnBarrier, 2 * warp::kWarpgroupThreads);
}

void KernelLowering::lowerTurnWait(Location loc) {
  ptx.namedBarrierSync(loc, add(loc, consumer, warp::kFirstTurnBarrier), 2 * warp::kWarpgroupThreads);
}

void KernelLowering::lowerTurnPass(Location loc) {
  Value next = add(loc, consumer, 1);
  Value wrapped = builder.create<arith::SelectOp>(
      loc, compare(loc, arith::CmpIPredicate::eq, next, i32(loc, consumerWarpgroups)), i32(loc, 0), next);
  ptx.namedBarrierArrive(loc, add(loc, wrapped, warp::kFirstTurnBarrier), 2 * warp::kWarpgroupThreads);
}

} // namespace lacuna
