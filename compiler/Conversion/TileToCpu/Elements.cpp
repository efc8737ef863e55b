#include "Elements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace lacuna::cpu {

Type registerType(Type element) {
  return isa<Float16Type, BFloat16Type>(element) ? Float32Type::get(element.getContext()) : element;
}

Type withWidth(Type element, int64_t width) {
  return width ? Type(VectorType::get({width}, element)) : element;
}

/// `element` with the width of `like`.
static Type typeLike(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(vector.clone(element)) : element;
}

/// The constant `value` of integer type `element`, with the width of `like`.
static Value integerLike(ImplicitLocOpBuilder &b, Type like, int64_t value) {
  Type type = typeLike(like, b.getI32Type());
  TypedAttr scalar = b.getI32IntegerAttr(static_cast<int32_t>(value));
  if (auto vector = dyn_cast<VectorType>(type))
    return b.create<arith::ConstantOp>(DenseElementsAttr::get(vector, Attribute(scalar)));
  return b.create<arith::ConstantOp>(scalar);
}

Value constantOf(ImplicitLocOpBuilder &b, Attribute value, int64_t width) {
  if (auto number = dyn_cast<FloatAttr>(value); number && !number.getType().isF32()) {
    bool losesInfo;
    APFloat single = number.getValue();
    single.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &losesInfo);
    value = b.getFloatAttr(b.getF32Type(), single);
  }
  auto scalar = cast<TypedAttr>(value);
  if (!width)
    return b.create<arith::ConstantOp>(scalar);
  auto type = VectorType::get({width}, scalar.getType());
  return b.create<arith::ConstantOp>(DenseElementsAttr::get(type, Attribute(scalar)));
}

Value splat(ImplicitLocOpBuilder &b, Value value, int64_t width) {
  if (!width)
    return value;
  return b.create<vector::BroadcastOp>(withWidth(value.getType(), width), value);
}

Value laneNumbers(ImplicitLocOpBuilder &b) {
  auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, kWidth));
  return b.create<arith::ConstantOp>(
      DenseElementsAttr::get(VectorType::get({kWidth}, b.getI32Type()), ArrayRef(lanes)));
}

Value roundTo(ImplicitLocOpBuilder &b, Type element, Value value) {
  Type type = value.getType();
  if (element.isF16()) {
    Value narrow = b.create<arith::TruncFOp>(typeLike(type, element), value);
    return b.create<arith::ExtFOp>(type, narrow);
  }
  if (!element.isBF16())
    return value;
  // Half of the last kept place, less one where that place is even, carries into it exactly when rounding goes up. In
  // integers, so that no target flushes subnormals. A NaN could carry into infinity: it is replaced.
  Type bitsType = typeLike(type, b.getI32Type());
  Value bits = b.create<arith::BitcastOp>(bitsType, value);
  Value upper = b.create<arith::ShRUIOp>(bits, integerLike(b, type, 16));
  Value odd = b.create<arith::AndIOp>(upper, integerLike(b, type, 1));
  Value half = b.create<arith::AddIOp>(odd, integerLike(b, type, 0x7fff));
  Value sum = b.create<arith::AddIOp>(bits, half);
  Value kept = b.create<arith::AndIOp>(sum, integerLike(b, type, 0xffff0000));
  Value isNaN = b.create<arith::CmpFOp>(arith::CmpFPredicate::UNO, value, value);
  Value result = b.create<arith::SelectOp>(isNaN, integerLike(b, type, 0x7fc00000), kept);
  return b.create<arith::BitcastOp>(type, result);
}

/// The type that an element has in memory: bf16 travels as its 16 bits, i1 as a byte.
static Type memoryType(Type element) {
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

static unsigned alignmentOf(Type element) {
  return memoryType(element).getIntOrFloatBitWidth() / 8;
}

Value loadElements(ImplicitLocOpBuilder &b, Type element, Value pointer, int64_t width, Value mask) {
  Type type = withWidth(memoryType(element), width);
  Value raw;
  if (mask)
    raw =
        b.create<LLVM::MaskedLoadOp>(type, pointer, mask, ValueRange{b.create<arith::ConstantOp>(b.getZeroAttr(type))},
                                     b.getI32IntegerAttr(alignmentOf(element)));
  else
    raw = b.create<LLVM::LoadOp>(type, pointer, alignmentOf(element));
  Type wide = withWidth(registerType(element), width);
  if (element.isF16())
    return b.create<arith::ExtFOp>(wide, raw);
  if (element.isBF16()) {
    Value bits = b.create<arith::ExtUIOp>(typeLike(type, b.getI32Type()), raw);
    return b.create<arith::BitcastOp>(wide, b.create<arith::ShLIOp>(bits, integerLike(b, type, 16)));
  }
  if (element.isInteger(1))
    return b.create<arith::TruncIOp>(wide, raw);
  return raw;
}

void storeElements(ImplicitLocOpBuilder &b, Type element, Value value, Value pointer, int64_t width, Value mask) {
  Type type = withWidth(memoryType(element), width);
  if (element.isF16()) {
    value = b.create<arith::TruncFOp>(type, value);
  } else if (element.isBF16()) {
    Value bits = b.create<arith::BitcastOp>(typeLike(type, b.getI32Type()), value);
    value = b.create<arith::TruncIOp>(type, b.create<arith::ShRUIOp>(bits, integerLike(b, type, 16)));
  } else if (element.isInteger(1)) {
    value = b.create<arith::ExtUIOp>(type, value);
  }
  if (mask)
    b.create<LLVM::MaskedStoreOp>(value, pointer, mask, b.getI32IntegerAttr(alignmentOf(element)));
  else
    b.create<LLVM::StoreOp>(value, pointer, alignmentOf(element));
}

Value buildElementwise(ImplicitLocOpBuilder &b, Operation *op, ValueRange operands, int64_t width) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (isa<arith::ExtFOp>(op))
    return operands[0];
  if (isa<arith::TruncFOp>(op))
    return roundTo(b, element, operands[0]);
  OperationState state(b.getLoc(), op->getName());
  state.addOperands(operands);
  state.addTypes(withWidth(registerType(element), width));
  state.addAttributes(op->getAttrs());
  return roundTo(b, element, b.create(state)->getResult(0));
}

} // namespace lacuna::cpu
