// What the CPU backend can lower; everything else is refused at its place, before any code is made.
#include "CpuLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

static bool isElement(Type type) {
  return type.isF32() || type.isF16() || type.isBF16() || type.isInteger(1) || type.isInteger(32);
}

static LogicalResult checkTypes(Operation *op) {
  auto supported = [](Type type) {
    if (isa<ViewType, BlocksType, BandsType, PositionsType>(type))
      return true;
    auto tile = dyn_cast<RankedTensorType>(type);
    return isElement(getElementTypeOrSelf(type)) && (!tile || (tile.getRank() == 2 && tile.hasStaticShape()));
  };
  for (Type type :
       llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()), SmallVector<Type>(op->getResultTypes())))
    if (!supported(type))
      return op->emitOpError() << "has the type " << type
                               << "; the CPU backend supports f32, f16, bf16, i32 and i1, and "
                               << "tiles of them with two static extents";
  return success();
}

/// Functions that the target has an instruction for, or tile-to-cpu-math a polynomial.
static bool isSupportedFunction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CosOp, math::ErfOp, math::ExpOp,
             math::Exp2Op, math::ExpM1Op, math::FloorOp, math::FmaOp, math::LogOp, math::Log1pOp, math::Log2Op,
             math::RoundEvenOp, math::RsqrtOp, math::SinOp, math::SqrtOp, math::TanhOp, math::TruncOp>(op);
}

static LogicalResult checkOp(Operation *op) {
  if (isa<MapOp, CallHookOp, PositionAtOp>(op))
    return op->emitOpError()
           << "must be gone before the CPU backend; run tile-inline-hooks and tile-vectorize-maps first";
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (isTile(constant.getType()) && !isa<SplatElementsAttr>(constant.getValue()))
      return op->emitOpError() << "has elements that differ; the CPU backend supports tiles of one repeated constant";
    return success();
  }
  if (isa<TileDialect>(op->getDialect()) || isa<scf::ForOp, scf::IfOp, scf::YieldOp>(op))
    return success();
  const bool isArith = isa<arith::ArithDialect>(op->getDialect()) && isElementwise(op) && !isa<arith::BitcastOp>(op);
  if (isArith || isSupportedFunction(op))
    return success();
  return op->emitOpError()
         << "is not supported by the CPU backend; it lowers the tile dialect, scf.for, scf.if, elementwise "
         << "arith, and of math: abs, ceil, copysign, cos, erf, exp, exp2, expm1, floor, fma, log, log1p, "
         << "log2, roundeven, rsqrt, sin, sqrt, tanh and trunc";
}

LogicalResult checkSupported(FuncOp func) {
  WalkResult result = func.getBody().walk<WalkOrder::PreOrder>([](Operation *op) {
    return failed(checkOp(op)) || failed(checkTypes(op)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::cpu
