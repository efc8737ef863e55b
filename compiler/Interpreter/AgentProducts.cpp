// Matrix products, their groups, and the A operands in registers.
#include "Agent.h"

namespace lacuna::interpreter {

/// The operand that a matrix descriptor points to; `ownRows`: the 64 rows of this warpgroup.
Expected<SharedOperand> Agent::sharedOperand(mlir::Value value, bool kMajor, bool ownRows) const {
  if (mlir::isa<warp::SmemType>(value.getType()))
    return writtenOperand(value, kMajor);
  Expected<SlotValue> held = slot(value);
  if (!held)
    return takeError(held);
  const Ring &ring = block.rings[held->ring];
  if (Expected<void> done = ring.checkHeld(held->fill, warpgroup()); !done)
    return takeError(done);
  const int64_t offset = ring.slotOffset(held->fill);
  if (Expected<void> done = block.memory.checkAsyncRead(offset, ring.shape().slotBytes, self); !done)
    return takeError(done);
  SharedOperand operand{block.memory.bytes(), offset, {ring.shape().rows, kMajor}, ring.shape().bf16};
  if (ownRows)
    operand.offset += warpgroup() * operand.layout.warpgroupOffset();
  return operand;
}

Expected<void> Agent::issueProduct(mlir::Operation *op, mlir::Value a, bool transA, mlir::Value b, bool transB,
                                   mlir::Value acc) {
  auto type = mlir::cast<warp::InflightType>(op->getResult(0).getType()).getTensor();
  Pending issued;
  issued.result = std::make_shared<InflightValue>();
  issued.result->issued = op;
  issued.product.columns = type.getDimSize(1);
  if (!mlir::isa<mlir::RankedTensorType>(a.getType())) {
    Expected<SharedOperand> operand = sharedOperand(a, !transA, /*ownRows=*/true);
    if (!operand)
      return takeError(operand);
    issued.product.a = *operand;
    if (mlir::isa<warp::SmemType>(a.getType()))
      issued.tile = a.getDefiningOp();
    else
      issued.a = *slot(a);
  } else {
    Expected<TilePtr> fragment = tile(a);
    if (!fragment)
      return takeError(fragment);
    issued.aFragment = *fragment;
    issued.product.aFragment = issued.aFragment.get();
  }
  Expected<SharedOperand> operand = sharedOperand(b, transB, /*ownRows=*/false);
  if (!operand)
    return takeError(operand);
  issued.product.b = *operand;
  issued.b = *slot(b);
  auto slotB = mlir::cast<warp::SlotType>(b.getType());
  issued.product.steps = (transB ? slotB.getColumns() : slotB.getRows()) / 16;
  if (acc) {
    Expected<Datum> start = lookup(acc);
    if (!start)
      return takeError(start);
    if (auto *inflight = std::get_if<std::shared_ptr<InflightValue>>(&*start)) {
      if ((*inflight)->handedOn)
        return makeError(ErrorCode::VerifyError,
                         "adds to an accumulator in flight that a later product or a wait has taken already");
      (*inflight)->handedOn = true;
      issued.chained = *inflight;
    } else if (auto *tile = std::get_if<TilePtr>(&*start)) {
      issued.acc = *tile;
    }
  }
  values[op->getResult(0)] = issued.result;
  pending.push_back(std::move(issued));
  ++report.products;
  return {};
}

Expected<void> Agent::multiply(warp::MmaSyncOp op) {
  Product product;
  product.columns = mlir::cast<mlir::RankedTensorType>(op.getResult().getType()).getDimSize(1);
  product.loadsMatrices = true;
  product.warpgroup = warpgroup();
  TilePtr fragment, acc;
  if (mlir::isa<warp::SlotType>(op.getA().getType())) {
    Expected<SharedOperand> operand = sharedOperand(op.getA(), !op.getTransA(), /*ownRows=*/false);
    if (!operand)
      return takeError(operand);
    product.a = *operand;
  } else {
    Expected<TilePtr> given = tile(op.getA());
    if (!given)
      return takeError(given);
    fragment = std::move(*given);
    product.aFragment = fragment.get();
  }
  Expected<SharedOperand> operand = sharedOperand(op.getB(), op.getTransB(), /*ownRows=*/false);
  if (!operand)
    return takeError(operand);
  product.b = *operand;
  warp::SlotType b = op.getB().getType();
  product.steps = (op.getTransB() ? b.getColumns() : b.getRows()) / 16;
  if (op.getAcc()) {
    Expected<TilePtr> given = tile(op.getAcc());
    if (!given)
      return takeError(given);
    acc = std::move(*given);
  }
  set(op.getResult(), product.run(acc.get()));
  ++report.products;
  return {};
}

void Agent::run(Pending &each) {
  if (each.result->value)
    return;
  const Tile *acc = each.chained ? each.chained->value.get() : each.acc.get();
  each.result->value = std::make_shared<const Tile>(each.product.run(acc));
}

bool Agent::runOldestProduct() {
  for (Pending &each : pending)
    if (!each.result->value)
      return run(each), true;
  return false;
}

void Agent::commit(warp::WgmmaCommitOp op) {
  for (Pending &each : pending)
    if (each.result->group < 0)
      each.result->group = nextGroup;
  values[op.getGroup()] = GroupValue{nextGroup++};
}

Expected<void> Agent::waitForGroup(warp::WgmmaWaitOp op) {
  Expected<Datum> found = lookup(op.getGroup());
  if (!found)
    return takeError(found);
  const auto *group = std::get_if<GroupValue>(&*found);
  if (!group)
    return makeError(ErrorCode::VerifyError, "waits for something that is no group");
  // Groups are complete in the order of their commits.
  while (!pending.empty() && pending.front().result->group >= 0 && pending.front().result->group <= group->number) {
    run(pending.front());
    pending.front().result->retired = true;
    pending.pop_front();
  }
  size_t next = 0;
  for (mlir::Value operand : op.getInflight()) {
    Expected<Datum> given = lookup(operand);
    if (!given)
      return takeError(given);
    auto *inflight = std::get_if<std::shared_ptr<InflightValue>>(&*given);
    if (!inflight)
      return makeError(ErrorCode::VerifyError, "waits for something that is not in flight");
    if (!(*inflight)->retired)
      return makeError(
          ErrorCode::VerifyError, "hands over an accumulator in flight: its product {}, and group {} was waited for",
          (*inflight)->group < 0 ? "was never committed" : fmt::format("belongs to group {}", (*inflight)->group),
          group->number);
    (*inflight)->handedOn = true;
    values[op.getResults()[next++]] = (*inflight)->value;
  }
  for (mlir::Value carried : op.getCarry()) {
    Expected<Datum> given = lookup(carried);
    if (!given)
      return takeError(given);
    values[op.getResults()[next++]] = std::move(*given);
  }
  return {};
}

Expected<void> Agent::pack(warp::PackAFragOp op) {
  if (!pending.empty())
    return makeError(ErrorCode::VerifyError, "packs an A operand while a wgmma is in flight, which serialises all "
                                             "products; wait for it first (warp.wgmma_wait)");
  Expected<TilePtr> x = tile(op.getX());
  if (!x)
    return takeError(x);
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  Tile result(*type);
  for (size_t index = 0; index < result.floats.size(); ++index) {
    const auto value = static_cast<int64_t>(index) / warp::kWarpgroupThreads;
    const auto thread = static_cast<int64_t>(index) % warp::kWarpgroupThreads;
    const int64_t from = warp::AFragLayout::accRegister(value / 2, value % 2);
    result.floats[index] = (*x)->floats[static_cast<size_t>(from * warp::kWarpgroupThreads + thread)];
  }
  set(op.getResult(), std::move(result));
  return {};
}

} // namespace lacuna::interpreter
