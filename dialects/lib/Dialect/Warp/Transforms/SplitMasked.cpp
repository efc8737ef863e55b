// warp-split-masked: see Passes.td.
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPSPLITMASKED
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

/// The list whose steps, all from `lower` on, `loop` runs one by one and asks for masks; null if it is no such loop.
static Value findMaskedList(scf::ForOp loop) {
  auto count = loop.getUpperBound().getDefiningOp<ListCountOp>();
  if (!count || !matchPattern(loop.getStep(), m_One()))
    return {};
  for (auto step : loop.getBody()->getOps<ListStepOp>())
    if (step.getList() == count.getList() && step.getIndex() == loop.getInductionVar() &&
        !(step.getPartial().use_empty() && step.getExceeds().use_empty()))
      return count.getList();
  return {};
}

static void split(scf::ForOp loop, Value list) {
  Location loc = loop.getLoc();
  OpBuilder builder(loop);
  Value masked = builder.create<ListMaskedOp>(loc, builder.getI32Type(), list);
  Value middle = masked;
  if (!matchPattern(loop.getLowerBound(), m_Zero()))
    middle = builder.create<arith::MaxSIOp>(loc, masked, loop.getLowerBound());
  builder.setInsertionPointAfter(loop);
  auto second = builder.create<scf::ForOp>(loc, middle, loop.getUpperBound(), loop.getStep(), loop.getResults());
  loop.setUpperBound(middle);
  loop.getResults().replaceUsesWithIf(second.getResults(), [&](OpOperand &use) { return use.getOwner() != second; });

  IRMapping mapping;
  mapping.map(loop.getInductionVar(), second.getInductionVar());
  mapping.map(loop.getRegionIterArgs(), second.getRegionIterArgs());
  if (second.getNumResults() == 0)
    second.getBody()->getTerminator()->erase();
  builder.setInsertionPointToEnd(second.getBody());
  Value no;
  for (Operation &op : *loop.getBody()) {
    builder.clone(op, mapping);
    auto step = dyn_cast<ListStepOp>(op);
    if (!step || step.getList() != list || step.getIndex() != loop.getInductionVar())
      continue;
    if (!no)
      no = builder.create<arith::ConstantIntOp>(loc, 0, 1);
    mapping.map(step.getPartial(), no);
    mapping.map(step.getExceeds(), no);
  }
}

namespace {
struct SplitMasked : impl::WarpSplitMaskedBase<SplitMasked> {
  void runOnOperation() override {
    SmallVector<std::pair<scf::ForOp, Value>> loops;
    getOperation().walk([&](scf::ForOp loop) {
      RoleOp role = getRole(loop);
      if (!role || role.getKind() != RoleKind::Consumer)
        return;
      if (Value list = findMaskedList(loop))
        loops.emplace_back(loop, list);
    });
    if (getOperation()->hasAttr(kNoSplitAttr)) {
      if (!loops.empty())
        addDecision(getOperation(),
                    "masks: steps that may need them stay in the loop of the others, as the schedule says");
      return;
    }
    for (auto [loop, list] : loops) {
      split(loop, list);
      addDecision(getOperation(), "masks: steps that may need them run in a loop of their own");
    }
  }
};
} // namespace

} // namespace lacuna::warp
