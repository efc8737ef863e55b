// warp-overlap-dots: see Passes.td.
//
// An iteration of the loop is cut in two (OverlapPlan.h). A step of the new loop runs the leading half of iteration i
// around the trailing half of iteration i - 1:
//
//     leading half of the first iteration
//     for i = second, third, …:
//       issue the leading product of i
//       issue the trailing product of i - 1
//       wait for the leading product; compute with it while the trailing product runs
//       wait for the trailing product; prepare the operands of the trailing product of i
//     trailing half of the last iteration
#include "OverlapPlan.h"
#include "Products.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPOVERLAPDOTS
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

namespace {

/// Rewrites a loop whose operations are dealt to the halves.
class Overlap {
public:
  Overlap(scf::ForOp loop, Halves halves, bool turns, bool holds)
      : loop(loop), halves(std::move(halves)), turns(turns), holds(holds) {}

  void rewrite();

private:
  Value yielded(unsigned index) { return loop.getYieldedValues()[index]; }
  void clone(OpBuilder &builder, ArrayRef<Operation *> ops, IRMapping &mapping);
  Value lastReduction();
  void cloneTrailRest(OpBuilder &builder, IRMapping &mapping, IRMapping &next);
  void cloneStep(OpBuilder &builder, IRMapping &before, IRMapping &current);

  scf::ForOp loop;
  Halves halves;
  bool turns, holds;
};

} // namespace

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
    FailureOr<Halves> halves =
        planHalves(loop, leading, early, turns, [&](Twine reason) { note("not done, " + reason); });
    if (failed(halves))
      return false;
    Overlap(loop, std::move(*halves), turns, holds).rewrite();
    note(Twine("the leading product of a step runs beside the trailing one of the step before; ") +
         (early ? "rescaled before" : "rescaled after") + (turns ? "; warpgroups take turns" : ""));
    return true;
  }
};
} // namespace

} // namespace lacuna::warp
