// Verifiers and folders of the arithmetic on tiles.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "lacuna/Dialect/Tile/IR/TileOps.cpp.inc"

namespace lacuna::tile {

static RankedTensorType tileType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// A tile's extents are static, and 1 or a multiple of 16.
static LogicalResult verifyTile(Operation *op, StringRef what, RankedTensorType type) {
  for (int64_t extent : type.getShape()) {
    if (ShapedType::isDynamic(extent))
      return op->emitOpError() << what << " must have static extents, got " << type;
    if (extent != 1 && extent % kTileMultiple != 0)
      return op->emitOpError() << "a tile's extents are 1 or multiples of " << kTileMultiple << "; " << what << " is "
                               << type;
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// program_id, dim
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ProgramIdOp::verify() {
  auto func = (*this)->getParentOfType<FuncOp>();
  if (func && getAxis() >= func.getGrid().size())
    return emitOpError() << "axis " << getAxis() << " is outside the grid of " << func.getGrid().size() << " axes";
  return success();
}

LogicalResult DimOp::verify() {
  auto func = (*this)->getParentOfType<FuncOp>();
  if (!func)
    return success(); // In a hook: checked again where the hook is inlined.
  for (Attribute dim : func.getDims())
    if (cast<StringAttr>(dim).getValue() == getName())
      return success();
  InFlightDiagnostic diag = emitOpError()
                            << "names '" << getName() << "', which is no run-time dimension of the kernel";
  diag.attachNote(func.getLoc()) << "the kernel's dimensions are " << func.getDims();
  return diag;
}

//===--------------------------------------------------------------------------------------------------------------===//
// dot
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  RankedTensorType a = tileType(getA()), b = tileType(getB()), result = tileType(getResult());
  if (failed(verifyTile(*this, "operand a", a)) || failed(verifyTile(*this, "operand b", b)))
    return failure();
  if (a.getElementType() != b.getElementType() || a.getElementType().isF32())
    return emitOpError() << "operands must both be bf16 or both f16, got " << a.getElementType() << " and "
                         << b.getElementType();
  if (a.getDimSize(1) != b.getDimSize(0))
    return emitOpError() << "the contracted extents differ: a has " << a.getDimSize(1) << " columns, b has "
                         << b.getDimSize(0) << " rows";
  if (result.getDimSize(0) != a.getDimSize(0) || result.getDimSize(1) != b.getDimSize(1))
    return emitOpError() << "result must be " << a.getDimSize(0) << "x" << b.getDimSize(1) << ", got " << result;
  if (getAcc() && getAcc().getType() != result)
    return emitOpError() << "the accumulator must have the result's type " << result << ", got " << getAcc().getType();
  return success();
}

namespace {
/// dot(a, b, 0) -> dot(a, b).
struct DropZeroAccumulator : OpRewritePattern<DotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DotOp dot, PatternRewriter &rewriter) const override {
    if (!dot.getAcc() || !matchPattern(dot.getAcc(), m_PosZeroFloat()))
      return failure();
    rewriter.modifyOpInPlace(dot, [&] { dot.getAccMutable().clear(); });
    return success();
  }
};
} // namespace

void DotOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropZeroAccumulator>(context);
}

//===--------------------------------------------------------------------------------------------------------------===//
// transpose, broadcast
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  RankedTensorType x = tileType(getX()), result = tileType(getResult());
  auto expected = RankedTensorType::get({x.getDimSize(1), x.getDimSize(0)}, x.getElementType());
  if (result != expected)
    return emitOpError() << "result must be " << expected << ", got " << result;
  return verifyTile(*this, "the operand", x);
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getX().getDefiningOp<TransposeOp>())
    return inner.getX();
  if (auto splat = dyn_cast_if_present<SplatElementsAttr>(adaptor.getX()))
    return splat.resizeSplat(tileType(getResult()));
  return {};
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType result = tileType(getResult());
  if (failed(verifyTile(*this, "the result", result)))
    return failure();
  if (getElementTypeOrSelf(getX()) != result.getElementType())
    return emitOpError() << "operand and result must have one element type, got " << getX().getType() << " and "
                         << result;
  auto x = dyn_cast<RankedTensorType>(getX().getType());
  if (!x)
    return success();
  for (int axis : {0, 1})
    if (x.getDimSize(axis) != 1 && x.getDimSize(axis) != result.getDimSize(axis))
      return emitOpError() << "axis " << axis << " of the operand must be 1 or " << result.getDimSize(axis) << ", got "
                           << x.getDimSize(axis);
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  RankedTensorType result = tileType(getResult());
  if (getX().getType() == result)
    return getX();
  if (auto splat = dyn_cast_if_present<SplatElementsAttr>(adaptor.getX()))
    return splat.resizeSplat(result);
  if (isa_and_present<FloatAttr, IntegerAttr>(adaptor.getX()))
    return DenseElementsAttr::get(result, ArrayRef<Attribute>(adaptor.getX()));
  if (auto inner = getX().getDefiningOp<BroadcastOp>()) {
    getXMutable().assign(inner.getX());
    return getResult();
  }
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// reduce, iota
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ReduceOp::verify() {
  RankedTensorType x = tileType(getX());
  if (failed(verifyTile(*this, "the operand", x)))
    return failure();
  ArrayRef<int64_t> axes = getAxes();
  bool legal = axes == ArrayRef<int64_t>{0} || axes == ArrayRef<int64_t>{1} || axes == ArrayRef<int64_t>{0, 1};
  if (!legal)
    return emitOpError() << "axes must be [0], [1] or [0, 1]";
  Type element = x.getElementType();
  Type expected = element;
  if (axes.size() == 1)
    expected = axes[0] == 1 ? RankedTensorType::get({x.getDimSize(0), 1}, element)
                            : RankedTensorType::get({1, x.getDimSize(1)}, element);
  if (getResult().getType() != expected)
    return emitOpError() << "result must be " << expected << ", got " << getResult().getType();
  return success();
}

OpFoldResult ReduceOp::fold(FoldAdaptor) {
  // Reducing an axis of extent 1 changes nothing.
  return getX().getType() == getResult().getType() ? OpFoldResult(getX()) : OpFoldResult();
}

LogicalResult IotaOp::verify() {
  RankedTensorType result = tileType(getResult());
  if ((result.getDimSize(0) == 1) == (result.getDimSize(1) == 1))
    return emitOpError() << "exactly one extent of the result must be 1, got " << result;
  return verifyTile(*this, "the result", result);
}

//===--------------------------------------------------------------------------------------------------------------===//
// map, key_positions
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult MapOp::verify() {
  Block &body = getBody().front();
  RankedTensorType result = tileType(getResult());
  if (body.getNumArguments() != getInputs().size() + 2)
    return emitOpError() << "the body takes one scalar for each of the " << getInputs().size()
                         << " inputs, then row and column, got " << body.getNumArguments() << " arguments";
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    if (tileType(input).getShape() != result.getShape())
      return emitOpError() << "input " << index << " must have the result's extents, got " << input.getType() << " and "
                           << result;
    if (body.getArgument(index).getType() != getElementTypeOrSelf(input))
      return emitOpError() << "argument " << index << " of the body must be " << getElementTypeOrSelf(input) << ", got "
                           << body.getArgument(index).getType();
  }
  for (BlockArgument index : body.getArguments().take_back(2))
    if (!index.getType().isInteger(32))
      return emitOpError() << "the row and column arguments must be i32, got " << index.getType();
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getNumOperands() != 1 || yield.getOperand(0).getType() != result.getElementType())
    return emitOpError() << "the body must yield one " << result.getElementType();
  for (Operation &op : body.without_terminator())
    if (!isMemoryEffectFree(&op))
      return op.emitOpError() << "has a side effect; the body of a tile.map is pure";
  return success();
}

LogicalResult AlongOp::verify() {
  if (tileType(getValue()).getShape() != tileType(getLike()).getShape())
    return emitOpError() << "both tiles must have the same extents, got " << getValue().getType() << " and "
                         << getLike().getType();
  return success();
}

LogicalResult PositionsOp::verify() {
  auto expected = RankedTensorType::get({1, getPositions().getType().getExtent()}, IntegerType::get(getContext(), 32));
  if (getResult().getType() != expected)
    return emitOpError() << "result must be " << expected << ", got " << getResult().getType();
  return success();
}

} // namespace lacuna::tile
