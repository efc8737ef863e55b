#include "lacuna/Compiler/Conversion/TileToCpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lacuna {
#define GEN_PASS_DEF_TILETOCPUMATH
#include "lacuna/Compiler/Conversion/TileToCpuPasses.h.inc"
} // namespace lacuna

using namespace mlir;

namespace {

/// Builds float32 arithmetic on values of one type, a scalar or a vector.
class FloatBuilder {
public:
  FloatBuilder(Location loc, OpBuilder &builder, Type type) : b(loc, builder), type(type) {}

  Value constant(float value) { return constantOf(b.getF32FloatAttr(value), type); }
  Value integer(int32_t value) { return constantOf(b.getI32IntegerAttr(value), integerType()); }
  Value add(Value x, Value y) { return b.create<arith::AddFOp>(x, y); }
  Value mul(Value x, Value y) { return b.create<arith::MulFOp>(x, y); }
  Value fma(Value x, Value y, Value z) { return b.create<math::FmaOp>(x, y, z); }
  Value fma(Value x, Value y, float z) { return fma(x, y, constant(z)); }
  Value bits(Value x) { return b.create<arith::BitcastOp>(integerType(), x); }

  /// `x` within [low, high]; NaN stays, since it is neither below nor above.
  Value clamp(Value x, float low, float high) {
    Value below = b.create<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, constant(low));
    x = b.create<arith::SelectOp>(below, constant(low), x);
    Value above = b.create<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, constant(high));
    return b.create<arith::SelectOp>(above, constant(high), x);
  }

  /// x * 2^n for n in [-300, 300], rounded once: 2^n may not be a normal number, its two halves are.
  Value scaleByPowerOfTwo(Value x, Value n) {
    Value first = b.create<arith::ShRSIOp>(n, integer(1));
    Value second = b.create<arith::SubIOp>(n, first);
    return mul(mul(x, powerOfTwo(first)), powerOfTwo(second));
  }

private:
  Type integerType() {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(b.getI32Type())) : b.getI32Type();
  }
  Value constantOf(TypedAttr value, Type of) {
    if (auto vector = dyn_cast<VectorType>(of))
      return b.create<arith::ConstantOp>(DenseElementsAttr::get(vector, Attribute(value)));
    return b.create<arith::ConstantOp>(value);
  }
  Value powerOfTwo(Value n) {
    Value biased = b.create<arith::AddIOp>(n, integer(127));
    return b.create<arith::BitcastOp>(type, b.create<arith::ShLIOp>(biased, integer(23)));
  }

  ImplicitLocOpBuilder b;
  Type type;
};

/// Adding this to a float32 of magnitude below 2^22 rounds it to an integer, which is then in the sum's low bits: no
/// conversion, and NaN passes through.
constexpr float kRounder = 12582912.0f; // 1.5 * 2^23
constexpr int32_t kRounderBits = 0x4B400000;

/// The nearest integer to `x`, as float32 and as i32.
std::pair<Value, Value> nearestInteger(FloatBuilder &f, OpBuilder &builder, Location loc, Value x) {
  Value sum = f.add(x, f.constant(kRounder));
  Value integer = builder.create<arith::SubIOp>(loc, f.bits(sum), f.integer(kRounderBits));
  return {f.add(sum, f.constant(-kRounder)), integer};
}

/// base^x = 2^n * base^r, n the nearest integer to x * log2(base) and r what is left of x: the polynomial with
/// `coefficients`, the highest power first.
Value exponential(FloatBuilder &f, Value r, Value n, std::initializer_list<float> coefficients) {
  Value p = f.constant(*coefficients.begin());
  for (float coefficient : llvm::drop_begin(coefficients))
    p = f.fma(p, r, coefficient);
  return f.scaleByPowerOfTwo(p, n);
}

/// |r| <= 1/2. Coefficients: Cephes, exp2f.
Value lower(math::Exp2Op op, FloatBuilder &f, OpBuilder &builder) {
  Value x = f.clamp(op.getOperand(), -152.0f, 129.0f); // 0 below, infinity above
  auto [whole, n] = nearestInteger(f, builder, op.getLoc(), x);
  Value r = f.fma(whole, f.constant(-1.0f), x);
  return exponential(f, r, n,
                     {1.535336188319500e-4f, 1.339887440266574e-3f, 9.618437357674640e-3f, 5.550332471162809e-2f,
                      2.402264791363012e-1f, 6.931472028550421e-1f, 1.0f});
}

/// r = x - n ln 2 with ln 2 in two parts, |r| <= ln(2) / 2. Coefficients: Cephes, expf.
Value lower(math::ExpOp op, FloatBuilder &f, OpBuilder &builder) {
  Value x = f.clamp(op.getOperand(), -105.0f, 89.5f); // 0 below, infinity above
  constexpr float kLog2E = 1.44269504088896341f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  auto [whole, n] = nearestInteger(f, builder, op.getLoc(), f.mul(x, f.constant(kLog2E)));
  Value r = f.fma(whole, f.constant(-kLn2High), x);
  r = f.fma(whole, f.constant(-kLn2Low), r);
  return exponential(f, r, n,
                     {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                      5.0000001201e-1f, 1.0f, 1.0f});
}

/// Replaces an exponential of float32 values by what `lower` makes of it.
template <typename Op> struct LowerExponential : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    FloatBuilder f(op.getLoc(), rewriter, op.getType());
    rewriter.replaceOp(op, lower(op, f, rewriter));
    return success();
  }
};

struct TileToCpuMathPass : lacuna::impl::TileToCpuMathBase<TileToCpuMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerExponential<math::ExpOp>, LowerExponential<math::Exp2Op>>(&getContext(),
                                                                                /*benefit=*/PatternBenefit(10));
    populateMathPolynomialApproximationPatterns(patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    if (failed(applyPatternsAndFoldGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
