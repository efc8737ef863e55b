// Named barriers and turns: as many threads come to a barrier as it counts, as often from each side.
#include "KernelVerifiers.h"
#include "TripCounts.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace lacuna::warp {
namespace {

/// The places where one role comes to one barrier, all syncing or all arriving.
struct Side {
  RoleOp role;
  bool syncs;
  SmallVector<Operation *> places;
  int64_t threads() {
    return role.getKind() == RoleKind::Producer ? machineOf(role->getParentOfType<FuncOp>()).producerThreads
                                                : role.getWarpgroups() * kWarpgroupThreads;
  }
};

class BarrierVerifier {
public:
  explicit BarrierVerifier(FuncOp func) : func(func) {}
  LogicalResult verify();

private:
  LogicalResult collect();
  LogicalResult collectOp(Operation *op);
  LogicalResult verifyBarrier(int64_t id, SmallVectorImpl<Side> &sides);
  LogicalResult verifyOwner(Operation *op, int64_t id, StringRef purpose);

  FuncOp func;
  llvm::MapVector<int64_t, SmallVector<Side>> barriers;
  llvm::SmallDenseMap<int64_t, std::pair<Operation *, StringRef>> owners; // by barrier: what uses it, and for what
};

int64_t threadsOf(Operation *op) {
  if (auto sync = dyn_cast<NamedBarrierSyncOp>(op))
    return sync.getThreads();
  return cast<NamedBarrierArriveOp>(op).getThreads();
}

} // namespace

/// One barrier serves one purpose: threads that come for another would be counted.
LogicalResult BarrierVerifier::verifyOwner(Operation *op, int64_t id, StringRef purpose) {
  auto [entry, isNew] = owners.try_emplace(id, op, purpose);
  auto [other, use] = entry->second;
  if (isNew || use == purpose)
    return success();
  InFlightDiagnostic diag = op->emitOpError() << "needs barrier " << id << " for " << purpose << ", but it serves "
                                              << use << " already; take another";
  diag.attachNote(other->getLoc()) << "used here";
  return diag;
}

LogicalResult BarrierVerifier::collectOp(Operation *op) {
  RoleOp role = getRole(op);
  if (!role)
    return op->emitOpError() << "stands outside the roles, where no thread knows who else comes";
  if (auto reduce = dyn_cast<BlockReduceOp>(op))
    return verifyOwner(op, reduce.getBarrier(), "reductions");
  if (isa<TurnWaitOp, TurnPassOp>(op)) {
    for (int64_t index = 0; index < static_cast<int64_t>(role.getWarpgroups()); ++index)
      if (failed(verifyOwner(op, kFirstTurnBarrier + index, "turns")))
        return failure();
    return success();
  }
  if (isa<WarpgroupSyncOp>(op)) {
    for (int64_t index = 0; index < static_cast<int64_t>(role.getWarpgroups()); ++index)
      if (failed(verifyOwner(op, kFirstWarpgroupBarrier + index, "a warpgroup's own threads")))
        return failure();
    return success();
  }
  bool syncs = isa<NamedBarrierSyncOp>(op);
  int64_t id = syncs ? cast<NamedBarrierSyncOp>(op).getId() : cast<NamedBarrierArriveOp>(op).getId();
  SmallVector<Side> &sides = barriers[id];
  auto *side = llvm::find_if(sides, [&](Side &each) { return each.role == role && each.syncs == syncs; });
  if (side == sides.end())
    side = &sides.emplace_back(Side{role, syncs, {}});
  side->places.push_back(op);
  return verifyOwner(op, id, "named barrier ops");
}

LogicalResult BarrierVerifier::collect() {
  WalkResult result = func.walk([&](Operation *op) {
    bool comes =
        isa<BlockReduceOp, TurnWaitOp, TurnPassOp, WarpgroupSyncOp, NamedBarrierSyncOp, NamedBarrierArriveOp>(op);
    return comes && failed(collectOp(op)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult BarrierVerifier::verifyBarrier(int64_t id, SmallVectorImpl<Side> &sides) {
  Operation *first = sides.front().places.front();
  for (Side &side : sides)
    for (Operation *place : side.places)
      if (threadsOf(place) != threadsOf(first)) {
        InFlightDiagnostic diag = place->emitOpError() << "counts " << threadsOf(place) << " threads at barrier " << id
                                                       << ", another place counts " << threadsOf(first);
        diag.attachNote(first->getLoc()) << "the other place is here";
        return diag;
      }
  auto *syncing = llvm::find_if(sides, [](const Side &side) { return side.syncs; });
  if (syncing == sides.end())
    return first->emitOpError() << "arrives at barrier " << id << ", where nobody waits (warp.named_barrier_sync)";

  int64_t coming = 0;
  for (Side &side : sides)
    coming += side.threads();
  if (coming != threadsOf(first)) {
    InFlightDiagnostic diag = syncing->places.front()->emitOpError()
                              << "waits for " << threadsOf(first) << " threads at barrier " << id << ", but " << coming
                              << " come to it; count the threads of every role that syncs or arrives there";
    for (Side &side : sides)
      diag.attachNote(side.role.getLoc())
          << "the role has " << side.threads() << " threads, which " << (side.syncs ? "wait" : "arrive") << " there";
    return diag;
  }
  if (sides.size() == 1)
    return success();
  SymbolicValues values;
  TripCounts counts(values);
  auto countOf = [&](Side &side) { return counts.count(side.role, side.places); };
  TripCounts::RoleCount expected = countOf(*syncing);
  for (Side &side : sides)
    if (countOf(side) != expected) {
      InFlightDiagnostic diag = side.places.front()->emitOpError()
                                << "cannot be shown to come to barrier " << id
                                << " as often as the others; give both sides the same loops around it";
      diag.attachNote(syncing->places.front()->getLoc()) << "they wait here";
      return diag;
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Turns
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether the warpgroups of a role wait for each other at `op`.
static bool meetsOthers(Operation *op) {
  auto sync = dyn_cast<NamedBarrierSyncOp>(op);
  return isa<BlockReduceOp>(op) || (sync && sync.getThreads() > kWarpgroupThreads);
}

/// Whether `block` takes turns; fails where it does not pass each before it takes the next, or before it ends, or waits
/// for other warpgroups before that: they may wait for the turn. `around` is the turn taken outside of the block.
static FailureOr<bool> verifyTurns(Block &block, Operation *around = nullptr) {
  Operation *taken = nullptr;
  bool any = false;
  auto refuse = [&](Operation *op, StringRef what) {
    InFlightDiagnostic diag = op->emitOpError() << what;
    if (taken && taken != op)
      diag.attachNote(taken->getLoc()) << "taken here";
    return failure();
  };
  for (Operation &op : block) {
    if (isa<TurnWaitOp>(op)) {
      if (taken)
        return refuse(&op, "takes a turn while it still has one; pass it first (warp.turn_pass)");
      taken = &op;
      any = true;
    } else if (isa<TurnPassOp>(op)) {
      if (!taken)
        return refuse(&op, "passes a turn that it did not take in this block (warp.turn_wait)");
      taken = nullptr;
      any = true;
    } else if (Operation *turn = taken ? taken : around; turn && meetsOthers(&op)) {
      InFlightDiagnostic diag = op.emitOpError() << "waits for other warpgroups, which may wait for this one's turn; "
                                                    "pass it first (warp.turn_pass)";
      diag.attachNote(turn->getLoc()) << "taken here";
      return failure();
    }
    for (Region &region : op.getRegions())
      for (Block &inner : region) {
        FailureOr<bool> turns = verifyTurns(inner, taken ? taken : around);
        if (failed(turns))
          return failure();
        if (*turns && taken)
          return refuse(&op, "takes turns inside while it still has one; pass it first (warp.turn_pass)");
        any |= *turns;
      }
  }
  if (taken)
    return refuse(taken, "takes a turn that its block does not pass on; add a warp.turn_pass");
  return any;
}

LogicalResult BarrierVerifier::verify() {
  if (failed(collect()))
    return failure();
  for (auto &[id, sides] : barriers)
    if (failed(verifyBarrier(id, sides)))
      return failure();
  return failure(failed(verifyTurns(func.getBody().front())));
}

LogicalResult verifyBarriers(FuncOp func) {
  return BarrierVerifier(func).verify();
}

} // namespace lacuna::warp
