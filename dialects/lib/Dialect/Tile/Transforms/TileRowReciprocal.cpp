// tile-row-reciprocal: a division by what is the same along a row, a column or a tile becomes a product.
//
//     acc / broadcast(den)   ->   acc * broadcast(1 / den)
//
// One division a row in place of one an element. The quotient is rounded twice, and a divisor whose reciprocal
// overflows (below 2^-128) gives infinity; the language allows both (docs/dialects/tile-rationale.md).
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace lacuna::tile {

#define GEN_PASS_DEF_TILEROWRECIPROCAL
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

/// 1 / `divisor`, on as many elements as the divisor has.
static Value reciprocal(PatternRewriter &rewriter, Location loc, Value divisor) {
  Type type = divisor.getType();
  TypedAttr one = rewriter.getF32FloatAttr(1.0f);
  if (auto tile = dyn_cast<RankedTensorType>(type))
    one = DenseElementsAttr::get(tile, Attribute(one));
  return rewriter.createOrFold<arith::DivFOp>(loc, rewriter.create<arith::ConstantOp>(loc, one), divisor);
}

namespace {

struct MultiplyByReciprocal : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::DivFOp div, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(div.getType());
    if (!type || !type.getElementType().isF32())
      return failure();
    Value factor;
    if (auto broadcast = div.getRhs().getDefiningOp<BroadcastOp>())
      factor = rewriter.create<BroadcastOp>(div.getLoc(), type, reciprocal(rewriter, div.getLoc(), broadcast.getX()));
    else if (matchPattern(div.getRhs(), m_Constant<SplatElementsAttr>(nullptr)))
      factor = reciprocal(rewriter, div.getLoc(), div.getRhs()); // Folds.
    else
      return failure();
    rewriter.replaceOpWithNewOp<arith::MulFOp>(div, div.getLhs(), factor);
    return success();
  }
};

class TileRowReciprocal : public impl::TileRowReciprocalBase<TileRowReciprocal> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MultiplyByReciprocal>(&getContext());
    if (failed(applyPatternsAndFoldGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace lacuna::tile
