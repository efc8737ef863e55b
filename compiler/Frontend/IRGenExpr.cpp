//===- IRGenExpr.cpp - Expressions as tile IR --------------------------------===//

#include "IRGenImpl.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace lacuna;
using namespace lacuna::frontend;
using llvm::cast;
namespace arith = mlir::arith;

mlir::Value IRGen::gen(const Expr &expr) {
  mlir::Location loc = location(expr.range);
  switch (expr.kind) {
  case Expr::Kind::Integer:
    return builder.create<arith::ConstantIntOp>(loc, cast<IntegerExpr>(&expr)->value, 32);
  case Expr::Kind::Float:
  case Expr::Kind::Infinity: {
    float value = expr.kind == Expr::Kind::Float ? static_cast<float>(cast<FloatExpr>(&expr)->value)
                                                 : std::numeric_limits<float>::infinity();
    return builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(value));
  }
  case Expr::Kind::Bool:
    return builder.create<arith::ConstantOp>(loc, builder.getBoolAttr(cast<BoolExpr>(&expr)->value));
  case Expr::Kind::Name:
    return genName(*cast<NameExpr>(&expr));
  case Expr::Kind::Unary:
    return genUnary(*cast<UnaryExpr>(&expr));
  case Expr::Kind::Binary:
    return genBinary(*cast<BinaryExpr>(&expr));
  case Expr::Kind::Select:
    return genSelect(*cast<SelectExpr>(&expr));
  case Expr::Kind::Cast: {
    const Expr &operand = *cast<CastExpr>(&expr)->operand;
    return convertElement(gen(operand), kernel.typeOf(operand).element.kind, kernel.typeOf(expr).element.kind, loc);
  }
  case Expr::Kind::Call:
    return genCall(*cast<CallExpr>(&expr));
  case Expr::Kind::Index:
    return genPosition(*cast<IndexExpr>(&expr));
  case Expr::Kind::Member:
    return genPartial(*cast<MemberExpr>(&expr));
  case Expr::Kind::Load:
    return genLoad(*cast<LoadExpr>(&expr));
  case Expr::Kind::Map:
    return genMap(*cast<MapExpr>(&expr));
  }
  return {};
}

mlir::Value IRGen::genName(const NameExpr &expr) {
  const Symbol *symbol = kernel.symbolOf(&expr);
  if (symbol->kind == Symbol::Kind::Param)
    return builder.create<arith::ConstantIntOp>(location(expr.range), kernel.params.at(symbol->param).value, 32);
  return symbol->kind == Symbol::Kind::Dim ? dimValue(*symbol) : values.lookup(symbol);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

mlir::Type IRGen::withShapeOf(mlir::Value value, mlir::Type element) {
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
  return tensor ? tensor.clone(element) : element;
}

mlir::Value IRGen::convertElement(mlir::Value value, ScalarKind from, ScalarKind to, mlir::Location loc) {
  if (from == to)
    return value;
  mlir::Type type = withShapeOf(value, elementType(ElementType{to}));
  auto isNarrow = [](ScalarKind kind) { return kind == ScalarKind::BF16 || kind == ScalarKind::F16; };
  if (isNarrow(from) && to != ScalarKind::F32)
    return convertElement(convertElement(value, from, ScalarKind::F32, loc), ScalarKind::F32, to, loc);
  if (isNarrow(to) && from != ScalarKind::F32)
    return convertElement(convertElement(value, from, ScalarKind::F32, loc), ScalarKind::F32, to, loc);
  if (isNarrow(from))
    return builder.createOrFold<arith::ExtFOp>(loc, type, value);
  if (isNarrow(to))
    return builder.createOrFold<arith::TruncFOp>(loc, type, value);
  if (from == ScalarKind::Bool)
    return to == ScalarKind::I32 ? builder.createOrFold<arith::ExtUIOp>(loc, type, value)
                                 : builder.createOrFold<arith::UIToFPOp>(loc, type, value);
  return to == ScalarKind::I32 ? builder.createOrFold<arith::FPToSIOp>(loc, type, value)
                               : builder.createOrFold<arith::SIToFPOp>(loc, type, value);
}

mlir::Value IRGen::broadcast(mlir::Value value, mlir::Type type, mlir::Location loc) {
  if (value.getType() == type)
    return value;
  mlir::Attribute constant;
  auto tensor = cast<mlir::RankedTensorType>(type);
  if (mlir::matchPattern(value, mlir::m_Constant(&constant))) {
    if (auto splat = llvm::dyn_cast<mlir::SplatElementsAttr>(constant))
      return builder.create<arith::ConstantOp>(loc, splat.resizeSplat(tensor));
    if (llvm::isa<mlir::FloatAttr, mlir::IntegerAttr>(constant))
      return builder.create<arith::ConstantOp>(loc, mlir::DenseElementsAttr::get(tensor, llvm::ArrayRef(constant)));
  }
  return builder.create<tile::BroadcastOp>(loc, type, value);
}

mlir::Value IRGen::convert(mlir::Value value, const Type &from, const Type &to, mlir::Location loc) {
  return broadcast(convertElement(value, from.element.kind, to.element.kind, loc), mlirType(to), loc);
}

mlir::Value IRGen::genAs(const Expr &expr, const Type &type) {
  return convert(gen(expr), kernel.typeOf(expr), type, location(expr.range));
}

mlir::Value IRGen::constantLike(mlir::Value like, double value, mlir::Location loc) {
  mlir::Type element = mlir::getElementTypeOrSelf(like.getType());
  mlir::TypedAttr scalar = llvm::isa<mlir::FloatType>(element)
                               ? mlir::TypedAttr(builder.getFloatAttr(element, value))
                               : mlir::TypedAttr(builder.getIntegerAttr(element, static_cast<int64_t>(value)));
  return broadcast(builder.create<arith::ConstantOp>(loc, scalar), like.getType(), loc);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

mlir::Value IRGen::genUnary(const UnaryExpr &expr) {
  mlir::Location loc = location(expr.range);
  mlir::Value operand = gen(*expr.operand);
  if (expr.op == UnaryOp::Not)
    return builder.createOrFold<arith::XOrIOp>(loc, operand, constantLike(operand, 1, loc));
  if (kernel.typeOf(expr).element.is(ScalarKind::F32))
    return builder.createOrFold<arith::NegFOp>(loc, operand);
  return builder.createOrFold<arith::SubIOp>(loc, constantLike(operand, 0, loc), operand);
}

mlir::Value IRGen::genBinary(const BinaryExpr &expr) {
  const Type &lhsType = kernel.typeOf(*expr.lhs), &rhsType = kernel.typeOf(*expr.rhs);
  ElementType element = *joinElements(lhsType.element, rhsType.element);
  Type operands = kernel.typeOf(expr).withElement(element);
  mlir::Value lhs = genAs(*expr.lhs, operands), rhs = genAs(*expr.rhs, operands);
  mlir::Location loc = location(expr.opRange);
  if (expr.op == BinaryOp::And)
    return builder.createOrFold<arith::AndIOp>(loc, lhs, rhs);
  if (expr.op == BinaryOp::Or)
    return builder.createOrFold<arith::OrIOp>(loc, lhs, rhs);
  if (isComparison(expr.op))
    return genComparison(expr.op, element, lhs, rhs, loc);
  return genArithmetic(expr.op, element.is(ScalarKind::F32), lhs, rhs, loc);
}

mlir::Value IRGen::genComparison(BinaryOp op, ElementType element, mlir::Value lhs, mlir::Value rhs,
                                 mlir::Location loc) {
  size_t index = static_cast<size_t>(op) - static_cast<size_t>(BinaryOp::Equal);
  constexpr arith::CmpFPredicate kFloat[] = {arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
                                             arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
                                             arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
  constexpr arith::CmpIPredicate kInteger[] = {arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
                                               arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
                                               arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge};
  if (element.is(ScalarKind::F32))
    return builder.createOrFold<arith::CmpFOp>(loc, kFloat[index], lhs, rhs);
  return builder.createOrFold<arith::CmpIOp>(loc, kInteger[index], lhs, rhs);
}

mlir::Value IRGen::genArithmetic(BinaryOp op, bool isFloat, mlir::Value lhs, mlir::Value rhs, mlir::Location loc) {
  switch (op) {
  case BinaryOp::Add:
    return isFloat ? builder.createOrFold<arith::AddFOp>(loc, lhs, rhs)
                   : builder.createOrFold<arith::AddIOp>(loc, lhs, rhs);
  case BinaryOp::Sub:
    return isFloat ? builder.createOrFold<arith::SubFOp>(loc, lhs, rhs)
                   : builder.createOrFold<arith::SubIOp>(loc, lhs, rhs);
  case BinaryOp::Mul:
    return isFloat ? builder.createOrFold<arith::MulFOp>(loc, lhs, rhs)
                   : builder.createOrFold<arith::MulIOp>(loc, lhs, rhs);
  default:
    return isFloat ? builder.createOrFold<arith::DivFOp>(loc, lhs, rhs) : genDivision(op, lhs, rhs, loc);
  }
}

/// Whether an i32 is known to be neither 0 nor -1: another constant, or a run-time dimension, which is positive.
static bool isSafeDivisor(mlir::Value divisor) {
  mlir::Attribute constant;
  if (mlir::matchPattern(divisor, mlir::m_Constant(&constant))) {
    if (auto splat = llvm::dyn_cast<mlir::SplatElementsAttr>(constant))
      constant = splat.getSplatValue<mlir::Attribute>();
    auto integer = llvm::dyn_cast<mlir::IntegerAttr>(constant);
    return integer && integer.getInt() != 0 && integer.getInt() != -1;
  }
  return divisor.getDefiningOp<tile::DimOp>() != nullptr;
}

mlir::Value IRGen::genDivision(BinaryOp op, mlir::Value lhs, mlir::Value rhs, mlir::Location loc) {
  auto divide = [&](mlir::Value divisor) {
    return op == BinaryOp::Div ? builder.createOrFold<arith::DivSIOp>(loc, lhs, divisor)
                               : builder.createOrFold<arith::RemSIOp>(loc, lhs, divisor);
  };
  if (isSafeDivisor(rhs))
    return divide(rhs);
  // Divisors -1, 0 and 1 are those with rhs + 1 in [0, 2], unsigned; for them the result is lhs * rhs, or 0 for `%`.
  mlir::Value one = constantLike(rhs, 1, loc);
  mlir::Value shifted = builder.createOrFold<arith::AddIOp>(loc, rhs, one);
  mlir::Value isSmall =
      builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule, shifted, constantLike(rhs, 2, loc));
  mlir::Value quotient = divide(builder.createOrFold<arith::SelectOp>(loc, isSmall, one, rhs));
  mlir::Value small =
      op == BinaryOp::Div ? builder.createOrFold<arith::MulIOp>(loc, lhs, rhs) : constantLike(rhs, 0, loc);
  return builder.createOrFold<arith::SelectOp>(loc, isSmall, small, quotient);
}

mlir::Value IRGen::genSelect(const SelectExpr &expr) {
  const Type &type = kernel.typeOf(expr);
  mlir::Value condition = genAs(*expr.condition, type.withElement(ScalarKind::Bool));
  mlir::Value whenTrue = genAs(*expr.whenTrue, type), whenFalse = genAs(*expr.whenFalse, type);
  return builder.createOrFold<arith::SelectOp>(location(expr.range), condition, whenTrue, whenFalse);
}

//===----------------------------------------------------------------------===//
// Loads, positions and maps
//===----------------------------------------------------------------------===//

mlir::Value IRGen::genLoad(const LoadExpr &expr) {
  llvm::SmallVector<mlir::Value> indices;
  llvm::SmallVector<int64_t> sizes;
  genAccess(expr.access, indices, sizes);
  auto load = builder.create<tile::LoadOp>(location(expr.range), mlirType(kernel.typeOf(expr)),
                                           values[kernel.symbolOf(&expr.access.base)], indices,
                                           builder.getDenseI64ArrayAttr(sizes));
  if (ring)
    load->setAttr("ring", builder.getI64IntegerAttr(*ring));
  return load;
}

mlir::Value IRGen::genPosition(const IndexExpr &expr) {
  mlir::Value index = gen(*expr.access.subscripts[0].index);
  return builder.create<tile::PositionAtOp>(location(expr.range), builder.getI32Type(),
                                            values[kernel.symbolOf(&expr.access.base)], index);
}

mlir::Value IRGen::genPartial(const MemberExpr &expr) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  if (enclosingMap) // the same for all elements
    builder.setInsertionPoint(enclosingMap);
  return builder.create<tile::IsPartialOp>(location(expr.range), builder.getI1Type(),
                                           values[kernel.symbolOf(&expr.base)]);
}

mlir::Value IRGen::genMap(const MapExpr &expr) {
  mlir::Location loc = location(expr.range);
  const Type &type = kernel.typeOf(expr);
  llvm::SmallVector<mlir::Value> inputs;
  for (const MapExpr::Input &input : expr.inputs)
    inputs.push_back(genAs(*input.tile, type.withElement(kernel.typeOf(*input.tile).element)));
  auto map = builder.create<tile::MapOp>(loc, mlirType(type), inputs);
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Block &body = map.getBody().emplaceBlock();
  for (auto [input, value] : llvm::zip(expr.inputs, inputs))
    values[kernel.symbolOf(&input.name)] =
        body.addArgument(mlir::getElementTypeOrSelf(value.getType()), location(input.name.range));
  mlir::Value row = body.addArgument(builder.getI32Type(), loc), column = body.addArgument(builder.getI32Type(), loc);
  if (expr.row) {
    values[kernel.symbolOf(&expr.row)] = row;
    values[kernel.symbolOf(&expr.column)] = column;
  }
  enclosingMap = map;
  builder.setInsertionPointToEnd(&body);
  builder.create<tile::YieldOp>(loc, gen(*expr.body));
  enclosingMap = nullptr;
  return map;
}
