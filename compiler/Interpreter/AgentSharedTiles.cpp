// Shared tiles that a warpgroup writes, and the copies that leave from there; products that read them.
//
// A warpgroup is one agent, and yet one of its threads issues and waits for the copies that read what all have written.
// So that thread sees of the agent's own doings only what lies before the last barrier of all threads, and the others
// know of its wait only behind the next one.
#include "Agent.h"

namespace lacuna::interpreter {

Observer Agent::issuingThread() const {
  Observer thread = self;
  thread.clock.at[static_cast<size_t>(self.agent)] = sharedTime;
  return thread;
}

Expected<void> Agent::storeShared(warp::StoreSharedOp op) {
  Expected<TilePtr> value = tile(op.getValue());
  if (!value)
    return takeError(value);
  mlir::Operation *target = op.getSmem().getDefiningOp();
  std::erase_if(leaving, [&](const Leaving &copy) { return copy.waited && *copy.waited < sharedTime; });
  for (const Leaving &copy : leaving) {
    if (copy.tile != target)
      continue;
    if (!copy.waited)
      return makeError(ErrorCode::VerifyError, "writes a shared tile that a copy to global memory may still be "
                                               "reading; wait for it first (warp.tma_store_wait)");
    return makeError(ErrorCode::VerifyError, "writes a shared tile before all threads know that its copy has read it: "
                                             "no barrier stands behind the wait (warp.warpgroup_sync)");
  }
  for (const Pending &product : pending)
    if (product.tile == target)
      return makeError(ErrorCode::VerifyError,
                       "writes a shared tile while a product in flight still reads it; wait for "
                       "the product first (warp.wgmma_wait)");
  const warp::SmemType type = op.getSmem().getType();
  const warp::SwizzledTile layout{type.getRows()};
  const int64_t offset = block.sharedTileOf.lookup(target);
  const auto dtype = type.getElementType().isBF16() ? runtime::DType::BF16 : runtime::DType::F16;
  for (size_t index = 0; index < (*value)->floats.size(); ++index) {
    const warp::Coord at = coordOf((*value)->type, index);
    const uint16_t bits = runtime::floatTo16(dtype, (*value)->floats[index]);
    block.memory.write(offset + layout.offset(at.row + warpgroup() * warp::kWarpgroupRows, at.column),
                       std::as_bytes(std::span(&bits, 1)), self);
  }
  return {};
}

Expected<void> Agent::tmaStore(warp::TmaStoreOp op) {
  const auto argument = mlir::cast<mlir::BlockArgument>(op.getView()).getArgNumber();
  const warp::SmemType type = op.getSmem().getType();
  Leaving copy{op.getSmem().getDefiningOp(), {}, false, {}};
  Box box;
  box.view = &*block.launch.views[argument];
  box.rowAxis = op.getRowAxis();
  box.rows = warp::kWarpgroupRows;
  for (auto [axis, index] : llvm::enumerate(op.getIndices())) {
    Expected<int32_t> start = scalar(index);
    if (!start)
      return takeError(start);
    // Rows and columns may leave the view; a program has no business with another batch or head.
    if (axis != box.rowAxis && axis + 1 != op.getIndices().size() && !isInside(*start, box.view->extent(axis)))
      return makeError(ErrorCode::VerifyError, "copies to position {} of axis {}, which lies outside the view", *start,
                       axis);
    box.start.push_back(*start);
  }
  const int64_t firstRow = warpgroup() * warp::kWarpgroupRows, firstColumn = box.start.back();
  box.start[box.rowAxis] += firstRow;
  for (int64_t chunk = 0; chunk < type.getChunks(); ++chunk) {
    box.start.back() = firstColumn + chunk * warp::kChunkColumns;
    box.offset = block.sharedTileOf.lookup(copy.tile) + (chunk * type.getRows() + firstRow) * warp::kChunkRowBytes;
    if (Expected<void> done = box.checkStart(); !done)
      return done;
    if (Expected<void> done = block.memory.checkAsyncRead(box.offset, box.bytes(), issuingThread()); !done)
      return done;
    copy.boxes.push_back(box);
  }
  leaving.push_back(std::move(copy));
  return {};
}

Expected<SharedOperand> Agent::writtenOperand(mlir::Value tile, bool kMajor) const {
  const auto type = mlir::cast<warp::SmemType>(tile.getType());
  SharedOperand operand{block.memory.bytes(),
                        block.sharedTileOf.lookup(tile.getDefiningOp()),
                        {type.getRows(), kMajor},
                        type.getElementType().isBF16()};
  operand.offset += warpgroup() * operand.layout.warpgroupOffset();
  constexpr int64_t kOwnBytes = warp::kWarpgroupRows * warp::kChunkRowBytes;
  for (int64_t chunk = 0; chunk < type.getChunks(); ++chunk)
    if (Expected<void> done = block.memory.checkAsyncRead(
            operand.offset + chunk * type.getRows() * warp::kChunkRowBytes, kOwnBytes, issuingThread());
        !done)
      return takeError(done);
  return operand;
}

bool Agent::runOldestStore() {
  for (Leaving &copy : leaving) {
    if (copy.done)
      continue;
    for (const Box &box : copy.boxes) {
      box.copyFrom(block.memory.bytes());
      ++report.stores;
    }
    return copy.done = true;
  }
  return false;
}

void Agent::waitForStores() {
  while (runOldestStore())
    ;
  for (Leaving &copy : leaving)
    if (!copy.waited)
      copy.waited = self.clock.at[static_cast<size_t>(self.agent)];
  ++self.clock.at[static_cast<size_t>(self.agent)];
}

} // namespace lacuna::interpreter
