// Rings: who fills and who empties them, how often, and when a slot goes back.
#include "KernelVerifiers.h"
#include "TripCounts.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna::warp {
namespace {

class RingVerifier {
public:
  LogicalResult verify(RingCreateOp ring);

private:
  LogicalResult verifyUsers(RingCreateOp ring);
  LogicalResult verifyFillNumber(Operation *op, Value n);
  LogicalResult verifyCounts(RingCreateOp ring);

  SmallVector<Operation *> fills, waits; // of the ring at hand, in program order
  SymbolicValues values;
  TripCounts counts{values};
};

} // namespace

LogicalResult RingVerifier::verifyUsers(RingCreateOp ring) {
  fills.clear();
  waits.clear();
  // The last use comes first in a value's list of uses.
  SmallVector<Operation *> users(ring.getRing().getUsers());
  for (Operation *user : llvm::reverse(users)) {
    if (!isa<RingAcquireOp, RingWaitOp>(user))
      return user->emitOpError() << "takes ring '" << ring.getName()
                                 << "', which only warp.ring_acquire and warp.ring_wait can";
    (isa<RingAcquireOp>(user) ? fills : waits).push_back(user);
  }
  if (fills.empty() || waits.empty())
    return ring.emitOpError() << "'" << ring.getName() << "' is "
                              << (fills.empty() ? "never filled" : "filled but never waited for");
  for (Operation *user : llvm::concat<Operation *>(fills, waits))
    if (!getRole(user))
      return user->emitOpError()
             << "stands outside the roles; filling belongs to the producer, waiting to the consumer";
  return success();
}

/// In a loop each trip has a fill of its own.
LogicalResult RingVerifier::verifyFillNumber(Operation *op, Value n) {
  Operation *loop = op->getParentOp();
  Region *region = op->getParentRegion();
  while (!isa<FuncOp, ForTilesOp, scf::ForOp>(loop)) {
    if (auto role = dyn_cast<RoleOp>(loop); role && region != &role.getBody())
      return success(); // Once before all programs, or after them.
    region = loop->getParentRegion();
    loop = loop->getParentOp();
  }
  if (isa<FuncOp>(loop) || (loop->isAncestor(n.getParentRegion()->getParentOp()) && !matchPattern(n, m_Constant())))
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "names the same fill in every trip of its loop; count the fills with a "
                               "value that the loop carries";
  diag.attachNote(loop->getLoc()) << "the loop is here";
  return diag;
}

/// The innermost loop around `op` in its role, or `op`.
static Operation *drivingLoop(Operation *op) {
  auto loop = op->getParentOfType<scf::ForOp>();
  return loop ? loop : op;
}

LogicalResult RingVerifier::verifyCounts(RingCreateOp ring) {
  TripCounts::RoleCount filled = counts.count(getRole(fills.front()), fills);
  TripCounts::RoleCount emptied = counts.count(getRole(waits.front()), waits);
  if (filled == emptied)
    return success();
  InFlightDiagnostic diag = ring.emitOpError()
                            << "'" << ring.getName()
                            << "' cannot be shown to be filled and emptied equally often, and would hang where it is "
                               "not; give both sides loops over the same list, or with the same bounds";
  for (auto [places, what] : {std::pair(&fills, "filled"), std::pair(&waits, "emptied")}) {
    llvm::SmallSetVector<Operation *, 4> loops;
    for (Operation *place : *places)
      loops.insert(drivingLoop(place));
    for (Operation *loop : loops)
      diag.attachNote(loop->getLoc()) << what << (isa<scf::ForOp>(loop) ? " by this loop" : " here");
  }
  return diag;
}

LogicalResult RingVerifier::verify(RingCreateOp ring) {
  if (failed(verifyUsers(ring)))
    return failure();
  for (Operation *fill : fills)
    if (failed(verifyFillNumber(fill, cast<RingAcquireOp>(fill).getN())))
      return failure();
  for (Operation *wait : waits)
    if (failed(verifyFillNumber(wait, cast<RingWaitOp>(wait).getN())))
      return failure();
  return verifyCounts(ring);
}

LogicalResult verifyRings(FuncOp func) {
  RingVerifier verifier;
  WalkResult result = func.walk([&](RingCreateOp ring) {
    return failed(verifier.verify(ring)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::warp
