// Roles, the loop of a persistent kernel around them, and turns between warpgroups.
#include "KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace lacuna {

LogicalResult KernelLowering::lowerRoles(warp::RolesOp roles, warp::ForTilesOp around) {
  Location loc = roles.getLoc();
  Value producing = compare(loc, arith::CmpIPredicate::eq, warpgroup, i32(loc, producerGroup()));
  auto branch = builder.create<scf::IfOp>(loc, producing, /*withElseRegion=*/true);
  SmallVector<warp::RoleOp> ordered(roles.getBody().front().getOps<warp::RoleOp>());
  // The producer first: the scheduler is part of it, and the others take over what it knows of lists.
  llvm::sort(ordered, [](warp::RoleOp a, warp::RoleOp b) { return a.getKind() < b.getKind(); });
  for (warp::RoleOp role : ordered) {
    inProducer = role.getKind() == warp::RoleKind::Producer;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(inProducer ? branch.thenBlock() : branch.elseBlock());
    if (int64_t registers = role.getRegisters(); registers != entryRegisters)
      ptx.setMaxRegisters(loc, registers, /*increase=*/registers > entryRegisters);
    if (inProducer && around && failed(lowerScheduler(around)))
      return failure();
    if (inProducer && machine.copyEngine) { // One thread issues every copy.
      Value first = compare(loc, arith::CmpIPredicate::eq, threadId, i32(loc, 0));
      auto elected = builder.create<scf::IfOp>(loc, first, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(elected.thenBlock());
    } else if (!inProducer && role.walk([](warp::TurnWaitOp) { return WalkResult::interrupt(); }).wasInterrupted()) {
      lowerFirstTurn(loc);
    }
    if (failed(around ? lowerTileLoop(around, role) : lowerBlock(role.getBody().front())))
      return failure();
    finishStores(role);
    finishCopies(role);
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Persistent kernels. Programs are numbered 0 to count - 1, x fastest. A thread block starts with the position of its
// own number in the order; further positions come from a counter in global memory (launch-abi.md) or, without one, in
// steps of the number of thread blocks.
//
// A thread of the producer's warpgroup that copies nothing is the scheduler: it takes a program, computes what stands
// before the roles (which reads the bounds of lists from global memory) and posts the program and what the roles use of
// that in a mailbox in shared memory. It does so while the program before runs, takes no more than one ahead, and that
// late, so that nobody at the end holds programs that others could run: the producer hands the mailbox back when its
// copies have only a few steps to go.
//===--------------------------------------------------------------------------------------------------------------===//

/// Collects what the roles use of a program's preamble: scalars, and the bounds of lists.
void KernelLowering::planMailbox(warp::ForTilesOp op) {
  auto isPosted = [&](Value value) {
    if (value.getParentBlock() != &op.getBody().front())
      return false;
    Operation *def = value.getDefiningOp(); // What depends on nothing costs less to compute again.
    return !def || def->getNumOperands() > 0;
  };
  op.getRoles().walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (isPosted(operand))
        (isa<warp::ListType>(operand.getType()) ? postedLists : postedScalars).insert(operand);
  });
  mailboxWords = 1 + static_cast<int64_t>(postedScalars.size());
  for (Value list : postedLists)
    mailboxWords += mostFieldsOf(list);
}

static constexpr int64_t kListBounds = 7;

/// Steps that the producer has to go when it lets the scheduler take the next program: time for an atomic operation and
/// for reading the order and the bounds of a row, which take about two microseconds.
static constexpr int64_t kStepsAhead = 6;

/// How many fields a list may have before it is lowered.
int64_t KernelLowering::mostFieldsOf(Value list) {
  auto bands = list.getDefiningOp<warp::ListBandsOp>();
  return kListBounds + (bands ? 2 * static_cast<int64_t>(mostRuns(bands.getBounds().size())) : 0);
}

/// Where the lowering keeps what roles need of a list.
SmallVector<Value *> KernelLowering::fieldsOf(List &list) {
  SmallVector<Value *> fields = {&list.first,  &list.split, &list.end,  &list.partialSteps,
                                 &list.masked, &list.count, &list.limit};
  assert(fields.size() == kListBounds);
  for (EntryRun &run : list.runs)
    fields.append({&run.end, &run.offset});
  return fields;
}

void KernelLowering::initMailbox(Location loc) {
  ptx.initBarrier(loc, add(loc, sharedBase, mailbox + kMailboxFull), 1);
  // Read by one thread of the producer and by the consumers, where one lane of each warp arrives.
  ptx.initBarrier(loc, add(loc, sharedBase, mailbox + kMailboxEmpty), 1 + 4 * consumerWarpgroups);
}

/// Whether a program is one: the number behind the last is kNoProgram.
Value KernelLowering::isProgram(Location loc, Value program) {
  return compare(loc, arith::CmpIPredicate::ne, program, i32(loc, kNoProgram));
}

/// The program at `position` of the order, or kNoProgram. An order may name fewer programs than the grid has, so that a
/// number says nothing about its position.
Value KernelLowering::programAt(Location loc, Value position) {
  auto inside = builder.create<scf::IfOp>(loc, TypeRange{builder.getI32Type()},
                                          compare(loc, arith::CmpIPredicate::ult, position, tiles.count), true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(inside.elseBlock());
  builder.create<scf::YieldOp>(loc, i32(loc, kNoProgram));
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

/// The position that this thread block takes in round `round`, its first being round 0.
Value KernelLowering::takePosition(Location loc, Value round) {
  Type type = builder.getI32Type();
  Value blocks = builder.create<NVVM::GridDimXOp>(loc, type), block = builder.create<NVVM::BlockIdXOp>(loc, type);
  Value later = builder.create<arith::AndIOp>(loc, isGiven(loc, tiles.queue),
                                              compare(loc, arith::CmpIPredicate::ne, round, i32(loc, 0)));
  auto queued = builder.create<scf::IfOp>(loc, TypeRange{type}, later, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(queued.thenBlock());
  builder.create<scf::YieldOp>(loc, add(loc, blocks, ptx.atomicAdd(loc, tiles.queue, i32(loc, 1))));
  builder.setInsertionPointToEnd(queued.elseBlock());
  builder.create<scf::YieldOp>(loc, add(loc, block, builder.create<arith::MulIOp>(loc, round, blocks)));
  return queued.getResult(0);
}

Value KernelLowering::parityOf(Location loc, Value round) {
  return builder.create<arith::AndIOp>(loc, round, i32(loc, 1));
}

/// Posts `program` and, unless it is the end, what the roles need of its preamble.
void KernelLowering::postProgram(Location loc, Value program, bool isLast) {
  int64_t word = 0;
  auto post = [&](Value value) {
    unsigned bits = value.getType().getIntOrFloatBitWidth();
    if (!value.getType().isInteger())
      value = builder.create<arith::BitcastOp>(loc, builder.getIntegerType(bits), value);
    if (bits < 32)
      value = builder.create<arith::ExtUIOp>(loc, builder.getI32Type(), value);
    ptx.storeSharedInt(loc, add(loc, sharedBase, mailbox + kMailboxData + 4 * word++), value);
  };
  post(program);
  if (!isLast) {
    for (Value posted : postedScalars)
      post(scalar(posted));
    for (Value posted : postedLists) {
      llvm::SmallDenseSet<Value> done;
      for (Value *field : fieldsOf(lists[posted]))
        if (!getConstantIntValue(*field) && done.insert(*field).second)
          post(*field);
    }
  }
  ptx.arrive(loc, add(loc, sharedBase, mailbox + kMailboxFull), builder.create<arith::ConstantIntOp>(loc, 1, 1));
}

/// The threads that read the mailbox and hand it back: the producer's one, and one lane of each consumer warp.
Value KernelLowering::readsMailbox(Location loc) {
  return inProducer ? builder.create<arith::ConstantIntOp>(loc, 1, 1).getResult()
                    : compare(loc, arith::CmpIPredicate::eq, lane, i32(loc, 0));
}

/// A word of the mailbox. In the consumers the lane that will hand the mailbox back reads for its warp, so that its
/// arrival is ordered behind every read.
Value KernelLowering::readMailbox(Location loc, int64_t word) {
  Value address = add(loc, sharedBase, mailbox + kMailboxData + 4 * word);
  Value value = ptx.loadSharedInt(loc, address, readsMailbox(loc));
  return inProducer ? value : ptx.broadcastLane0(loc, value);
}

void KernelLowering::returnMailbox(Location loc, Value predicate) {
  ptx.arrive(loc, add(loc, sharedBase, mailbox + kMailboxEmpty), predicate);
}

/// Whether the way to a loop's end, and that of a few steps, surely fit what it counts in.
static bool fitsCounter(scf::ForOp loop) {
  constexpr int64_t kSmallStep = 4096;
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound()), step = getConstantIntValue(loop.getStep());
  return loop.getStep().getType().isInteger(64) || (first && *first >= 0 && step && *step <= kSmallStep);
}

/// Whether a loop that runs at all is in the step with kStepsAhead to go, or in its first where it has fewer.
Value KernelLowering::isLateStep(scf::ForOp loop) {
  Location loc = loop.getLoc();
  auto widened = [&, fits = fitsCounter(loop)](Value value) { return fits ? value : i64(loc, value); };
  Value step = widened(loop.getStep()), end = widened(loop.getUpperBound()), at = widened(loop.getInductionVar());
  Value left = builder.create<arith::SubIOp>(loc, end, at);
  auto steps = [&](int64_t count) -> Value {
    return builder.create<arith::MulIOp>(loc, step, builder.create<arith::ConstantIntOp>(loc, count, step.getType()));
  };
  Value near = compare(loc, arith::CmpIPredicate::sle, left, steps(kStepsAhead));
  Value notNearer = compare(loc, arith::CmpIPredicate::sgt, left, steps(kStepsAhead - 1));
  Value first = compare(loc, arith::CmpIPredicate::eq, loop.getInductionVar(), loop.getLowerBound());
  return builder.create<arith::AndIOp>(loc, near, builder.create<arith::OrIOp>(loc, first, notNearer));
}

/// Takes what was posted beside the program, and hands the mailbox back where that is not left to the producer's loop.
void KernelLowering::receivePreamble(Location loc) {
  int64_t word = 1;
  auto receive = [&](Type type) -> Value {
    Value value = readMailbox(loc, word++);
    unsigned bits = type.getIntOrFloatBitWidth();
    if (bits < 32)
      value = builder.create<arith::TruncIOp>(loc, builder.getIntegerType(bits), value);
    return type.isInteger() ? value : builder.create<arith::BitcastOp>(loc, type, value).getResult();
  };
  for (Value posted : postedScalars)
    values[posted] = {receive(posted.getType())};
  for (Value posted : postedLists) {
    List list = lists[posted]; // The scheduler's, which was lowered first; its type and its pointer stay.
    llvm::SmallDenseMap<Value, Value> received; // Constants are not posted, and what is in several fields once.
    for (Value *field : fieldsOf(list)) {
      Value &here = received[*field];
      if (!here)
        here = getConstantIntValue(*field) ? i32(loc, *getConstantIntValue(*field)) : receive(builder.getI32Type());
      *field = here;
    }
    lists[posted] = list;
  }
  if (!mailboxLoop)
    returnMailbox(loc, readsMailbox(loc));
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

/// The scheduler: one thread of the producer's second warp.
LogicalResult KernelLowering::lowerScheduler(warp::ForTilesOp op) {
  Location loc = op.getLoc();
  auto elected = builder.create<scf::IfOp>(loc, compare(loc, arith::CmpIPredicate::eq, threadId, i32(loc, 32)),
                                           /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(elected.thenBlock());
  SmallVector<Value> inits = {i32(loc, 0)};
  for (Value init : op.getInits())
    inits.push_back(scalar(init));
  SmallVector<Type> types(inits.size(), builder.getI32Type());
  SmallVector<Location> locations(inits.size(), loc);
  SmallVector<Type> afterTypes(types.size() + 1, builder.getI32Type());
  SmallVector<Location> afterLocations(afterTypes.size(), loc);
  auto loop = builder.create<scf::WhileOp>(loc, afterTypes, inits);

  Block *before = builder.createBlock(&loop.getBefore(), {}, types, locations);
  Value round = before->getArgument(0);
  // A fresh mbarrier counts as having completed the phase before its first: the first round does not wait.
  ptx.waitBarrier(loc, add(loc, sharedBase, mailbox + kMailboxEmpty),
                  builder.create<arith::XOrIOp>(loc, parityOf(loc, round), i32(loc, 1)));
  Value program = programAt(loc, takePosition(loc, round));
  SmallVector<Value> passed(before->getArguments());
  passed.push_back(program);
  builder.create<scf::ConditionOp>(loc, isProgram(loc, program), passed);

  Block *body = builder.createBlock(&loop.getAfter(), {}, afterTypes, afterLocations);
  round = body->getArgument(0), program = body->getArguments().back();
  Value column = builder.create<arith::DivUIOp>(loc, program, tiles.width);
  values[op.getCoordinates()[0]] = {builder.create<arith::RemUIOp>(loc, program, tiles.width)};
  values[op.getCoordinates()[1]] = {builder.create<arith::RemUIOp>(loc, column, tiles.height)};
  values[op.getCoordinates()[2]] = {builder.create<arith::DivUIOp>(loc, column, tiles.height)};
  for (auto [carried, argument] : llvm::zip(op.getCarried(), body->getArguments().drop_front(1)))
    values[carried] = {argument};
  for (Operation &inner : op.getBody().front().without_terminator())
    if (&inner != op.getRoles() && failed(lowerOp(&inner)))
      return failure();
  postProgram(loc, program, /*isLast=*/false);
  SmallVector<Value> yielded = {add(loc, round, 1)};
  for (Value value : op.getBody().front().getTerminator()->getOperands())
    yielded.push_back(scalar(value));
  builder.create<scf::YieldOp>(loc, yielded);
  builder.setInsertionPointAfter(loop);
  postProgram(loc, i32(loc, kNoProgram), /*isLast=*/true);
  leaveQueue(loc);
  return success();
}

/// Lowers `block` of a role and gives the registers of what it keeps.
FailureOr<Registers> KernelLowering::lowerKept(Block &block) {
  if (failed(lowerBlock(block)))
    return failure();
  Registers kept;
  if (auto yield = block.empty() ? warp::RoleYieldOp() : dyn_cast<warp::RoleYieldOp>(block.back()))
    for (Value value : yield.getValues())
      llvm::append_range(kept, values[value]);
  return kept;
}

/// A role runs the programs that are posted until the end is; what it keeps from one to the next the loop carries.
LogicalResult KernelLowering::lowerTileLoop(warp::ForTilesOp op, warp::RoleOp role) {
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Value> inits = {i32(loc, 0)};
  if (role.spansPrograms()) {
    FailureOr<Registers> kept = lowerKept(role.getEnter().front());
    if (failed(kept))
      return failure();
    llvm::append_range(inits, *kept);
  }
  SmallVector<Type> types(ValueRange(inits).getTypes());
  SmallVector<Location> locations(inits.size(), loc);
  auto loop = builder.create<scf::WhileOp>(loc, types, inits);
  Block *before = builder.createBlock(&loop.getBefore(), {}, types, locations);
  ptx.waitBarrier(loc, add(loc, sharedBase, mailbox + kMailboxFull), parityOf(loc, before->getArgument(0)));
  builder.create<scf::ConditionOp>(loc, isProgram(loc, readMailbox(loc, 0)), before->getArguments());

  Block *body = builder.createBlock(&loop.getAfter(), {}, types, locations);
  for (Operation &inner : op.getBody().front().without_terminator())
    if (inner.getNumOperands() == 0 && inner.getNumRegions() == 0 && failed(lowerOp(&inner)))
      return failure();
  mailboxLoop = {};
  if (inProducer)
    for (auto inner : role.getBody().front().getOps<scf::ForOp>())
      mailboxLoop = inner; // the last
  receivePreamble(loc);
  assign(role.getBody().getArguments(), ValueRange(body->getArguments()).drop_front());
  FailureOr<Registers> kept = lowerKept(role.getBody().front());
  mailboxLoop = {};
  if (failed(kept))
    return failure();
  kept->insert(kept->begin(), add(loc, body->getArgument(0), 1));
  builder.create<scf::YieldOp>(loc, *kept);

  builder.setInsertionPointAfter(loop);
  if (!role.spansPrograms())
    return success();
  assign(role.getLeave().getArguments(), loop.getResults().drop_front());
  return lowerBlock(role.getLeave().front());
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
