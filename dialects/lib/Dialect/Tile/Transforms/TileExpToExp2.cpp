// tile-exp-to-exp2: exp and log in base 2, and a positive scale folded into the exponent.
//
// The hardware has exp2 and log2 only. The factor log2(e), and where possible the scale of the scores, join the
// subtraction of the row's maximum in one fused multiply-add an element:
//
//     s = d * scale;  s' = mask ? s : -inf;  m = rowmax(s');  p = exp(s' - c)
//  1. the product moves behind masks and maxima (scale > 0):
//     d' = mask ? d : -inf;  m = rowmax(d') * scale;  p = exp(d' * scale - c)
//  2. base 2:
//     p = exp2(fma(d', scale * log2(e), -(c * log2(e))))
//
// Step 1 is exact: multiplying by a positive finite number, rounding included, keeps order and infinities. For a scale
// of unknown sign it would be wrong (a negative one turns -inf into +inf and the maximum into the minimum), so nothing
// moves. Step 2 rounds c * log2(e) once; vectors of one value a row, exp(m_old - c), are written as
// exp2(m_old * log2(e) - c * log2(e)) with the same rounded products, so that an online softmax rescales its sums by
// exactly what its elements were computed against.
//
// At scores of 8192 the roundings in c * log2(e) are up to 2^-9 together, by which the exponent differs from 0 at the
// row's maximum. p is then a little below or above 1. The sums of a row see the same factor everywhere and cancel it;
// what is left is how p itself is rounded. Rounded to bf16 it is 1 again or as wrong as any other p. Rounded to f16,
// whose half unit is 2^-12 below 1 and 2^-11 above, it must not be above: a kernel that rounds its exponentials to f16
// takes c * log2(e) a little larger (by 2^-21 of itself), wherever c stands, so that p stays at or below 1 where c is
// the maximum. (Where c may be below it, as in a maximum that follows late, a p above 1 is rounded as any other.)
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace lacuna::tile {

#define GEN_PASS_DEF_TILEEXPTOEXP2
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

static constexpr float kLog2E = 1.44269504088896340736f;
static constexpr float kLn2 = 0.69314718055994530942f;

//===--------------------------------------------------------------------------------------------------------------===//
// Small values: what has fewer elements than the tile it is broadcast to
//===--------------------------------------------------------------------------------------------------------------===//

/// `value` on every element of `type`, a scalar or a tile.
static Value constantOf(PatternRewriter &rewriter, Location loc, Type type, float value) {
  TypedAttr attr = rewriter.getF32FloatAttr(value);
  if (auto tile = dyn_cast<RankedTensorType>(type))
    attr = DenseElementsAttr::get(tile, Attribute(attr));
  return rewriter.create<arith::ConstantOp>(loc, attr);
}

static Value timesConstant(PatternRewriter &rewriter, Location loc, Value x, float factor) {
  return rewriter.createOrFold<arith::MulFOp>(loc, x, constantOf(rewriter, loc, x.getType(), factor));
}

/// What `value` repeats: the operand of a broadcast, the element of a splat, or nothing.
static Value smallValueOf(PatternRewriter &rewriter, Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    return broadcast.getX();
  SplatElementsAttr splat;
  if (isa<RankedTensorType>(value.getType()) && matchPattern(value, m_Constant(&splat)))
    return rewriter.create<arith::ConstantOp>(value.getLoc(), splat.getSplatValue<FloatAttr>());
  return {};
}

/// `small` repeated over `type`; the inverse of `smallValueOf`.
static Value repeat(PatternRewriter &rewriter, Location loc, Type type, Value small) {
  return small.getType() == type ? small : rewriter.createOrFold<BroadcastOp>(loc, type, small);
}

/// Whether `tile` is large: it has more elements than a vector along one axis.
static bool isMatrix(Type type) {
  auto tile = dyn_cast<RankedTensorType>(type);
  return tile && tile.getDimSize(0) != 1 && tile.getDimSize(1) != 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Step 1: moving a positive factor
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether `factor`, an operand of a product, is one positive finite number for the whole tile. The launch checks that
/// an argument that is `tile.positive` is finite.
static bool isPositiveFactor(Value factor) {
  APFloat constant(0.0f);
  if (matchPattern(factor, m_ConstantFloat(&constant)))
    return constant.isFiniteNonZero() && !constant.isNegative();
  auto broadcast = factor.getDefiningOp<BroadcastOp>();
  auto argument = dyn_cast_if_present<BlockArgument>(broadcast ? broadcast.getX() : Value());
  if (!argument)
    return false;
  auto func = dyn_cast<FuncOp>(argument.getOwner()->getParentOp());
  return func && func.getArgAttr(argument.getArgNumber(), kPositiveAttr);
}

/// `value = x * factor` with a positive factor, or nothing.
struct PositiveProduct {
  Value x, factor;
};
static std::optional<PositiveProduct> matchPositiveProduct(Value value) {
  auto mul = value.getDefiningOp<arith::MulFOp>();
  if (!mul || !isa<RankedTensorType>(mul.getType()))
    return std::nullopt;
  if (isPositiveFactor(mul.getRhs()))
    return PositiveProduct{mul.getLhs(), mul.getRhs()};
  if (isPositiveFactor(mul.getLhs()))
    return PositiveProduct{mul.getRhs(), mul.getLhs()};
  return std::nullopt;
}

/// Whether two factors are the same number: one constant, or broadcasts of one value.
static bool sameFactor(Value a, Value b) {
  auto x = a.getDefiningOp<BroadcastOp>(), y = b.getDefiningOp<BroadcastOp>();
  Attribute constantA, constantB;
  return a == b || (x && y && x.getX() == y.getX()) ||
         (matchPattern(a, m_Constant(&constantA)) && matchPattern(b, m_Constant(&constantB)) && constantA == constantB);
}

/// `value / factor` where that is exact and free: what a product multiplies, or 0 and infinities as they are.
static Value withoutFactor(Value value, Value factor) {
  if (auto product = matchPositiveProduct(value); product && sameFactor(product->factor, factor))
    return product->x;
  APFloat constant(0.0f);
  if (matchPattern(value, m_ConstantFloat(&constant)) && (constant.isZero() || constant.isInfinity()))
    return value;
  return {};
}

/// The values that two alternatives multiply by one positive factor, and that factor.
struct CommonFactor {
  Value first, second, factor;
};
static std::optional<CommonFactor> matchCommonFactor(Value first, Value second) {
  auto product = matchPositiveProduct(first);
  if (!product)
    product = matchPositiveProduct(second);
  if (!product)
    return std::nullopt;
  CommonFactor common{withoutFactor(first, product->factor), withoutFactor(second, product->factor), product->factor};
  if (!common.first || !common.second)
    return std::nullopt;
  return common;
}

/// A copy of `factor` (a constant or a broadcast of a kernel argument) at the insertion point.
static Value rematerialize(PatternRewriter &rewriter, Value factor) {
  return rewriter.clone(*factor.getDefiningOp())->getResult(0);
}

namespace {

/// select(c, x * a, y * a) -> select(c, x, y) * a.
struct MoveBehindSelect : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp select, PatternRewriter &rewriter) const override {
    auto common = matchCommonFactor(select.getTrueValue(), select.getFalseValue());
    if (!common)
      return failure();
    Value inner =
        rewriter.create<arith::SelectOp>(select.getLoc(), select.getCondition(), common->first, common->second);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(select, inner, rematerialize(rewriter, common->factor));
    return success();
  }
};

/// if c { yield x * a } else { yield y * a } -> (if c { yield x } else { yield y }) * a.
struct MoveBehindIf : OpRewritePattern<scf::IfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(scf::IfOp ifOp, PatternRewriter &rewriter) const override {
    bool changed = false;
    for (OpResult result : ifOp->getResults()) {
      unsigned index = result.getResultNumber();
      auto common = matchCommonFactor(ifOp.thenYield().getOperand(index), ifOp.elseYield().getOperand(index));
      if (!common)
        continue;
      changed = true;
      rewriter.modifyOpInPlace(ifOp.thenYield(), [&] { ifOp.thenYield().setOperand(index, common->first); });
      rewriter.modifyOpInPlace(ifOp.elseYield(), [&] { ifOp.elseYield().setOperand(index, common->second); });
      rewriter.setInsertionPointAfter(ifOp);
      auto product = rewriter.create<arith::MulFOp>(ifOp.getLoc(), result, rematerialize(rewriter, common->factor));
      rewriter.replaceAllUsesExcept(result, product, product);
    }
    return success(changed);
  }
};

/// reduce max (x * a) -> reduce max (x) * a, and for min alike.
struct MoveBehindMaximum : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp reduce, PatternRewriter &rewriter) const override {
    auto product = matchPositiveProduct(reduce.getX());
    if (!product || reduce.getKind() == ReduceKind::Add)
      return failure();
    Location loc = reduce.getLoc();
    Value inner = rewriter.create<ReduceOp>(loc, reduce.getType(), reduce.getKind(), product->x, reduce.getAxes());
    Value factor = repeat(rewriter, loc, reduce.getType(), smallValueOf(rewriter, product->factor));
    rewriter.replaceOpWithNewOp<arith::MulFOp>(reduce, inner, factor);
    return success();
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// Step 2: base 2
//===--------------------------------------------------------------------------------------------------------------===//

/// `value * log2(e)` as `x * factor`, where the factor costs nothing an element.
struct Base2Product {
  Value x, factor;
};

} // namespace

static Base2Product toBase2(PatternRewriter &rewriter, Location loc, Value value, float log2E) {
  if (auto mul = value.getDefiningOp<arith::MulFOp>())
    for (auto [x, factor] : {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())})
      if (Value small = smallValueOf(rewriter, factor))
        return {x, repeat(rewriter, loc, value.getType(), timesConstant(rewriter, loc, small, log2E))};
  return {value, constantOf(rewriter, loc, value.getType(), log2E)};
}

namespace {

/// Writes exponents in base 2.
class Base2Writer {
public:
  Base2Writer(PatternRewriter &rewriter, Location loc, bool atMostOne)
      : rewriter(rewriter), loc(loc), atMostOne(atMostOne) {}

  /// `exponent * log2(e)`, in as few operations an element as its form allows.
  Value write(Value exponent);

private:
  Value offset(Value small, float sign, bool subtracted);
  Value foldSum(Value x, Value small, float signOfX, float signOfSmall);

  PatternRewriter &rewriter;
  Location loc;
  bool atMostOne; // see the top of the file
};

} // namespace

/// `small * sign * log2(e)` for one value a row or column. It is to be subtracted (or, not `subtracted`, added): where
/// the exponential must not be above 1, it is a little larger (smaller) than it would be.
Value Base2Writer::offset(Value small, float sign, bool subtracted) {
  Value product = timesConstant(rewriter, loc, small, sign * kLog2E);
  if (!atMostOne)
    return product;
  Type type = product.getType();
  auto constant = [&](float value) { return constantOf(rewriter, loc, type, value); };
  Value negative = rewriter.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OLT, product, constant(0.0f));
  float margin = subtracted ? 0x1p-21f : -0x1p-21f;
  Value factor = rewriter.create<arith::SelectOp>(loc, negative, constant(1.0f - margin), constant(1.0f + margin));
  return rewriter.create<arith::MulFOp>(loc, product, factor);
}

/// exponent * log2(e) for exponent = `signOfX` * `x` + `signOfSmall` * `small`, `small` the same along an axis of a
/// matrix.
Value Base2Writer::foldSum(Value x, Value small, float signOfX, float signOfSmall) {
  Value added = offset(small, /*sign=*/1.0f, /*subtracted=*/signOfSmall < 0);
  if (signOfSmall < 0)
    added = rewriter.createOrFold<arith::NegFOp>(loc, added);
  Base2Product product = toBase2(rewriter, loc, x, signOfX * kLog2E);
  return rewriter.create<math::FmaOp>(loc, product.x, product.factor, repeat(rewriter, loc, x.getType(), added));
}

Value Base2Writer::write(Value exponent) {
  float sign = 1.0f;
  if (auto neg = exponent.getDefiningOp<arith::NegFOp>()) {
    sign = -1.0f;
    exponent = neg.getOperand();
  }
  auto sub = exponent.getDefiningOp<arith::SubFOp>();
  auto add = exponent.getDefiningOp<arith::AddFOp>();
  if (isMatrix(exponent.getType()) && (sub || add)) {
    Value lhs = exponent.getDefiningOp()->getOperand(0), rhs = exponent.getDefiningOp()->getOperand(1);
    float signOfRhs = sub ? -sign : sign;
    if (Value small = smallValueOf(rewriter, rhs))
      return foldSum(lhs, small, sign, signOfRhs);
    if (Value small = smallValueOf(rewriter, lhs))
      return foldSum(rhs, small, signOfRhs, sign);
  } else if (sub) {
    return rewriter.create<arith::SubFOp>(loc, offset(sub.getLhs(), sign, /*subtracted=*/true),
                                          offset(sub.getRhs(), sign, /*subtracted=*/true));
  }
  Base2Product product = toBase2(rewriter, loc, exponent, sign * kLog2E);
  return rewriter.create<arith::MulFOp>(loc, product.x, product.factor);
}

namespace {

struct ExpToExp2 : OpRewritePattern<math::ExpOp> {
  ExpToExp2(MLIRContext *context, bool atMostOne) : OpRewritePattern(context), atMostOne(atMostOne) {}
  LogicalResult matchAndRewrite(math::ExpOp exp, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(exp.getType()).isF32())
      return failure();
    Value base2 = Base2Writer(rewriter, exp.getLoc(), atMostOne).write(exp.getOperand());
    rewriter.replaceOpWithNewOp<math::Exp2Op>(exp, base2);
    return success();
  }
  bool atMostOne;
};

/// Whether `value` becomes f16, as it is or after elementwise operations and conditions.
bool becomesF16(Value value, DenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return false;
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<arith::TruncFOp>(user))
      return getElementTypeOrSelf(user->getResult(0).getType()).isF16();
    if (auto yield = dyn_cast<scf::YieldOp>(user); yield && isa<scf::IfOp>(yield->getParentOp()))
      return becomesF16(yield->getParentOp()->getResult(use.getOperandNumber()), seen);
    return user->hasTrait<OpTrait::Elementwise>() && user->getNumResults() == 1 && becomesF16(user->getResult(0), seen);
  });
}

/// Whether the kernel rounds an exponential to f16.
bool roundsToF16(FuncOp func) {
  return func
      .walk([](math::ExpOp exp) {
        DenseSet<Value> seen;
        bool rounds = isMatrix(exp.getType()) && becomesF16(exp, seen);
        return rounds ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

struct LogToLog2 : OpRewritePattern<math::LogOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::LogOp log, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(log.getType()).isF32())
      return failure();
    Value base2 = rewriter.create<math::Log2Op>(log.getLoc(), log.getOperand());
    rewriter.replaceOpWithNewOp<arith::MulFOp>(log, base2, constantOf(rewriter, log.getLoc(), log.getType(), kLn2));
    return success();
  }
};

class TileExpToExp2 : public impl::TileExpToExp2Base<TileExpToExp2> {
  void runOnOperation() override {
    // One step after the other: the exponents are matched once no product moves any more.
    RewritePatternSet moves(&getContext());
    moves.add<MoveBehindSelect, MoveBehindIf, MoveBehindMaximum>(&getContext());
    RewritePatternSet base2(&getContext());
    base2.add<ExpToExp2>(&getContext(), roundsToF16(getOperation()));
    base2.add<LogToLog2>(&getContext());
    if (failed(applyPatternsAndFoldGreedily(getOperation(), std::move(moves))) ||
        failed(applyPatternsAndFoldGreedily(getOperation(), std::move(base2))))
      signalPassFailure();
  }
};

} // namespace

} // namespace lacuna::tile
