#include "OverlapPlan.h"
#include "Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lacuna::warp {

namespace {

/// What costs nothing to do late: no data moves, or values only get narrower.
bool isFree(Operation *op) {
  return isa<BroadcastOp, PackAFragOp>(op) ||
         (isa<arith::TruncFOp>(op) && isa<RankedTensorType>(op->getResultTypes()[0]));
}

/// Whether `op` is one of `Ops`, or holds one at any depth.
template <typename... Ops> bool holdsAny(Operation *op) {
  return op->walk([](Operation *inner) { return WalkResult(failure(isa<Ops...>(inner))); }).wasInterrupted();
}

class Planner {
public:
  Planner(scf::ForOp loop, Operation *leading, bool early, bool turns, llvm::function_ref<void(Twine)> refuse)
      : loop(loop), early(early), turns(turns), refuse(refuse) {
    halves.leading = leading;
  }

  FailureOr<Halves> plan();

private:
  LogicalResult findTrailing();
  void sinkFreeOps();
  void splitTrailing();
  void collectCrossing();

  bool isTrailing(Operation *op) const { return trail.contains(op); }
  bool dependsOnTrailing(Operation *op);
  Value yielded(unsigned index) { return loop.getYieldedValues()[index]; }

  scf::ForOp loop;
  bool early, turns;
  llvm::function_ref<void(Twine)> refuse;
  Halves halves;
  llvm::SmallPtrSet<Operation *, 32> trail;
};

} // namespace

bool Planner::dependsOnTrailing(Operation *op) {
  bool depends = false;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      if (Operation *def = operand.getDefiningOp(); def && trail.contains(def))
        depends = true;
      if (auto argument = dyn_cast<BlockArgument>(operand))
        if (argument.getOwner() == loop.getBody() && argument.getArgNumber() > 0 &&
            halves.trailing.contains(argument.getArgNumber() - 1))
          depends = true;
    }
  });
  return depends;
}

/// The trailing half: products that read what the leading one gave, their groups and slots, and all that follows.
LogicalResult Planner::findTrailing() {
  llvm::SmallPtrSet<Value, 32> led;
  for (Value result : halves.leading->getResults())
    led.insert(result);
  Operation *openProduct = nullptr;
  bool sharing = false; // between a write of a trailing product's operand and the product
  SmallVector<Operation *> seeds;
  for (Operation &op : loop.getBody()->without_terminator()) {
    bool follows = false;
    op.walk([&](Operation *inner) {
      follows |= llvm::any_of(inner->getOperands(), [&](Value operand) { return led.contains(operand); });
    });
    if (follows)
      for (Value result : op.getResults())
        led.insert(result);
    if (auto store = dyn_cast<StoreSharedOp>(op); store && follows) {
      led.insert(store.getSmem());
      sharing = true;
    }
    if (sharing && isa<StoreSharedOp, FenceAsyncOp, WarpgroupSyncOp>(op))
      seeds.push_back(&op);
    sharing &= !isProduct(&op);
    if (isProduct(&op) && &op != halves.leading) {
      openProduct = follows ? &op : nullptr;
      if (!follows)
        continue;
      seeds.push_back(&op);
      for (Value operand : op.getOperands()) {
        auto wait = operand.getDefiningOp<RingWaitOp>();
        if (!wait || wait->getBlock() != loop.getBody())
          continue;
        auto leads = [&](Operation *user) {
          return user == halves.leading || (isProduct(user) && !led.contains(user->getResult(0)));
        };
        if (llvm::any_of(wait->getUsers(), leads))
          return refuse("a product before the trailing one reads the same slot"), failure();
        // The producer fills in its own order: it may wait for this slot before it fills the leading product's.
        if (wait.getRing().getType().getDepth() == 1)
          return refuse("the ring of a trailing product has one slot; give it two"), failure();
        seeds.push_back(wait);
        llvm::append_range(seeds, wait->getUsers());
      }
    } else if (auto commit = dyn_cast<WgmmaCommitOp>(op); commit && openProduct) {
      seeds.push_back(commit);
      llvm::append_range(seeds, commit->getUsers());
      openProduct = nullptr;
    }
  }
  if (seeds.empty())
    return refuse("no product of the loop uses its result"), failure();
  trail.insert(seeds.begin(), seeds.end());
  bool changed = true;
  while (changed) {
    changed = false;
    for (Operation &op : loop.getBody()->without_terminator())
      if (!isTrailing(&op) && dependsOnTrailing(&op))
        changed = trail.insert(&op).second || changed;
    for (unsigned index = 0; index < loop.getNumRegionIterArgs(); ++index) {
      Value value = yielded(index);
      Operation *def = value.getDefiningOp();
      auto argument = dyn_cast<BlockArgument>(value);
      bool carries = def ? trail.contains(def)
                         : argument && argument.getOwner() == loop.getBody() && argument.getArgNumber() > 0 &&
                               halves.trailing.contains(argument.getArgNumber() - 1);
      if (carries)
        changed = halves.trailing.insert(index).second || changed;
    }
  }
  if (trail.contains(halves.leading))
    return refuse("it needs what the products of the iteration before gave"), failure();
  return success();
}

/// Free operations that only the trailing half reads belong to it: carrying their operands is cheaper.
void Planner::sinkFreeOps() {
  for (Operation &op : llvm::reverse(loop.getBody()->without_terminator()))
    if (!isTrailing(&op) && isFree(&op) && !op.use_empty() && llvm::all_of(op.getUsers(), [&](Operation *user) {
          return trail.contains(loop.getBody()->findAncestorOpInBlock(*user));
        }))
      trail.insert(&op);
}

/// Cuts the trailing half at its first product. Packing A operands is preparation always, and so is what they are made
/// from: no wgmma may be in flight then. So is writing them to shared memory, which the last product read. So are
/// reductions over all warpgroups, which must not wait for each other while one has the turn. An early rescale leaves
/// out the rest: values that a product accumulates onto.
void Planner::splitTrailing() {
  llvm::SmallPtrSet<Operation *, 8> prepared;
  for (Operation &op : llvm::reverse(loop.getBody()->without_terminator())) {
    bool feeds = llvm::any_of(op.getUsers(), [&](Operation *user) {
      return prepared.contains(loop.getBody()->findAncestorOpInBlock(*user));
    });
    if (isTrailing(&op) &&
        (!early || feeds ||
         holdsAny<PackAFragOp, arith::TruncFOp, BlockReduceOp, StoreSharedOp, FenceAsyncOp, WarpgroupSyncOp>(&op)))
      prepared.insert(&op);
  }
  bool issued = false, waited = false;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (!isTrailing(&op))
      continue;
    issued |= isProduct(&op);
    waited |= isa<WgmmaWaitOp>(op);
    if (waited)
      halves.trailRest.push_back(&op);
    else if (issued || isa<RingWaitOp>(op) || !prepared.contains(&op))
      halves.trailIssue.push_back(&op);
    else
      halves.prepare.push_back(&op);
  }
}

void Planner::collectCrossing() {
  llvm::SmallPtrSet<Operation *, 32> own(halves.trailIssue.begin(), halves.trailIssue.end());
  own.insert(halves.trailRest.begin(), halves.trailRest.end());
  for (Operation *op : llvm::concat<Operation *>(halves.trailIssue, halves.trailRest))
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Region *region = operand.getParentRegion();
        if (region != &loop.getRegion())
          continue; // From outside the loop, or from inside of `op`.
        Operation *def = operand.getDefiningOp();
        if (!def || !own.contains(def))
          halves.cross.insert(operand);
      }
    });
  for (unsigned index : halves.trailing) {
    Value value = yielded(index);
    Operation *def = value.getDefiningOp();
    if (value.getParentRegion() == &loop.getRegion() && (!def || !own.contains(def)))
      halves.cross.insert(value);
  }
}

FailureOr<Halves> Planner::plan() {
  Operation *leading = halves.leading;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (holdsAny<StoreGlobalOp, TmaStoreOp>(&op))
      return refuse("the loop stores to a view"), failure();
    if (op.walk([&](Operation *inner) {
            return isa<scf::ForOp>(inner) || (inner != &op && isa<RingWaitOp, WgmmaSsOp, WgmmaRsOp>(inner))
                       ? WalkResult::interrupt()
                       : WalkResult::advance();
          }).wasInterrupted())
      return refuse("the loop holds another loop, or a product under a condition"), failure();
  }
  if (failed(findTrailing()))
    return failure();
  sinkFreeOps();
  bool waited = false;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (isTrailing(&op))
      continue;
    if (isa<PackAFragOp, StoreSharedOp>(op))
      return refuse("another product before the trailing one takes an operand that is computed"), failure();
    if (auto wait = dyn_cast<WgmmaWaitOp>(op); wait && llvm::is_contained(wait.getInflight(), leading->getResult(0)))
      waited = true;
    (waited ? halves.leadRest : halves.leadIssue).push_back(&op);
  }
  splitTrailing();
  collectCrossing();
  auto meets = [&](Operation *op) {
    return holdsAny<BlockReduceOp>(op) && (op->getBlock() != leading->getBlock() || !op->isBeforeInBlock(leading));
  };
  if (turns && (llvm::any_of(halves.leadIssue, meets) || llvm::any_of(halves.trailIssue, holdsAny<BlockReduceOp>)))
    return refuse("all warpgroups would meet in a reduction while one has the turn"), failure();
  return halves;
}

FailureOr<Halves> planHalves(scf::ForOp loop, Operation *leading, bool early, bool turns,
                             llvm::function_ref<void(Twine)> refuse) {
  return Planner(loop, leading, early, turns, refuse).plan();
}

} // namespace lacuna::warp
