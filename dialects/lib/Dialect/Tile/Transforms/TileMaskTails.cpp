// tile-mask-tails: reductions and contractions ignore positions past a view's end.
//
// The kernel is read from the top. At the first reduction or contraction whose operand may hold something else than the
// neutral value past an end (TailAnalysis.h), the operand is masked, right there:
//
//     %past = tile.exceeds %t, %n
//     %m = scf.if %past {                        only the tile that reaches past the end enters
//       %counts = t < n, one bit a column
//       yield select(%counts, %x, neutral)
//     } else { yield %x }
//
// From there on the masked value takes the place of the operand, the analysis starts again, and with it the search:
// what one mask makes neutral further on needs no second one. A mask that the kernel's author wrote is understood
// alike.
#include "TailAnalysis.h"
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/IR/Dominance.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna::tile {

#define GEN_PASS_DEF_TILEMASKTAILS
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

namespace {

/// An operand that must hold `neutral` past the end of `source` along `axis`.
struct Need {
  OpOperand *operand;
  int axis;
  TailSource source;
  Past neutral;

  bool operator==(const Need &other) const {
    return operand == other.operand && axis == other.axis && source == other.source;
  }
};

class TailMasker {
public:
  explicit TailMasker(FuncOp func) : func(func), dominance(func) {}

  /// Masks until every consumer has what it needs.
  LogicalResult run();

private:
  /// The first consumer, from the top, whose operand is not neutral; nothing where none is left.
  FailureOr<std::optional<Need>> findNeed();
  std::optional<Need> findNeed(ReduceOp op);
  std::optional<Need> findNeed(DotOp op);
  FailureOr<std::optional<Need>> findNeed(Operation *loop, Operation *yield);
  FailureOr<std::optional<Need>> findNeedOfSum(OpOperand &yielded, int axis, const TailSource &source);

  LogicalResult satisfy(const Need &need);
  bool reachesOtherStore(Value value, const TailSource &source, DenseSet<Value> &seen);

  FuncOp func;
  DominanceInfo dominance;
  std::optional<TailAnalysis> analysis;
};

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Who needs what
//===--------------------------------------------------------------------------------------------------------------===//

static Past neutralOf(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::Add:
    return Past::Zero;
  case ReduceKind::Max:
    return Past::MinusInf;
  case ReduceKind::Min:
    return Past::PlusInf;
  }
  llvm_unreachable("all kinds are above");
}

std::optional<Need> TailMasker::findNeed(ReduceOp op) {
  Past neutral = neutralOf(op.getKind());
  for (int64_t axis : op.getAxes())
    for (auto &[source, past] : analysis->get(op.getX(), axis).tails)
      if (past != neutral && past != Past::None)
        return Need{&op.getXMutable(), static_cast<int>(axis), source, neutral};
  return std::nullopt;
}

/// Past the end both operands must be zero, or one zero and the other the same all along the contraction: what a
/// neighbour in memory or a computation left there may be infinite or NaN, and that times zero is not zero.
std::optional<Need> TailMasker::findNeed(DotOp op) {
  AxisState a = analysis->get(op.getA(), 1), b = analysis->get(op.getB(), 0);
  auto harmless = [](Past past) { return past == Past::Zero || past == Past::None; };
  for (const AxisState *side : {&a, &b})
    for (auto &tail : side->tails) {
      Past inA = a.at(tail.first), inB = b.at(tail.first);
      if ((harmless(inA) && (harmless(inB) || inB == Past::Uniform)) || (inA == Past::Uniform && harmless(inB)))
        continue;
      if (harmless(inA) || (inA == Past::Uniform && inB != Past::Uniform))
        return Need{&op.getBMutable(), 0, tail.first, Past::Zero};
      return Need{&op.getAMutable(), 1, tail.first, Past::Zero};
    }
  return std::nullopt;
}

/// A sum carried by a loop, acc + x, contracts over the iterations: what x holds past the end of this step would count
/// in the next, where the axis stands for other positions.
FailureOr<std::optional<Need>> TailMasker::findNeedOfSum(OpOperand &yielded, int axis, const TailSource &source) {
  struct Term {
    OpOperand *operand;
    Past neutral;
  };
  SmallVector<Term> terms; // With the value each must hold past the end to leave the sum as it is.
  auto addTerms = [&](Operation *op, ArrayRef<unsigned> operands, Past neutral) {
    for (unsigned index : operands)
      terms.push_back({&op->getOpOperand(index), neutral});
  };
  Operation *op = yielded.get().getDefiningOp();
  if (op)
    TypeSwitch<Operation *>(op)
        .Case<arith::AddFOp>([&](auto add) { addTerms(add, {0, 1}, Past::Zero); })
        .Case<arith::MaxNumFOp, arith::MaximumFOp>([&](auto max) { addTerms(max, {0, 1}, Past::MinusInf); })
        .Case<arith::MinNumFOp, arith::MinimumFOp>([&](auto min) { addTerms(min, {0, 1}, Past::PlusInf); })
        .Case<DotOp>([&](auto dot) { addTerms(dot, {static_cast<unsigned>(axis)}, Past::Zero); });
  llvm::erase_if(terms, [&](Term term) { return !analysis->get(term.operand->get(), axis).has(source); });
  if (terms.size() != 1) {
    InFlightDiagnostic diag = yielded.getOwner()->emitOpError()
                              << "carries a tile whose axis " << axis
                              << " may reach past the end of a view, at positions that change with every step; reduce "
                                 "or contract that axis inside the loop, or carry a sum, maximum or minimum: acc + x";
    diag.attachNote(yielded.get().getLoc()) << "the tile is made here";
    return diag;
  }
  Past past = analysis->get(terms[0].operand->get(), axis).at(source);
  if (past == terms[0].neutral || past == Past::None)
    return std::optional<Need>();
  return std::optional<Need>(Need{terms[0].operand, axis, source, terms[0].neutral});
}

FailureOr<std::optional<Need>> TailMasker::findNeed(Operation *loop, Operation *yield) {
  for (OpOperand &operand : yield->getOpOperands())
    for (int axis : {0, 1})
      for (auto &tail : analysis->get(operand.get(), axis).tails) {
        if (!isDefinedInside(tail.first, loop))
          continue;
        auto need = findNeedOfSum(operand, axis, tail.first);
        if (failed(need) || *need)
          return need;
      }
  return std::optional<Need>();
}

FailureOr<std::optional<Need>> TailMasker::findNeed() {
  FailureOr<std::optional<Need>> need = std::optional<Need>();
  func.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      need = findNeed(reduce);
    } else if (auto dot = dyn_cast<DotOp>(op)) {
      need = findNeed(dot);
    } else if (isa<scf::YieldOp, YieldOp>(op) && isa<scf::ForOp, ForBlocksOp>(op->getParentOp())) {
      need = findNeed(op->getParentOp(), op);
    } else if (isa<MapOp>(op)) {
      op->emitOpError() << "is still there: run tile-vectorize-maps before tile-mask-tails";
      need = failure();
    } else if (op->getNumRegions() != 0 && !isa<scf::IfOp, scf::ForOp, ForBlocksOp>(op)) {
      op->emitOpError() << "hides which axis of a tile reaches past the end of a view; use scf.if, scf.for or "
                           "tile.for_blocks";
      need = failure();
    }
    return failed(need) || *need ? WalkResult::interrupt() : WalkResult::advance();
  });
  return need;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Masking
//===--------------------------------------------------------------------------------------------------------------===//

static Value emitNeutral(OpBuilder &builder, Location loc, RankedTensorType type, Past neutral) {
  auto element = cast<FloatType>(type.getElementType());
  APFloat value = APFloat::getZero(element.getFloatSemantics());
  if (neutral != Past::Zero)
    value = APFloat::getInf(element.getFloatSemantics(), /*Negative=*/neutral == Past::MinusInf);
  return builder.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, value));
}

/// The masked value of `x`, computed at the insertion point.
static Value emitMask(OpBuilder &builder, Location loc, Value x, const Need &need) {
  auto type = cast<RankedTensorType>(x.getType());
  auto select = [&](OpBuilder &at, Location where) -> Value {
    Value counts = need.source.emitCounts(at, where, need.axis);
    auto bits = RankedTensorType::get(type.getShape(), at.getI1Type());
    counts = at.createOrFold<BroadcastOp>(where, bits, counts);
    return at.create<arith::SelectOp>(where, counts, x, emitNeutral(at, where, type, need.neutral));
  };
  Value reachesPast = need.source.emitReachesPast(builder, loc);
  if (!reachesPast)
    return select(builder, loc);
  return builder
      .create<scf::IfOp>(
          loc, reachesPast, [&](OpBuilder &at, Location where) { at.create<scf::YieldOp>(where, select(at, where)); },
          [&](OpBuilder &at, Location where) { at.create<scf::YieldOp>(where, x); })
      .getResult(0);
}

/// The values that `use` takes part in making: an operation's results, what a branch or a loop ends with, what a loop
/// carries.
static SmallVector<Value> valuesMadeFrom(OpOperand &use) {
  Operation *user = use.getOwner();
  bool yields = isa<scf::YieldOp, YieldOp>(user);
  Operation *maker = yields ? user->getParentOp() : user;
  SmallVector<Value> values(maker->getResults());
  if (yields)
    values = {maker->getResult(use.getOperandNumber())};
  if (auto loop = dyn_cast<scf::ForOp>(maker))
    llvm::append_range(values, loop.getRegionIterArgs());
  else if (auto loop = dyn_cast<ForBlocksOp>(maker))
    llvm::append_range(values, loop.getCarried());
  return values;
}

/// Whether `value` reaches a store that shows what lies past the end of `source`: one to a view with another end. There
/// the elements past this end are as good as any other, and no mask may change them.
bool TailMasker::reachesOtherStore(Value value, const TailSource &source, DenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return false;
  auto has = [&](Value v, int axis) { return analysis->get(v, axis).has(source); };
  for (OpOperand &use : value.getUses()) {
    if (auto store = dyn_cast<StoreOp>(use.getOwner())) {
      AccessSources access =
          getAccessSources(store.getView().getType(), store.getIndices(), store.getSizes(), store.getValue().getType());
      for (int axis : {0, 1})
        if (has(value, axis) && !llvm::is_contained(access.axes[axis], source))
          return true;
    }
    for (Value made : valuesMadeFrom(use))
      if ((has(made, 0) || has(made, 1)) && reachesOtherStore(made, source, seen))
        return true;
  }
  return false;
}

LogicalResult TailMasker::satisfy(const Need &need) {
  Operation *consumer = need.operand->getOwner();
  bool inScope = !need.source.isDefinedBy([&](Value value) { return !dominance.properlyDominates(value, consumer); });
  if (!inScope) {
    InFlightDiagnostic diag =
        consumer->emitOpError()
        << "may meet positions past the end of a view here, but where the tile starts is computed "
           "in an inner block; compute the start of the load outside of it";
    if (Value start = dyn_cast<Value>(need.source.anchor))
      diag.attachNote(start.getLoc()) << "the tile starts here";
    return diag;
  }
  Value x = need.operand->get();
  OpBuilder builder(consumer);
  Value masked = emitMask(builder, consumer->getLoc(), x, need);
  bool ends = analysis->get(x, need.axis).has(need.source);
  need.operand->set(masked);
  if (!ends)
    return success(); // The other operand ends there; elsewhere what `x` holds counts.
  // Every later use sees the mask too, which spares further masks, unless a store would show it.
  Operation *mask = masked.getDefiningOp();
  x.replaceUsesWithIf(masked, [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (mask->isAncestor(user) || isa<StoreOp>(user) || !dominance.properlyDominates(masked, user))
      return false;
    DenseSet<Value> seen;
    return llvm::none_of(valuesMadeFrom(use), [&](Value made) { return reachesOtherStore(made, need.source, seen); });
  });
  return success();
}

LogicalResult TailMasker::run() {
  std::optional<Need> last;
  while (true) {
    analysis.emplace(func);
    FailureOr<std::optional<Need>> need = findNeed();
    if (failed(need))
      return failure();
    if (!*need)
      return success();
    if (last == **need)
      return last->operand->getOwner()->emitOpError() << "was given a mask for positions past the end of a view, which "
                                                         "the analysis does not understand; this is "
                                                         "a mistake in the compiler";
    last = **need;
    if (failed(satisfy(*last)))
      return failure();
  }
}

namespace {
class TileMaskTails : public impl::TileMaskTailsBase<TileMaskTails> {
  void runOnOperation() override {
    if (failed(TailMasker(getOperation()).run()))
      return signalPassFailure();
    // From here on nobody asks where a value stands.
    getOperation().walk([](AlongOp along) {
      along.getResult().replaceAllUsesWith(along.getValue());
      along.erase();
    });
  }
};
} // namespace

} // namespace lacuna::tile
