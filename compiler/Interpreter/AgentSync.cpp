// Block lists, rings, named barriers.
#include "Agent.h"

#include <cstring>

namespace lacuna::interpreter {

//===--------------------------------------------------------------------------------------------------------------===//
// Lists
//===--------------------------------------------------------------------------------------------------------------===//

Expected<std::vector<int32_t>> Agent::scalars(mlir::ValueRange operands) const {
  std::vector<int32_t> numbers;
  for (mlir::Value operand : operands) {
    Expected<int32_t> number = scalar(operand);
    if (!number)
      return takeError(number);
    numbers.push_back(*number);
  }
  return numbers;
}

Expected<void> Agent::openList(warp::ListOpenOp op) {
  Expected<std::vector<int32_t>> place = scalars({op.getBatch(), op.getHead(), op.getRow(), op.getLimit()});
  if (!place)
    return takeError(place);
  const std::vector<int32_t> &numbers = *place;
  const auto argument = mlir::cast<mlir::BlockArgument>(op.getBlocks()).getArgNumber();
  const auto &blocks = std::get<runtime::BlockListView>(block.launch.arguments[argument]);
  Expected<ListRow> row =
      ListRow::open(op.getList().getType(), blocks, numbers[0], numbers[1], numbers[2], numbers[3], op.getNonempty());
  if (!row)
    return takeError(row);
  values[op.getList()] = std::make_shared<const ListRow>(*row);
  return {};
}

Expected<void> Agent::openBands(warp::ListBandsOp op) {
  Expected<std::vector<int32_t>> bounds = scalars(op.getBounds());
  if (!bounds)
    return takeError(bounds);
  Expected<int32_t> limit = scalar(op.getLimit());
  if (!limit)
    return takeError(limit);
  Expected<ListRow> row = ListRow::ofBands(op.getList().getType(), *bounds, *limit, op.getNonempty());
  if (!row)
    return takeError(row);
  values[op.getList()] = std::make_shared<const ListRow>(*row);
  return {};
}

Expected<void> Agent::readStep(warp::ListStepOp op) {
  auto row = list(op.getList());
  if (!row)
    return takeError(row);
  Expected<int32_t> number = scalar(op.getIndex());
  if (!number)
    return takeError(number);
  Expected<ListRow::Step> step = (*row)->step(*number);
  if (!step)
    return takeError(step);
  set(op.getPartial(), Tile::scalar(step->partial, Element::I1));
  set(op.getExceeds(), Tile::scalar(step->exceeds, Element::I1));
  for (auto [start, result] : llvm::zip(step->starts, op.getStarts()))
    set(result, Tile::scalar(static_cast<int32_t>(start)));
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rings
//===--------------------------------------------------------------------------------------------------------------===//

Expected<int64_t> Agent::fillNumber(mlir::Value n) const {
  Expected<int32_t> number = scalar(n);
  if (!number)
    return takeError(number);
  if (*number < 0)
    return makeError(ErrorCode::VerifyError, "names fill {} of a ring", *number);
  return *number;
}

Expected<Agent::Status> Agent::acquire(warp::RingAcquireOp op) {
  Expected<int64_t> n = fillNumber(op.getN());
  if (!n)
    return takeError(n);
  const size_t number = block.ringOf.lookup(op.getRing().getDefiningOp());
  Ring &ring = block.rings[number];
  if (!ring.canAcquire(*n)) {
    waitsFor = ring.describeEmpty(*n);
    return Status::Blocked;
  }
  if (Expected<void> done = ring.acquire(*n, self); !done)
    return takeError(done);
  values[op.getSlot()] = SlotValue{number, *n};
  return Status::Ran;
}

Expected<void> Agent::fill(warp::RingFillOp op) {
  Expected<SlotValue> target = slot(op.getSlot());
  if (!target)
    return takeError(target);
  Ring &ring = block.rings[target->ring];
  std::vector<Copy> boxes;
  int64_t boxBytes = 0;
  for (auto load : op.getBody().front().getOps<warp::SlotCopy>()) {
    const bool byEngine = mlir::isa<warp::TmaLoadOp>(load);
    const auto argument = mlir::cast<mlir::BlockArgument>(load.getView()).getArgNumber();
    Copy copy{target->ring, target->fill, {}};
    copy.box.view = &*block.launch.views[argument];
    copy.box.rowAxis = load.getRowAxis();
    copy.box.rows = static_cast<int64_t>(load.getRows());
    copy.box.outerRows = static_cast<int64_t>(load.getOuterRows());
    for (mlir::Value index : load.getIndices()) {
      Expected<int32_t> start = scalar(index);
      if (!start)
        return takeError(start);
      copy.box.start.push_back(*start);
    }
    const auto slotRow = static_cast<int64_t>(load.getSlotRow()),
               slotColumn = static_cast<int64_t>(load.getSlotColumn());
    for (int64_t chunk = 0; chunk < load.getBoxes(); ++chunk) {
      Copy each = copy;
      int64_t &column = each.box.start.back();
      column += chunk * warp::kChunkColumns;
      if (byEngine &&
          column >= copy.box.view->extent(copy.box.view->rank() - 1)) // As lower-warp moves it; all is zero there.
        column = static_cast<int64_t>(llvm::alignTo(static_cast<uint64_t>(column), warp::kChunkColumns));
      if (Expected<void> done = byEngine ? each.box.checkStart() : each.box.checkAlignment(); !done)
        return done;
      const int64_t offset =
          ((chunk + slotColumn / warp::kChunkColumns) * ring.shape().rows + slotRow) * warp::kChunkRowBytes;
      if (offset + each.box.bytes() > ring.shape().slotBytes)
        return makeError(ErrorCode::VerifyError, "copies to bytes {} to {} of a slot of {}", offset,
                         offset + each.box.bytes(), ring.shape().slotBytes);
      each.box.offset = ring.slotOffset(target->fill) + offset;
      boxBytes += each.box.bytes();
      boxes.push_back(std::move(each));
    }
  }
  if (Expected<void> done = ring.beginFill(target->fill, static_cast<int64_t>(op.getBytes()),
                                           static_cast<int64_t>(boxes.size()), boxBytes, self);
      !done)
    return done;
  // Until a box has landed, its place holds nothing that could be mistaken for data.
  std::memset(block.memory.bytes() + ring.slotOffset(target->fill), 0xff, static_cast<size_t>(ring.shape().slotBytes));
  block.copies.insert(block.copies.end(), boxes.begin(), boxes.end());
  return {};
}

Expected<Agent::Status> Agent::waitForFill(warp::RingWaitOp op) {
  Expected<int64_t> n = fillNumber(op.getN());
  if (!n)
    return takeError(n);
  const size_t number = block.ringOf.lookup(op.getRing().getDefiningOp());
  Ring &ring = block.rings[number];
  if (Expected<void> done = ring.checkNextWait(*n, warpgroup()); !done)
    return takeError(done);
  if (!ring.canWait(*n)) {
    waitsFor = ring.describeFull(*n);
    return Status::Blocked;
  }
  if (Expected<void> done = ring.wait(*n, warpgroup(), self); !done)
    return takeError(done);
  values[op.getSlot()] = SlotValue{number, *n};
  return Status::Ran;
}

Expected<void> Agent::release(warp::RingReleaseOp op) {
  Expected<SlotValue> given = slot(op.getSlot());
  if (!given)
    return takeError(given);
  for (const Pending &each : pending)
    for (const SlotValue *read : {each.a ? &*each.a : nullptr, &each.b})
      if (read && read->ring == given->ring && read->fill == given->fill)
        return makeError(ErrorCode::VerifyError,
                         "releases fill {} of ring '{}' while a product in flight still reads it; wait for the product "
                         "first (warp.wgmma_wait)",
                         given->fill, block.rings[given->ring].shape().name);
  return block.rings[given->ring].release(given->fill, warpgroup(), self);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Named barriers
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Agent::arriveNamed(int64_t id, int64_t threads, bool waits) {
  if (!isInside(id, kNamedBarriers))
    return makeError(ErrorCode::VerifyError, "uses named barrier {} of {}", id, kNamedBarriers);
  // The producer's thread stands for its warp.
  const int64_t count = isProducer() ? 32 : warp::kWarpgroupThreads;
  Expected<void> done = block.named[static_cast<size_t>(id)].arrive(count, threads, waits, self.clock);
  ++self.clock.at[static_cast<size_t>(self.agent)];
  return done;
}

Expected<Agent::Status> Agent::syncNamed(int64_t id, int64_t threads) {
  if (!awaitedGeneration) {
    const int64_t generation = isInside(id, kNamedBarriers) ? block.named[static_cast<size_t>(id)].generation() : 0;
    if (Expected<void> done = arriveNamed(id, threads, /*waits=*/true); !done)
      return takeError(done);
    awaitedGeneration = generation;
  }
  const NamedBarrier &barrier = block.named[static_cast<size_t>(id)];
  if (barrier.generation() == *awaitedGeneration) {
    waitsFor = fmt::format("named barrier {}: {}", id, barrier.describe());
    return Status::Blocked;
  }
  awaitedGeneration.reset();
  self.clock.join(barrier.releasedClock());
  sharedTime = barrier.releasedClock().at[static_cast<size_t>(self.agent)];
  return Status::Ran;
}

} // namespace lacuna::interpreter
