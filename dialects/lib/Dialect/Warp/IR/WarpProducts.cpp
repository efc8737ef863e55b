// Products in flight: one walk over a role in program order, which knows the groups that may be running.
//
// A group is waited for in the block that commits it (or the walk refuses), so what a region leaves running was running
// before it: one walk over a loop's body sees every state that its trips can start in. Waiting for a group also waits
// for those committed before it.
#include "KernelVerifiers.h"
#include "lacuna/Dialect/Warp/IR/ProductOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lacuna::warp {
namespace {

/// What may be running, in the order of its issue.
struct Flight {
  struct Group {
    Operation *commit;
    SmallVector<Operation *, 2> products;
  };
  SmallVector<Group, 2> groups;
  SmallVector<Operation *, 2> uncommitted;

  /// The first product that `matches`, or null.
  Operation *find(llvm::function_ref<bool(Operation *)> matches) const;
  /// What either may have running.
  void join(const Flight &other);
};

class FlightWalk {
public:
  LogicalResult walk(Block &block, Flight &flight);

private:
  LogicalResult walkRegions(Operation &op, Flight &flight);
  LogicalResult wait(WgmmaWaitOp wait, Flight &flight);
  LogicalResult release(RingReleaseOp release, const Flight &flight);
  LogicalResult overwrite(StoreSharedOp store, const Flight &flight);
  LogicalResult define(Operation &op, const Flight &flight);

  llvm::DenseMap<Operation *, Operation *> commits; // of a product
};

} // namespace

Operation *Flight::find(llvm::function_ref<bool(Operation *)> matches) const {
  for (const Group &group : groups)
    if (auto *product = llvm::find_if(group.products, matches); product != group.products.end())
      return *product;
  auto *product = llvm::find_if(uncommitted, matches);
  return product != uncommitted.end() ? *product : nullptr;
}

void Flight::join(const Flight &other) {
  // Either was reached from one state by waiting, which takes groups away from the front.
  if (other.groups.size() > groups.size())
    groups = other.groups;
  if (other.uncommitted.size() > uncommitted.size())
    uncommitted = other.uncommitted;
}

/// A result in flight goes to one place of its own block, and groups are waited for where they are committed.
static LogicalResult verifyUses(Operation &op) {
  for (OpResult result : op.getResults()) {
    if (!isa<InflightType, GroupType>(result.getType()))
      continue;
    bool group = isa<GroupType>(result.getType());
    if (group && result.use_empty())
      return op.emitOpError() << "closes a group that nobody waits for; add a warp.wgmma_wait";
    for (OpOperand &use : result.getUses()) {
      Operation *user = use.getOwner();
      auto wait = dyn_cast<WgmmaWaitOp>(user);
      if (!wait && (group || !isProduct(user))) {
        InFlightDiagnostic diag = user->emitOpError() << "uses "
                                                      << (group ? "a group of products that may be running"
                                                                : "an accumulator that a wgmma is still writing");
        diag.attachNote(op.getLoc()) << "issued here; wait for it first (warp.wgmma_wait)";
        return diag;
      }
      if (user->getBlock() != op.getBlock()) {
        InFlightDiagnostic diag = user->emitOpError()
                                  << (wait ? "waits for a group that was committed in another block"
                                           : "accumulates onto a product that was issued in another block");
        diag.attachNote(op.getLoc()) << "it stands here; issue, commit and wait belong to one block";
        return diag;
      }
    }
    if (!group && !result.hasOneUse())
      return op.emitOpError() << "is in flight and must go to one product or wait, found "
                              << std::distance(result.use_begin(), result.use_end()) << " uses";
  }
  return success();
}

LogicalResult FlightWalk::wait(WgmmaWaitOp wait, Flight &flight) {
  if (!flight.uncommitted.empty()) {
    InFlightDiagnostic diag = wait.emitOpError() << "would not wait for a product that no group holds yet";
    diag.attachNote(flight.uncommitted.front()->getLoc()) << "issued here; commit it first (warp.wgmma_commit)";
    return diag;
  }
  auto commit = wait.getGroup().getDefiningOp<WgmmaCommitOp>();
  if (!commit || commit->getBlock() != wait->getBlock())
    return wait.emitOpError() << "waits for a group that no warp.wgmma_commit of its block closed";
  for (Value value : wait.getInflight()) {
    Operation *product = value.getDefiningOp(), *own = product ? commits.lookup(product) : nullptr;
    if (own && (own == commit || own->isBeforeInBlock(commit)))
      continue;
    InFlightDiagnostic diag = wait.emitOpError() << "hands over a product of a later group, which may still be running";
    diag.attachNote(own ? own->getLoc() : value.getLoc()) << "wait for the group that is closed here";
    return diag;
  }
  auto *last = llvm::find_if(flight.groups, [&](const Flight::Group &group) { return group.commit == commit; });
  if (last != flight.groups.end()) // Otherwise a wait before this one was for it, too.
    flight.groups.erase(flight.groups.begin(), last + 1);
  return success();
}

/// A slot that is handed back may be overwritten at once.
LogicalResult FlightWalk::release(RingReleaseOp release, const Flight &flight) {
  Operation *reader =
      flight.find([&](Operation *product) { return llvm::is_contained(product->getOperands(), release.getSlot()); });
  if (!reader)
    return success();
  InFlightDiagnostic diag = release.emitOpError() << "hands back a slot that a product in flight may be reading";
  diag.attachNote(reader->getLoc()) << "read by this product; wait for it first (warp.wgmma_wait)";
  return diag;
}

LogicalResult FlightWalk::overwrite(StoreSharedOp store, const Flight &flight) {
  Operation *reader =
      flight.find([&](Operation *product) { return llvm::is_contained(product->getOperands(), store.getSmem()); });
  if (!reader)
    return success();
  InFlightDiagnostic diag = store.emitOpError() << "writes a shared tile that a product in flight may be reading";
  diag.attachNote(reader->getLoc()) << "read by this product; wait for it first (warp.wgmma_wait)";
  return diag;
}

/// Whether registers that `op` writes become an A operand: a fragment, or what is packed into one without moving.
static bool makesFragment(Operation &op) {
  if (op.hasTrait<OpTrait::ConstantLike>())
    return false;
  return llvm::any_of(op.getResults(), [](Value result) {
    auto tensor = dyn_cast<RankedTensorType>(result.getType());
    return tensor && (isa_and_present<AFragAttr>(tensor.getEncoding()) ||
                      llvm::any_of(result.getUsers(), [](Operation *user) { return isa<PackAFragOp>(user); }));
  });
}

/// An A operand that is written while a wgmma runs makes ptxas serialise every wgmma of the kernel.
LogicalResult FlightWalk::define(Operation &op, const Flight &flight) {
  Operation *running = flight.find([](Operation *) { return true; });
  if (!running || !makesFragment(op))
    return success();
  InFlightDiagnostic diag = op.emitOpError()
                            << (isa<PackAFragOp>(op) ? "packs" : "computes")
                            << " an A operand while a wgmma is in flight, which serialises all products";
  diag.attachNote(running->getLoc()) << "in flight since here; wait for it first (warp.wgmma_wait)";
  return diag;
}

LogicalResult FlightWalk::walkRegions(Operation &op, Flight &flight) {
  if (!flight.uncommitted.empty()) {
    WalkResult found = op.walk([&](Operation *inner) {
      return isProduct(inner) || isa<WgmmaCommitOp>(inner) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (found.wasInterrupted()) {
      InFlightDiagnostic diag = op.emitOpError() << "holds products, but one before it is not committed yet";
      diag.attachNote(flight.uncommitted.front()->getLoc()) << "issued here; commit it first (warp.wgmma_commit)";
      return diag;
    }
  }
  // All regions may be skipped, but for those of a condition that has both.
  const Flight before = flight;
  if (auto branch = dyn_cast<scf::IfOp>(op); branch && branch.elseBlock())
    flight = Flight();
  for (Region &region : op.getRegions())
    for (Block &block : region) {
      Flight inside = before;
      if (failed(walk(block, inside)))
        return failure();
      flight.join(inside);
    }
  return success();
}

LogicalResult FlightWalk::walk(Block &block, Flight &flight) {
  for (Operation &op : block) {
    LogicalResult legal = success();
    if (isProduct(&op) || isa<WgmmaCommitOp>(op))
      legal = verifyUses(op);
    if (failed(legal))
      return failure();
    if (isProduct(&op)) {
      flight.uncommitted.push_back(&op);
    } else if (isa<WgmmaCommitOp>(op)) {
      for (Operation *product : flight.uncommitted)
        commits[product] = &op;
      flight.groups.push_back({&op, std::move(flight.uncommitted)});
      flight.uncommitted.clear();
    } else if (auto waiting = dyn_cast<WgmmaWaitOp>(op)) {
      legal = wait(waiting, flight);
    } else if (auto releasing = dyn_cast<RingReleaseOp>(op)) {
      legal = release(releasing, flight);
    } else if (auto storing = dyn_cast<StoreSharedOp>(op)) {
      legal = overwrite(storing, flight);
    } else if (op.getNumRegions() != 0) {
      legal = walkRegions(op, flight);
    } else {
      legal = define(op, flight);
    }
    if (failed(legal))
      return failure();
  }
  // Every product was committed: its result led to a wait of this block, which refuses what is not.
  return success();
}

LogicalResult verifyProducts(RoleOp role) {
  // Every group is waited for in its own block, so nothing is in flight from one program to the next.
  for (Block *block : role.getBlocks()) {
    FlightWalk walk;
    Flight flight;
    if (failed(walk.walk(*block, flight)))
      return failure();
  }
  return success();
}

} // namespace lacuna::warp
