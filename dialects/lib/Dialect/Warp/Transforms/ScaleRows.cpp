// warp-scale-rows: see Passes.td.
#include "Products.h"

#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPSCALEROWS
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

/// Columns of a tile with 32 registers a thread.
static constexpr int64_t kWorthAVote = 64;

/// Whether `use` is what a product accumulates onto.
static bool isAccumulated(OpOperand &use) {
  return llvm::TypeSwitch<Operation *, bool>(use.getOwner())
      .Case<WgmmaSsOp, WgmmaRsOp, MmaSyncOp>([&](auto product) { return product.getAcc() == use.get(); })
      .Default([](Operation *) { return false; });
}

/// The same in the next trip of the loop that `use` ends.
static bool isAccumulatedNext(OpOperand &use) {
  auto loop = dyn_cast<scf::ForOp>(use.getOwner()->getParentOp());
  return loop && isa<scf::YieldOp>(use.getOwner()) &&
         llvm::any_of(loop.getRegionIterArg(use.getOperandNumber()).getUses(), isAccumulated);
}

/// The factors in `tile * broadcast(factors)`.
static Value findFactors(Value repeated) {
  auto broadcast = repeated.getDefiningOp<BroadcastOp>();
  auto from = broadcast ? dyn_cast<RankedTensorType>(broadcast.getX().getType()) : RankedTensorType();
  return from && isa_and_present<RowAttr>(from.getEncoding()) ? broadcast.getX() : Value();
}

static void scaleRows(arith::MulFOp mul) {
  if (!isAccumulator(mul) || !getElementTypeOrSelf(mul.getType()).isF32() ||
      cast<RankedTensorType>(mul.getType()).getDimSize(1) < kWorthAVote || !mul->getParentOfType<scf::ForOp>())
    return;
  if (llvm::none_of(mul->getUses(), [](OpOperand &use) { return isAccumulated(use) || isAccumulatedNext(use); }))
    return;
  for (auto [tile, repeated] : {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())})
    if (Value factors = findFactors(repeated)) {
      OpBuilder builder(mul);
      mul.replaceAllUsesWith(builder.create<ScaleRowsOp>(mul.getLoc(), tile, factors).getResult());
      mul.erase();
      return;
    }
}

namespace {
struct ScaleRows : impl::WarpScaleRowsBase<ScaleRows> {
  void runOnOperation() override { getOperation().walk(scaleRows); }
};
} // namespace

} // namespace lacuna::warp
