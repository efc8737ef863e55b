// Control flow, and which op is executed where.
#include "Agent.h"

#include "Elementwise.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna::interpreter {

Agent::Agent(ThreadBlock &block, int64_t number, InterpreterReport &report)
    : block(block), self{number, {}}, report(report) {
  self.clock.at[static_cast<size_t>(number)] = 1; // what it writes first is not yet known to the others
  warp::FuncOp kernel = block.launch.kernel;
  Block &body = kernel.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    const runtime::ArgumentValue &given = block.launch.arguments[argument.getArgNumber()];
    if (const float *real = std::get_if<float>(&given))
      set(argument, Tile::scalar(*real));
    else if (const int32_t *integer = std::get_if<int32_t>(&given))
      set(argument, Tile::scalar(*integer));
  }
  frames.push_back({&body, body.begin(), nullptr});
}

std::string Agent::name() const {
  return isProducer() ? "the producer" : fmt::format("consumer warpgroup {}", warpgroup());
}

static std::string placeOf(Operation *op) {
  if (auto place = op->getLoc()->findInstanceOf<FileLineColLoc>())
    return fmt::format("{}:{}:{}", place.getFilename().str(), place.getLine(), place.getColumn());
  return {};
}

Error Agent::explain(Error fault) const {
  fault.message =
      fmt::format("thread block ({}, {}, {}), {}{}: {}{}", block.position[0], block.position[1], block.position[2],
                  name(), block.launch.tiles ? fmt::format(", program {}", program) : std::string(),
                  current ? current->getName().getStringRef().str() + " " : std::string(), fault.message);
  if (current)
    fault.location = placeOf(current);
  return fault;
}

std::string Agent::describeWait() const {
  std::string place = current ? placeOf(current) : "";
  return fmt::format("{} waits at {}{} for {}", name(), current ? current->getName().getStringRef().str() : "its start",
                     place.empty() ? "" : " (" + place + ")", waitsFor);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------------------------===//

Expected<Datum> Agent::lookup(mlir::Value value) const {
  auto found = values.find(value);
  if (found == values.end())
    return makeError(ErrorCode::VerifyError, "uses a value that {} has not computed", name());
  return found->second;
}

Expected<TilePtr> Agent::tile(mlir::Value value) const {
  auto found = values.find(value);
  if (found != values.end()) {
    if (const TilePtr *tile = std::get_if<TilePtr>(&found->second))
      return *tile;
    if (std::holds_alternative<std::shared_ptr<InflightValue>>(found->second))
      return makeError(ErrorCode::VerifyError,
                       "uses an accumulator that a wgmma is still writing; wait for it first (warp.wgmma_wait)");
  }
  return makeError(ErrorCode::VerifyError, "uses a value that is not in registers");
}

Expected<int32_t> Agent::scalar(mlir::Value value) const {
  Expected<TilePtr> found = tile(value);
  if (!found)
    return takeError(found);
  if ((*found)->ints.size() != 1)
    return makeError(ErrorCode::VerifyError, "needs an integer scalar");
  return (*found)->ints[0];
}

Expected<SlotValue> Agent::slot(mlir::Value value) const {
  auto found = values.find(value);
  if (found == values.end() || !std::holds_alternative<SlotValue>(found->second))
    return makeError(ErrorCode::VerifyError, "uses a slot that {} does not have", name());
  return std::get<SlotValue>(found->second);
}

Expected<std::shared_ptr<const ListRow>> Agent::list(mlir::Value value) const {
  auto found = values.find(value);
  if (found == values.end() || !std::holds_alternative<std::shared_ptr<const ListRow>>(found->second))
    return makeError(ErrorCode::VerifyError, "uses a list that {} has not opened", name());
  return std::get<std::shared_ptr<const ListRow>>(found->second);
}

//===--------------------------------------------------------------------------------------------------------------===//
// One step
//===--------------------------------------------------------------------------------------------------------------===//

Expected<Agent::Status> Agent::step() {
  Frame &frame = frames.back();
  if (frame.next != frame.block->end() && isa<warp::ReturnOp>(*frame.next)) {
    waitForStores();
    return Status::Done;
  }
  if (frame.next == frame.block->end()) { // of a role
    if (!pending.empty()) {
      current = pending.front().result->issued;
      return makeError(ErrorCode::VerifyError, "issues a product that is never waited for");
    }
    frames.pop_back();
    return frames.empty() ? Status::Done : Status::Ran;
  }
  current = &*frame.next;
  Expected<Status> status = Status::Ran;
  if (auto next = dyn_cast<warp::NextTileOp>(current)) {
    status = nextTile(next);
  } else if (auto yield = dyn_cast<warp::RoleYieldOp>(current)) {
    ++frame.next; // The block's end is what a role without kept values ends with.
    if (Expected<void> done = keep(yield); !done)
      return takeError(done);
  } else if (current->hasTrait<OpTrait::IsTerminator>()) {
    if (Expected<void> done = leaveBlock(current); !done)
      return takeError(done);
  } else {
    ++frame.next; // before `frame` may move
    status = execute(current);
    if (status && (*status == Status::Blocked || *status == Status::Stayed))
      frames.back().next = Block::iterator(current);
  }
  if (status && *status == Status::Ran)
    ++report.operations;
  return status;
}

static Expected<Agent::Status> ran(Expected<void> done) {
  if (!done)
    return takeError(done);
  return Agent::Status::Ran;
}

Expected<Agent::Status> Agent::execute(Operation *op) {
  const bool ofConsumers =
      isa<warp::RingWaitOp, warp::RingReleaseOp, warp::WgmmaSsOp, warp::WgmmaRsOp, warp::MmaSyncOp, warp::BlockReduceOp,
          warp::TurnWaitOp, warp::TurnPassOp, warp::LoadGlobalOp, warp::StoreGlobalOp, warp::StoreSharedOp,
          warp::TmaStoreOp, warp::TmaStoreWaitOp, warp::WarpgroupSyncOp>(op);
  if ((isProducer() && ofConsumers) || (!isProducer() && isa<warp::RingAcquireOp, warp::RingFillOp>(op)))
    return makeError(ErrorCode::VerifyError, "cannot be run by {}", name());
  auto setInt = [&](mlir::Value value, int64_t number) -> Expected<Status> {
    set(value, Tile::scalar(static_cast<int32_t>(number)));
    return Status::Ran;
  };
  return llvm::TypeSwitch<Operation *, Expected<Status>>(op)
      .Case([&](scf::ForOp op) { return ran(enterFor(op)); })
      .Case([&](scf::IfOp op) { return ran(enterIf(op)); })
      .Case([&](warp::RolesOp op) { return ran(enterRole(op)); })
      .Case([&](warp::ForTilesOp op) { return ran(enterTiles(op)); })
      .Case<warp::RingCreateOp, warp::SmemCreateOp>([&](auto) { return Status::Ran; }) // ThreadBlock
      .Case([&](tile::ProgramIdOp op) { return setInt(op, block.position[op.getAxis()]); })
      .Case([&](tile::DimOp op) -> Expected<Status> {
        auto dim = block.launch.dims.find(op.getName());
        if (dim == block.launch.dims.end())
          return makeError(ErrorCode::VerifyError, "asks for the unknown dimension '{}'", op.getName().str());
        return setInt(op, dim->second);
      })
      .Case([&](warp::WarpgroupOp op) { return setInt(op, warpgroup()); })
      .Case([&](warp::PackAFragOp op) { return ran(pack(op)); })
      .Case([&](warp::BroadcastOp op) { return ran(broadcast(op)); })
      .Case([&](warp::ScaleRowsOp op) { return ran(scaleRows(op)); })
      .Case([&](warp::RowReduceOp op) { return ran(rowReduce(op)); })
      .Case([&](warp::QuadReduceOp op) { return ran(quadReduce(op)); })
      .Case([&](warp::BlockReduceOp op) { return blockReduce(op); })
      .Case([&](warp::IotaOp op) { return ran(iota(op)); })
      .Case([&](warp::PositionsOp op) { return ran(positions(op)); })
      .Case([&](warp::LoadGlobalOp op) { return ran(loadGlobal(op)); })
      .Case([&](warp::StoreGlobalOp op) { return ran(storeGlobal(op)); })
      .Default([&](Operation *op) { return executeShared(op); });
}

/// Lists, rings, shared tiles, barriers and products.
Expected<Agent::Status> Agent::executeShared(Operation *op) {
  auto setFromList = [&](mlir::Value list, mlir::Value result, auto ask) -> Expected<Status> {
    auto row = this->list(list);
    if (!row)
      return takeError(row);
    set(result, ask(**row));
    return Status::Ran;
  };
  auto number = [](int64_t value) { return Tile::scalar(static_cast<int32_t>(value)); };
  const int64_t next = block.launch.consumers ? (warpgroup() + 1) % block.launch.consumers : 0;
  constexpr int64_t kTurnThreads = 2 * warp::kWarpgroupThreads;
  return llvm::TypeSwitch<Operation *, Expected<Status>>(op)
      .Case([&](warp::ListOpenOp op) { return ran(openList(op)); })
      .Case([&](warp::ListBandsOp op) { return ran(openBands(op)); })
      .Case([&](warp::ListCountOp op) {
        return setFromList(op.getList(), op, [&](const ListRow &row) { return number(row.count()); });
      })
      .Case([&](warp::ListMaskedOp op) {
        return setFromList(op.getList(), op, [&](const ListRow &row) { return number(row.masked()); });
      })
      .Case([&](warp::ListPaddedOp op) {
        return setFromList(op.getList(), op,
                           [](const ListRow &row) { return Tile::scalar(row.isPadded(), Element::I1); });
      })
      .Case([&](warp::ListStepOp op) { return ran(readStep(op)); })
      .Case([&](warp::RingAcquireOp op) { return acquire(op); })
      .Case([&](warp::RingFillOp op) { return ran(fill(op)); })
      .Case([&](warp::RingWaitOp op) { return waitForFill(op); })
      .Case([&](warp::RingReleaseOp op) { return ran(release(op)); })
      .Case([&](warp::WgmmaSsOp op) {
        return ran(issueProduct(op, op.getA(), op.getTransA(), op.getB(), op.getTransB(), op.getAcc()));
      })
      .Case([&](warp::WgmmaRsOp op) {
        return ran(issueProduct(op, op.getA(), false, op.getB(), op.getTransB(), op.getAcc()));
      })
      .Case([&](warp::MmaSyncOp op) { return ran(multiply(op)); })
      .Case([&](warp::WgmmaCommitOp op) { return commit(op), Status::Ran; })
      .Case([&](warp::WgmmaWaitOp op) { return ran(waitForGroup(op)); })
      .Case([&](warp::NamedBarrierSyncOp op) { return syncNamed(op.getId(), op.getThreads()); })
      .Case([&](warp::NamedBarrierArriveOp op) { return ran(arriveNamed(op.getId(), op.getThreads())); })
      .Case([&](warp::TurnWaitOp) { return syncNamed(warp::kFirstTurnBarrier + warpgroup(), kTurnThreads); })
      .Case([&](warp::TurnPassOp) { return ran(arriveNamed(warp::kFirstTurnBarrier + next, kTurnThreads)); })
      .Case([&](warp::StoreSharedOp op) { return ran(storeShared(op)); })
      .Case([&](warp::TmaStoreOp op) { return ran(tmaStore(op)); })
      .Case([&](warp::TmaStoreWaitOp) { return waitForStores(), Status::Ran; })
      .Case([&](warp::WarpgroupSyncOp) {
        return syncNamed(warp::kFirstWarpgroupBarrier + warpgroup(), warp::kWarpgroupThreads);
      })
      .Case([&](warp::FenceAsyncOp) { return block.memory.fence(self), Status::Ran; })
      .Default([&](Operation *) { return ran(executeElementwise(op)); });
}

Expected<void> Agent::executeElementwise(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0)
    return makeError(ErrorCode::Unsupported, "is not known to the interpreter");
  std::vector<TilePtr> operands;
  for (mlir::Value operand : op->getOperands()) {
    Expected<TilePtr> found = tile(operand);
    if (!found)
      return takeError(found);
    operands.push_back(std::move(*found));
  }
  Expected<Tile> result = evaluateElementwise(op, operands);
  if (!result)
    return takeError(result);
  set(op->getResult(0), std::move(*result));
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Control flow
//===--------------------------------------------------------------------------------------------------------------===//

warp::RoleOp Agent::ownRole(warp::RolesOp roles) const {
  for (auto role : roles.getBody().front().getOps<warp::RoleOp>())
    if ((role.getKind() == warp::RoleKind::Producer) == isProducer())
      return role;
  return {};
}

Expected<void> Agent::enterRole(warp::RolesOp roles) {
  warp::RoleOp role = ownRole(roles);
  if (!role)
    return makeError(ErrorCode::VerifyError, "has no role for {}", name());
  Block &body = role.getBody().front();
  frames.push_back({&body, body.begin(), roles});
  return block.launch.tiles ? Expected<void>() : passFirstTurn(role);
}

Expected<void> Agent::enterFor(scf::ForOp loop) {
  Frame frame{loop.getBody(), loop.getBody()->begin(), loop};
  for (auto [bound, to] : {std::pair(loop.getLowerBound(), &frame.counter), std::pair(loop.getUpperBound(), &frame.end),
                           std::pair(loop.getStep(), &frame.step)}) {
    Expected<int32_t> found = scalar(bound);
    if (!found)
      return takeError(found);
    *to = *found;
  }
  if (frame.step <= 0)
    return makeError(ErrorCode::VerifyError, "loops by a step of {}", frame.step);
  const bool runs = frame.counter < frame.end;
  for (auto [index, init] : llvm::enumerate(loop.getInitArgs())) {
    Expected<Datum> found = lookup(init);
    if (!found)
      return takeError(found);
    values[runs ? mlir::Value(loop.getRegionIterArg(index)) : mlir::Value(loop.getResult(index))] = std::move(*found);
  }
  if (!runs)
    return {};
  set(loop.getInductionVar(), Tile::scalar(static_cast<int32_t>(frame.counter)));
  frames.push_back(frame);
  return {};
}

Expected<void> Agent::enterIf(scf::IfOp op) {
  Expected<int32_t> condition = scalar(op.getCondition());
  if (!condition)
    return takeError(condition);
  if (Block *taken = *condition ? op.thenBlock() : op.elseBlock())
    frames.push_back({taken, taken->begin(), op});
  return {};
}

/// The terminator of a loop's or a condition's block.
Expected<void> Agent::leaveBlock(Operation *terminator) {
  Frame &frame = frames.back();
  llvm::SmallVector<Datum> yielded;
  for (mlir::Value operand : terminator->getOperands()) {
    Expected<Datum> found = lookup(operand);
    if (!found)
      return takeError(found);
    yielded.push_back(std::move(*found));
  }
  auto assign = [&](ValueRange targets) -> Expected<void> {
    for (auto [target, datum] : llvm::zip(targets, yielded))
      values[target] = datum;
    return {};
  };
  if (auto loop = dyn_cast_or_null<scf::ForOp>(frame.parent)) {
    // The last step's values, too, go into the registers that the loop carries.
    if (Expected<void> done = checkFragmentsKept(loop.getRegionIterArgs(), yielded); !done)
      return done;
    frame.counter += frame.step;
    if (frame.counter < frame.end) {
      frame.next = frame.block->begin();
      set(loop.getInductionVar(), Tile::scalar(static_cast<int32_t>(frame.counter)));
      return assign(loop.getRegionIterArgs());
    }
  }
  Operation *parent = frame.parent;
  frames.pop_back();
  if (!parent)
    return makeError(ErrorCode::Unsupported, "is a terminator that the interpreter does not know");
  return assign(parent->getResults());
}

/// An A operand that a loop carries has registers of its own: they must not be written while a product reads them.
Expected<void> Agent::checkFragmentsKept(ValueRange targets, llvm::ArrayRef<Datum> sources) const {
  for (auto [target, source] : llvm::zip(targets, sources)) {
    auto held = values.find(target);
    if (held == values.end() || held->second == source)
      continue;
    for (const Pending &each : pending)
      if (const TilePtr *tile = std::get_if<TilePtr>(&held->second); tile && *tile && each.aFragment == *tile)
        return makeError(ErrorCode::VerifyError, "redefines an A operand while a product in flight reads it; wait for "
                                                 "the product first (warp.wgmma_wait)");
  }
  return {};
}

} // namespace lacuna::interpreter
