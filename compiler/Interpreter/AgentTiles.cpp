// The programs of a persistent kernel, and the first turn.
#include "Agent.h"

namespace lacuna::interpreter {

Expected<void> Agent::passFirstTurn(warp::RoleOp role) {
  const bool turns = role.walk([](warp::TurnWaitOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
  if (!turns || warpgroup() != block.launch.consumers - 1)
    return {};
  return arriveNamed(warp::kFirstTurnBarrier, 2 * warp::kWarpgroupThreads);
}

/// Every thread block begins with the program of its own number. What a role does around all programs stands below and
/// above the loop's frame.
Expected<void> Agent::enterTiles(warp::ForTilesOp op) {
  llvm::SmallVector<Datum> carried;
  for (mlir::Value init : op.getInits()) {
    Expected<Datum> found = lookup(init);
    if (!found)
      return takeError(found);
    carried.push_back(std::move(*found));
  }
  warp::RoleOp role = op.getRoles() ? ownRole(op.getRoles()) : warp::RoleOp();
  if (role)
    if (Expected<void> done = passFirstTurn(role); !done)
      return done;
  const bool spans = role && role.spansPrograms();
  auto push = [&](mlir::Region &region, mlir::Operation *parent) {
    frames.push_back({&region.front(), region.front().begin(), parent});
  };
  if (spans)
    push(role.getLeave(), role);
  push(op.getBody(), op);
  if (Expected<void> done = startProgram(block.position[0], carried); !done)
    return done;
  if (spans)
    push(role.getEnter(), role);
  return {};
}

Expected<void> Agent::keep(warp::RoleYieldOp op) {
  auto role = mlir::cast<warp::RoleOp>(op->getParentOp());
  llvm::SmallVector<Datum> kept;
  for (mlir::Value value : op.getValues()) {
    Expected<Datum> found = lookup(value);
    if (!found)
      return takeError(found);
    kept.push_back(std::move(*found));
  }
  for (mlir::Region *region : {&role.getBody(), &role.getLeave()}) {
    if (Expected<void> done = checkFragmentsKept(region->getArguments(), kept); !done)
      return done;
    for (auto [argument, datum] : llvm::zip(region->getArguments(), kept))
      values[argument] = datum;
  }
  return {};
}

Expected<void> Agent::startProgram(int64_t number, llvm::ArrayRef<Datum> carried) {
  const Launch &launch = block.launch;
  if (number >= launch.programs) {
    frames.pop_back();
    return {};
  }
  program = number;
  warp::ForTilesOp tiles = launch.tiles;
  const int64_t coordinates[] = {number % launch.width, number / launch.width % launch.height,
                                 number / launch.width / launch.height};
  for (auto [coordinate, value] : llvm::zip(tiles.getCoordinates(), coordinates))
    set(coordinate, Tile::scalar(static_cast<int32_t>(value)));
  for (auto [argument, value] : llvm::zip(tiles.getCarried(), carried))
    values[argument] = value;
  frames.back().next = frames.back().block->begin();
  return {};
}

/// The producer posts the number of its next program in one of two mailboxes, each warpgroup takes it from there.
/// (lower-warp has a scheduler do it.) Programs are dealt in turn to the thread blocks; which of them a queue in global
/// memory would give makes no difference here.
Expected<Agent::Status> Agent::nextTile(warp::NextTileOp op) {
  llvm::SmallVector<Datum> carried;
  for (mlir::Value value : op.getValues()) {
    Expected<Datum> found = lookup(value);
    if (!found)
      return takeError(found);
    carried.push_back(std::move(*found));
  }
  Mailbox &mailbox = block.mailboxes[static_cast<size_t>(round & 1)];
  const int64_t word = block.mailboxWords + 4 * (round & 1), parity = round >> 1 & 1;
  int32_t next = static_cast<int32_t>(program + block.launch.threadBlocks);
  Mbarrier &awaited = isProducer() ? mailbox.empty : mailbox.full;
  if (!awaited.test(isProducer() ? parity ^ 1 : parity)) {
    waitsFor = fmt::format("mailbox {} to be {}: its barrier has {}", round & 1, isProducer() ? "empty" : "full",
                           awaited.describe());
    return Status::Blocked;
  }
  self.clock.join(awaited.releasedClock());
  Expected<void> done;
  if (isProducer()) {
    block.memory.write(word, std::as_bytes(std::span(&next, 1)), self);
    done = mailbox.full.arrive(1, self.clock);
  } else {
    done = block.memory.read(word, std::as_writable_bytes(std::span(&next, 1)), self);
    if (done)
      done = mailbox.empty.arrive(4, self.clock); // a lane of each warp
  }
  ++self.clock.at[static_cast<size_t>(self.agent)];
  if (done)
    done = (++round, startProgram(next, carried));
  if (!done)
    return takeError(done);
  return Status::Ran;
}

} // namespace lacuna::interpreter
