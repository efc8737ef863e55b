// warp-defer-quad-sum: see Passes.td.
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPDEFERQUADSUM
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

/// Whether the four lanes of a row hold the same `value`: nothing that it is made of is a lane's part of a row.
static bool isSameInQuad(Value value, DenseSet<Value> &seen) {
  if (!isa<RankedTensorType>(value.getType()) || !seen.insert(value).second)
    return true;
  auto all = [&](ValueRange values) { return llvm::all_of(values, [&](Value v) { return isSameInQuad(v, seen); }); };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop && all({loop.getTiedLoopInit(argument)->get(), loop.getTiedLoopYieldedValue(argument)->get()});
  }
  unsigned number = cast<OpResult>(value).getResultNumber();
  Operation *op = value.getDefiningOp();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return all(Value(loop.getRegionIterArg(number)));
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return all({branch.thenYield().getOperand(number), branch.elseYield().getOperand(number)});
  return isa<QuadReduceOp>(op) || (!isa<RowReduceOp>(op) && all(op->getOperands()));
}

/// Whether `value` is `carried`, or `carried * r`: linear in it, with one factor a row.
static bool isScaledCarry(Value value, Value carried) {
  if (value == carried)
    return true;
  auto mul = value.getDefiningOp<arith::MulFOp>();
  if (!mul || !value.hasOneUse() || (mul.getLhs() != carried && mul.getRhs() != carried))
    return false;
  DenseSet<Value> seen;
  return isSameInQuad(mul.getLhs() == carried ? mul.getRhs() : mul.getLhs(), seen);
}

/// The quad_reduce in `yielded = carried * r + quad_reduce(s)`, if that is what it is.
static QuadReduceOp findRunningSum(Value yielded, BlockArgument carried) {
  if (!isa<RankedTensorType>(carried.getType()) || !carried.hasOneUse())
    return {};
  auto add = yielded.getDefiningOp<arith::AddFOp>();
  if (!add || !yielded.hasOneUse())
    return {};
  for (auto [scaled, sum] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
    auto reduce = sum.getDefiningOp<QuadReduceOp>();
    if (reduce && reduce.getKind() == tile::ReduceKind::Add && sum.hasOneUse() && isScaledCarry(scaled, carried))
      return reduce;
  }
  return {};
}

namespace {
struct DeferQuadSum : impl::WarpDeferQuadSumBase<DeferQuadSum> {
  void runOnOperation() override {
    getOperation().walk([](scf::ForOp loop) {
      for (auto [init, carried, yielded, result] :
           llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getYieldedValues(), loop.getResults())) {
        QuadReduceOp reduce = findRunningSum(yielded, carried);
        if (!reduce || !matchPattern(init, m_AnyZeroFloat()))
          continue;
        reduce.getResult().replaceAllUsesWith(reduce.getX());
        reduce.erase();
        OpBuilder builder(loop->getContext());
        builder.setInsertionPointAfter(loop);
        auto whole = builder.create<QuadReduceOp>(loop.getLoc(), tile::ReduceKind::Add, result);
        result.replaceAllUsesExcept(whole.getResult(), whole);
      }
    });
  }
};
} // namespace

} // namespace lacuna::warp
