// warp-overlap-dots: see Passes.td.
//
// An iteration of the loop is cut in two. The leading half is everything that does not depend on a trailing product:
// the marked product and what is computed from it. The trailing half is the products that read those results, and what
// depends on them. A step of the new loop runs the leading half of iteration i around the trailing half of iteration i
// - 1:
//
//     leading half of the first iteration
//     for i = second, third, …:
//       issue the leading product of i
//       issue the trailing product of i - 1
//       wait for the leading product; compute with it while the trailing product runs
//       wait for the trailing product; prepare the operands of the trailing product of i
//     trailing half of the last iteration
#include "Products.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPOVERLAPDOTS
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

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

/// How the operations of a loop's body are dealt to the halves. All lists are in program order.
struct Halves {
  Operation *leading = nullptr;           // the marked product
  SmallVector<Operation *> leadIssue;     // up to the leading product's commit
  SmallVector<Operation *> leadRest;      // from its wait on
  SmallVector<Operation *> prepare;       // of the trailing half: done at the end of the step before
  SmallVector<Operation *> trailIssue;    // up to the commit of the first trailing product
  SmallVector<Operation *> trailRest;     // from its wait on
  llvm::SmallSetVector<Value, 8> cross;   // what trailIssue and trailRest use of the rest of their iteration
  llvm::SmallDenseSet<unsigned> trailing; // carried values that the trailing half yields
};

class Overlap {
public:
  Overlap(scf::ForOp loop, bool earlyRescale, bool turns, bool holds)
      : loop(loop), early(earlyRescale), turns(turns), holds(holds) {}

  /// Says why the loop cannot be overlapped, or deals its operations to the halves.
  LogicalResult plan(Operation *leading, llvm::function_ref<void(Twine)> refuse);
  void rewrite();

private:
  LogicalResult findTrailing(llvm::function_ref<void(Twine)> refuse);
  void sinkFreeOps();
  void splitTrailing();
  void collectCrossing();

  bool isTrailing(Operation *op) const { return trail.contains(op); }
  bool dependsOnTrailing(Operation *op);
  Value yielded(unsigned index) { return loop.getYieldedValues()[index]; }
  void clone(OpBuilder &builder, ArrayRef<Operation *> ops, IRMapping &mapping);
  Value lastReduction();
  void cloneTrailRest(OpBuilder &builder, IRMapping &mapping, IRMapping &next);
  void cloneStep(OpBuilder &builder, IRMapping &before, IRMapping &current);

  scf::ForOp loop;
  bool early, turns, holds;
  Halves halves;
  llvm::SmallPtrSet<Operation *, 32> trail;
};

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Planning
//===--------------------------------------------------------------------------------------------------------------===//

bool Overlap::dependsOnTrailing(Operation *op) {
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
LogicalResult Overlap::findTrailing(llvm::function_ref<void(Twine)> refuse) {
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
void Overlap::sinkFreeOps() {
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
void Overlap::splitTrailing() {
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

void Overlap::collectCrossing() {
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

LogicalResult Overlap::plan(Operation *leading, llvm::function_ref<void(Twine)> refuse) {
  halves.leading = leading;
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
  if (failed(findTrailing(refuse)))
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
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rewriting
//===--------------------------------------------------------------------------------------------------------------===//

void Overlap::clone(OpBuilder &builder, ArrayRef<Operation *> ops, IRMapping &mapping) {
  for (Operation *op : ops)
    builder.clone(*op, mapping);
}

/// The last row reduction of the leading half, which takes all that the half computes: null if there is none.
Value Overlap::lastReduction() {
  for (Operation *op : llvm::reverse(halves.leadRest))
    if (isHolding(op))
      return op->getResult(0);
  return {};
}

/// Waits for the trailing product, behind what the leading half computes. What will be packed next (`next` maps the
/// iteration it comes from) passes through the wait, so that the packing stays below it.
void Overlap::cloneTrailRest(OpBuilder &builder, IRMapping &mapping, IRMapping &next) {
  llvm::SmallSetVector<Value, 2> packed;
  llvm::SmallPtrSet<Operation *, 8> preparing(halves.prepare.begin(), halves.prepare.end());
  for (Operation *op : halves.prepare) {
    bool narrows = isa<PackAFragOp, StoreSharedOp, arith::TruncFOp>(op);
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp();
          narrows && isa<RankedTensorType>(operand.getType()) && (!def || !preparing.contains(def)))
        packed.insert(next.lookupOrDefault(operand));
  }
  bool first = true;
  for (Operation *op : halves.trailRest) {
    auto wait = dyn_cast<WgmmaWaitOp>(op);
    if (!wait || !first) {
      builder.clone(*op, mapping);
      continue;
    }
    first = false;
    SmallVector<Value> inflight, carry;
    for (Value value : wait.getInflight())
      inflight.push_back(mapping.lookupOrDefault(value));
    for (Value value : wait.getCarry())
      carry.push_back(mapping.lookupOrDefault(value));
    SmallVector<Type> types(wait.getResultTypes());
    for (Value value : packed) {
      carry.push_back(value);
      types.push_back(value.getType());
    }
    SmallVector<Value, 1> after;
    if (Value last = holds ? lastReduction() : Value())
      after.push_back(next.lookup(last));
    auto replacement =
        builder.create<WgmmaWaitOp>(wait.getLoc(), types, mapping.lookup(wait.getGroup()), inflight, carry, after);
    mapping.map(wait.getResults(), replacement.getResults().take_front(wait.getNumResults()));
    // In `next`, what prepares reads the value behind the wait.
    for (auto [before, after] : llvm::zip(packed, replacement.getResults().drop_front(wait.getNumResults())))
      for (Operation *user : halves.prepare)
        for (Value operand : user->getOperands())
          if (next.lookupOrDefault(operand) == before)
            next.map(operand, after);
  }
}

/// The leading half of an iteration (`current`) around the trailing half of the one before.
void Overlap::cloneStep(OpBuilder &builder, IRMapping &before, IRMapping &current) {
  for (Operation *op : halves.leadIssue) {
    if (turns && op == halves.leading)
      builder.create<TurnWaitOp>(loop.getLoc());
    builder.clone(*op, current);
  }
  clone(builder, halves.trailIssue, before);
  if (turns)
    builder.create<TurnPassOp>(loop.getLoc());
  clone(builder, halves.leadRest, current);
  cloneTrailRest(builder, before, current);
  for (unsigned index : halves.trailing)
    current.map(loop.getRegionIterArg(index), before.lookupOrDefault(yielded(index)));
  clone(builder, halves.prepare, current);
}

/// Whether the loop is known to run: its rotated form needs no condition then.
static bool hasFirstIteration(scf::ForOp loop) {
  APInt lower, upper;
  if (!matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)))
    return false;
  if (auto count = loop.getUpperBound().getDefiningOp<ListCountOp>())
    return lower.isZero() && isNonempty(count.getList());
  return matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)) && lower.slt(upper);
}

void Overlap::rewrite() {
  Location loc = loop.getLoc();
  OpBuilder builder(loop);
  ValueRange arguments = loop.getRegionIterArgs();
  auto startMapping = [&](Value induction, ValueRange carried) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), induction);
    mapping.map(arguments, carried);
    return mapping;
  };
  scf::IfOp branch;
  if (!hasFirstIteration(loop)) {
    Value some =
        builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, loop.getLowerBound(), loop.getUpperBound());
    branch = builder.create<scf::IfOp>(loc, loop.getResultTypes(), some, /*withElseRegion=*/true);
    builder.setInsertionPointToEnd(branch.elseBlock());
    builder.create<scf::YieldOp>(loc, loop.getInitArgs());
    builder.setInsertionPointToEnd(branch.thenBlock());
  }

  // The first iteration's leading half.
  IRMapping prologue = startMapping(loop.getLowerBound(), loop.getInitArgs());
  clone(builder, halves.leadIssue, prologue);
  clone(builder, halves.leadRest, prologue);
  clone(builder, halves.prepare, prologue);

  // Carried: what the leading half yields, and what crosses to the trailing half of the same iteration.
  SmallVector<unsigned> leadIndices;
  for (unsigned index = 0; index < arguments.size(); ++index)
    if (!halves.trailing.contains(index))
      leadIndices.push_back(index);
  auto carriedFrom = [&](IRMapping &mapping) {
    SmallVector<Value> values;
    for (unsigned index : leadIndices)
      values.push_back(mapping.lookupOrDefault(yielded(index)));
    for (Value value : halves.cross)
      values.push_back(mapping.lookupOrDefault(value));
    return values;
  };
  Value second = builder.create<arith::AddIOp>(loc, loop.getLowerBound(), loop.getStep());
  auto steady = builder.create<scf::ForOp>(loc, second, loop.getUpperBound(), loop.getStep(), carriedFrom(prologue));

  // The trailing half of the iteration before finds its values among the carried ones.
  auto trailingMapping = [&](ValueRange carried) {
    IRMapping mapping;
    for (auto [position, value] : llvm::enumerate(halves.cross))
      mapping.map(value, carried[leadIndices.size() + position]);
    return mapping;
  };
  builder.setInsertionPointToStart(steady.getBody());
  IRMapping before = trailingMapping(steady.getRegionIterArgs());
  IRMapping current;
  current.map(loop.getInductionVar(), steady.getInductionVar());
  for (auto [position, index] : llvm::enumerate(leadIndices))
    current.map(arguments[index], steady.getRegionIterArg(position));
  cloneStep(builder, before, current);
  builder.create<scf::YieldOp>(loc, carriedFrom(current));

  // The last iteration's trailing half.
  builder.setInsertionPointAfter(steady);
  IRMapping epilogue = trailingMapping(steady.getResults());
  clone(builder, halves.trailIssue, epilogue);
  clone(builder, halves.trailRest, epilogue);
  SmallVector<Value> results;
  unsigned position = 0;
  for (unsigned index = 0; index < arguments.size(); ++index)
    results.push_back(halves.trailing.contains(index) ? epilogue.lookupOrDefault(yielded(index))
                                                      : steady.getResult(position++));
  if (branch)
    builder.create<scf::YieldOp>(loc, results);
  loop.replaceAllUsesWith(branch ? ValueRange(branch.getResults()) : ValueRange(results));
  loop.erase();
}

//===--------------------------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------------------------===//

/// Registers a thread that tiles take when the products of the loop overlap: the accumulators, the A operands made from
/// them, and other carried tiles.
static int64_t overlappedRegisters(scf::ForOp loop) {
  int64_t registers = productRegisters(loop);
  for (Value yielded : loop.getYieldedValues())
    if (isAccumulator(yielded) && !yielded.getDefiningOp<WgmmaWaitOp>())
      registers += cast<RankedTensorType>(yielded.getType()).getDimSize(1) / 2;
  return registers;
}

namespace {
struct OverlapDots : impl::WarpOverlapDotsBase<OverlapDots> {
  void runOnOperation() override {
    // By loop: rewriting one replaces it. A product outside of loops has nothing to run beside.
    llvm::MapVector<Operation *, SmallVector<Operation *>> marked;
    getOperation().walk([&](Operation *op) {
      if (isProduct(op) && op->removeAttr(kOverlapAttr))
        marked[op->getParentOp()].push_back(op);
    });
    for (auto &[parent, products] : marked) {
      auto loop = dyn_cast<scf::ForOp>(parent);
      bool done = false;
      for (Operation *leading : products) {
        if (done)
          note("not done for another product of the loop, one leads already");
        else if (!loop || !getRole(parent))
          note("not done, the product stands in no loop");
        else
          done = overlap(loop, leading);
      }
    }
    getOperation().walk([](RoleOp role) { role->removeAttr(kTurnsAttr); });
  }

private:
  void note(const Twine &what) { addDecision(getOperation(), "overlap: " + what); }

  bool overlap(scf::ForOp loop, Operation *leading) {
    RoleOp role = getRole(loop);
    int64_t needed = overlappedRegisters(loop), usable = role.getRegisters() - kRegistersBesideTiles;
    if (needed > usable) {
      note("not done, it needs " + Twine(needed) + " registers a thread for products and their operands, and " +
           Twine(usable) + " are free");
      return false;
    }
    bool early =
        llvm::any_of(*loop.getBody(), [](Operation &op) { return isProduct(&op) && productColumns(&op) > 128; });
    bool turns = role->hasAttr(kTurnsAttr) && role.getWarpgroups() > 1;
    // With turns the other warpgroup's products run beside this one's exponentials, and beside an accumulator over 128
    // columns there are few of those: holding then costs more than it brings.
    bool holds = !early && !turns && needed + kRegistersToHold <= usable;
    Overlap overlap(loop, early, turns, holds);
    if (failed(overlap.plan(leading, [&](Twine reason) { note("not done, " + reason); })))
      return false;
    overlap.rewrite();
    note(Twine("the leading product of a step runs beside the trailing one of the step before; ") +
         (early ? "rescaled before" : "rescaled after") + (turns ? "; warpgroups take turns" : ""));
    return true;
  }
};
} // namespace

} // namespace lacuna::warp
