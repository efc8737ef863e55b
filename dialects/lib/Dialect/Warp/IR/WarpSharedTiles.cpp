// Shared tiles that consumers write: the checks of each op, and one walk over a role that knows of every tile how far
// its last write has come (towards an asynchronous reader) and whether a copy may still be reading it. (Whether a
// product may, WarpProducts.cpp knows.)
//
//   written --warp.fence_async--> fenced --warp.warpgroup_sync--> visible to copies and products
//   copied --warp.tma_store_wait--> read, as the issuing thread knows --warp.warpgroup_sync--> free to be written
//
// A loop's body, and a role's where it runs one program after another, is walked until nothing is news: what one trip
// leaves behind is where the next begins.
#include "KernelVerifiers.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace lacuna::warp {

//===--------------------------------------------------------------------------------------------------------------===//
// One op
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult requireConsumers(Operation *op, SmemType tile) {
  RoleOp role = getRole(op);
  if (!role || role.getKind() != RoleKind::Consumer)
    return op->emitOpError() << "belongs to the consumer role, whose warpgroups own the rows of a shared tile";
  if (int64_t rows = role.getWarpgroups() * kWarpgroupRows; tile.getRows() != rows)
    return op->emitOpError() << "uses a shared tile of " << tile.getRows() << " rows, but the role's "
                             << role.getWarpgroups() << " warpgroups own " << rows << ", 64 each";
  return success();
}

LogicalResult SmemCreateOp::verify() {
  for (Operation *user : getSmem().getUsers())
    if (!isa<StoreSharedOp, TmaStoreOp, WgmmaSsOp>(user))
      return user->emitOpError() << "takes the shared tile '" << getName()
                                 << "', which only warp.store_shared, warp.tma_store and warp.wgmma_ss can";
  return success();
}

LogicalResult StoreSharedOp::verify() {
  SmemType tile = getSmem().getType();
  auto value = cast<RankedTensorType>(getValue().getType());
  if (!isa_and_present<AccAttr>(value.getEncoding()) || value.getElementType() != tile.getElementType() ||
      value.getDimSize(1) != tile.getColumns())
    return emitOpError() << "writes a #warp.acc tile of " << tile.getColumns() << " columns of "
                         << tile.getElementType() << " to " << tile << ", got " << value;
  return requireConsumers(*this, tile);
}

LogicalResult TmaStoreOp::verify() {
  SmemType tile = getSmem().getType();
  tile::ViewType view = getView().getType();
  int64_t rank = view.getRank();
  if (static_cast<int64_t>(getIndices().size()) != rank)
    return emitOpError() << "needs one index for each of the view's " << rank << " axes, got " << getIndices().size();
  if (rank < 2 || rank > kTensorMapRankLimit || static_cast<int64_t>(getRowAxis()) >= rank - 1)
    return emitOpError() << "copies to a view of 2 to " << kTensorMapRankLimit
                         << " axes, with rows along one before the innermost; got row axis " << getRowAxis() << " of "
                         << rank;
  if (view.getElementType() != tile.getElementType())
    return emitOpError() << "the view's elements are " << view.getElementType() << ", the shared tile's "
                         << tile.getElementType();
  if (tile.getColumns() % kChunkColumns != 0) {
    std::optional<int64_t> extent = view.getStaticExtent(rank - 1);
    APInt start;
    if (!extent || !matchPattern(getIndices().back(), m_ConstantInt(&start)) ||
        start.getSExtValue() + tile.getColumns() < *extent)
      return emitOpError() << "would write whole chunks of " << kChunkColumns << " columns: a tile of "
                           << tile.getColumns() << " must reach the known end of the view's innermost axis";
  }
  return requireConsumers(*this, tile);
}

LogicalResult TmaStoreWaitOp::verify() {
  RoleOp role = getRole(*this);
  if (!role || role.getKind() != RoleKind::Consumer)
    return emitOpError() << "waits for copies of the consumer role, and stands outside it";
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// The whole role
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// What is known of one tile at a place; of two ways to come there, the lesser.
struct TileState {
  enum Write { Never, Written, Fenced, Visible } write = Never;
  enum Read { Copied, Waited, Free } read = Free;
  Operation *writer = nullptr, *reader = nullptr; // for the messages

  bool join(const TileState &other) {
    bool news = other.write < write || other.read < read;
    if (other.write < write)
      write = other.write, writer = other.writer;
    if (other.read < read)
      read = other.read, reader = other.reader;
    return news;
  }
};

class SharedTileWalk {
public:
  using States = llvm::MapVector<Value, TileState>;

  /// Walks the body of a loop, whose end may be its beginning.
  LogicalResult walkLoop(Block &body, States &states);
  LogicalResult walk(Block &block, States &states);

private:
  LogicalResult visit(Operation &op, States &states);
  LogicalResult store(StoreSharedOp store, TileState &state);
  LogicalResult read(Operation *reader, const TileState &state);
};

bool join(SharedTileWalk::States &into, const SharedTileWalk::States &other) {
  bool news = false;
  for (auto &[tile, state] : into)
    news |= state.join(other.lookup(tile));
  return news;
}

LogicalResult refuse(Operation *op, const Twine &problem, Operation *other, const Twine &remedy) {
  InFlightDiagnostic diag = op->emitOpError() << problem;
  if (other)
    diag.attachNote(other->getLoc()) << remedy;
  return diag;
}

} // namespace

LogicalResult SharedTileWalk::store(StoreSharedOp store, TileState &state) {
  if (state.read == TileState::Copied)
    return refuse(store, "writes a shared tile that a copy may still be reading", state.reader,
                  "copied here; wait for it first (warp.tma_store_wait)");
  if (state.read == TileState::Waited)
    return refuse(store, "writes a shared tile before all threads know that its copy has read it", state.reader,
                  "only the thread that issued this copy has waited; add a warp.warpgroup_sync before the write");
  state.write = TileState::Written;
  state.writer = store;
  return success();
}

/// An asynchronous reader: a copy or a product.
LogicalResult SharedTileWalk::read(Operation *reader, const TileState &state) {
  switch (state.write) {
  case TileState::Never:
    return reader->emitOpError() << "reads a shared tile that may not have been written (warp.store_shared)";
  case TileState::Written:
    return refuse(reader, "reads asynchronously what threads wrote without a proxy fence", state.writer,
                  "written here; add a warp.fence_async after it");
  case TileState::Fenced:
    return refuse(reader, "is issued before all threads of the warpgroup have written and fenced", state.writer,
                  "written here; add a warp.warpgroup_sync after the warp.fence_async");
  case TileState::Visible:
    return success();
  }
  llvm_unreachable("unknown state");
}

LogicalResult SharedTileWalk::visit(Operation &op, States &states) {
  if (auto writing = dyn_cast<StoreSharedOp>(op))
    return store(writing, states[writing.getSmem()]);
  if (auto copy = dyn_cast<TmaStoreOp>(op)) {
    TileState &state = states[copy.getSmem()];
    if (failed(read(copy, state)))
      return failure();
    state.read = TileState::Copied;
    state.reader = copy;
    return success();
  }
  if (auto product = dyn_cast<WgmmaSsOp>(op); product && isa<SmemType>(product.getA().getType()))
    return read(product, states[product.getA()]);
  for (auto &[tile, state] : states) {
    if (isa<FenceAsyncOp>(op) && state.write == TileState::Written)
      state.write = TileState::Fenced;
    if (isa<TmaStoreWaitOp>(op) && state.read == TileState::Copied)
      state.read = TileState::Waited;
    if (isa<WarpgroupSyncOp>(op)) {
      state.write = state.write == TileState::Fenced ? TileState::Visible : state.write;
      state.read = state.read == TileState::Waited ? TileState::Free : state.read;
    }
  }
  return success();
}

LogicalResult SharedTileWalk::walkLoop(Block &body, States &states) {
  while (true) {
    States inside = states;
    if (failed(walk(body, inside)))
      return failure();
    if (!join(states, inside))
      return success();
  }
}

LogicalResult SharedTileWalk::walk(Block &block, States &states) {
  for (Operation &op : block) {
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      States otherwise = states;
      if (failed(walk(*branch.thenBlock(), states)) ||
          (branch.elseBlock() && failed(walk(*branch.elseBlock(), otherwise))))
        return failure();
      join(states, otherwise);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (failed(walkLoop(*loop.getBody(), states)))
        return failure();
    } else if (failed(visit(op, states))) {
      return failure();
    }
  }
  return success();
}

LogicalResult verifySharedTiles(FuncOp func) {
  SharedTileWalk::States states;
  func.walk([&](SmemCreateOp tile) { states[tile.getSmem()]; });
  if (states.empty())
    return success();
  WalkResult result = func.walk([&](RoleOp role) {
    if (role.getKind() != RoleKind::Consumer)
      return WalkResult::skip();
    SharedTileWalk walk;
    bool persistent = role->getParentOfType<ForTilesOp>() != nullptr;
    for (Block *block : role.getBlocks()) {
      // There may be no program between `enter` and `leave`, as there may be many.
      bool repeats = persistent && block->getParent() == &role.getBody();
      if (failed(repeats ? walk.walkLoop(*block, states) : walk.walk(*block, states)))
        return WalkResult::interrupt();
    }
    return WalkResult::skip();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::warp
