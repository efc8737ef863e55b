//===- IRGenCall.cpp - Calls as tile IR --------------------------------------===//

#include "IRGenImpl.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace lacuna;
using namespace lacuna::frontend;
namespace arith = mlir::arith;
namespace math = mlir::math;

mlir::Value IRGen::genCall(const CallExpr &expr) {
  if (const HookInstance *hook = kernel.hookOf(expr))
    return genHookCall(expr, *hook);
  return genBuiltin(expr, *kernel.builtinOf(expr));
}

mlir::Value IRGen::genHookCall(const CallExpr &expr, const HookInstance &hook) {
  llvm::SmallVector<mlir::Value> arguments;
  for (auto [argument, parameter] : llvm::zip(expr.arguments, hook.parameters))
    arguments.push_back(genAs(*argument, parameter->type));
  for (const Symbol *captured : hook.captures)
    arguments.push_back(values.lookup(captured));
  return builder.create<tile::CallHookOp>(location(expr.range), mlirType(hook.result), hookSymbols.lookup(&hook),
                                          arguments);
}

mlir::Value IRGen::genBuiltin(const CallExpr &expr, const Builtin &builtin) {
  using Op = Builtin::Op;
  if (builtin.isUnaryFloat())
    return genUnaryFloat(expr, builtin.op);
  if (builtin.isRowReduction() || builtin.isFullReduction())
    return genReduction(expr, builtin);
  mlir::Location loc = location(expr.range);
  switch (builtin.op) {
  case Op::Abs: {
    mlir::Value value = gen(*expr.arguments[0]);
    return kernel.typeOf(expr).element.is(ScalarKind::F32) ? builder.createOrFold<math::AbsFOp>(loc, value)
                                                           : builder.createOrFold<math::AbsIOp>(loc, value);
  }
  case Op::Min:
  case Op::Max:
    return genMinMax(expr, builtin.op == Op::Max);
  case Op::CeilDiv:
    return genCeilDiv(expr);
  case Op::Dot:
    return genDot(expr);
  default: // transpose
    return builder.createOrFold<tile::TransposeOp>(loc, mlirType(kernel.typeOf(expr)), gen(*expr.arguments[0]));
  }
}

mlir::Value IRGen::genUnaryFloat(const CallExpr &expr, Builtin::Op op) {
  mlir::Location loc = location(expr.range);
  mlir::Value value = genAs(*expr.arguments[0], kernel.typeOf(expr));
  using Op = Builtin::Op;
  switch (op) {
  case Op::Exp:
    return builder.createOrFold<math::ExpOp>(loc, value);
  case Op::Exp2:
    return builder.createOrFold<math::Exp2Op>(loc, value);
  case Op::Log:
    return builder.createOrFold<math::LogOp>(loc, value);
  case Op::Log2:
    return builder.createOrFold<math::Log2Op>(loc, value);
  case Op::Tanh:
    return builder.createOrFold<math::TanhOp>(loc, value);
  case Op::Sqrt:
    return builder.createOrFold<math::SqrtOp>(loc, value);
  case Op::Rsqrt:
    return builder.createOrFold<math::RsqrtOp>(loc, value);
  default:
    return builder.createOrFold<math::FloorOp>(loc, value);
  }
}

mlir::Value IRGen::genMinMax(const CallExpr &expr, bool isMax) {
  mlir::Location loc = location(expr.range);
  const Type &type = kernel.typeOf(expr);
  mlir::Value lhs = genAs(*expr.arguments[0], type), rhs = genAs(*expr.arguments[1], type);
  if (type.element.is(ScalarKind::F32))
    return isMax ? builder.createOrFold<arith::MaxNumFOp>(loc, lhs, rhs)
                 : builder.createOrFold<arith::MinNumFOp>(loc, lhs, rhs);
  return isMax ? builder.createOrFold<arith::MaxSIOp>(loc, lhs, rhs)
               : builder.createOrFold<arith::MinSIOp>(loc, lhs, rhs);
}

/// a / b, plus one where the remainder is not zero and has the divisor's sign.
mlir::Value IRGen::genCeilDiv(const CallExpr &expr) {
  mlir::Location loc = location(expr.range);
  const Type &type = kernel.typeOf(expr);
  mlir::Value a = genAs(*expr.arguments[0], type), b = genAs(*expr.arguments[1], type);
  mlir::Value quotient = genDivision(BinaryOp::Div, a, b, loc), remainder = genDivision(BinaryOp::Rem, a, b, loc);
  mlir::Value zero = constantLike(a, 0, loc);
  auto isPositive = [&](mlir::Value value) {
    return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sgt, value, zero);
  };
  mlir::Value isInexact = builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ne, remainder, zero);
  mlir::Value sameSign =
      builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, isPositive(remainder), isPositive(b));
  mlir::Value roundsUp = builder.createOrFold<arith::AndIOp>(loc, isInexact, sameSign);
  return builder.createOrFold<arith::AddIOp>(loc, quotient,
                                             convertElement(roundsUp, ScalarKind::Bool, ScalarKind::I32, loc));
}

//===----------------------------------------------------------------------===//
// Contractions and reductions
//===----------------------------------------------------------------------===//

mlir::Value IRGen::maskPadding(mlir::Value tile, const Type &type, double identity, llvm::ArrayRef<int> axes,
                               mlir::Location loc) {
  auto tensor = llvm::cast<mlir::RankedTensorType>(tile.getType());
  for (int axis : axes) {
    const Extent &extent = axis == 0 ? type.rows : type.columns;
    if (extent.padded() == extent.value)
      continue;
    llvm::SmallVector<int64_t, 2> shape = {1, 1};
    shape[axis] = extent.padded();
    mlir::Value index = builder.create<tile::IotaOp>(loc, mlir::RankedTensorType::get(shape, builder.getI32Type()));
    mlir::Value inside = builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, index,
                                                       constantLike(index, static_cast<double>(extent.value), loc));
    inside = broadcast(inside, tensor.clone(builder.getI1Type()), loc);
    tile = builder.create<arith::SelectOp>(loc, inside, tile, constantLike(tile, identity, loc));
  }
  return tile;
}

/// Whether a tile is zero past its view's end: loaded, perhaps transposed.
static bool isLoaded(mlir::Value tile) {
  while (auto transpose = tile.getDefiningOp<tile::TransposeOp>())
    tile = transpose.getX();
  return tile.getDefiningOp<tile::LoadOp>() != nullptr;
}

mlir::Value IRGen::genDot(const CallExpr &expr) {
  std::string_view statementLabel = label;
  mlir::Location loc = location(expr.range);
  const Expr &aExpr = *expr.arguments[0], &bExpr = *expr.arguments[1];
  mlir::Value a = gen(aExpr), b = gen(bExpr);
  if (!isLoaded(a))
    a = maskPadding(a, kernel.typeOf(aExpr), 0, {1}, loc);
  if (!isLoaded(b))
    b = maskPadding(b, kernel.typeOf(bExpr), 0, {0}, loc);
  mlir::Value accumulator = expr.arguments.size() == 3 ? genAs(*expr.arguments[2], kernel.typeOf(expr)) : mlir::Value();
  mlir::StringAttr labelAttr = statementLabel.empty() ? mlir::StringAttr() : builder.getStringAttr(statementLabel);
  return builder.create<tile::DotOp>(loc, mlirType(kernel.typeOf(expr)), a, b, accumulator, labelAttr);
}

mlir::Value IRGen::genReduction(const CallExpr &expr, const Builtin &builtin) {
  using Op = Builtin::Op;
  mlir::Location loc = location(expr.range);
  const Type type = kernel.typeOf(*expr.arguments[0]).withElement(ScalarKind::F32);
  bool isMax = builtin.op == Op::RowMax || builtin.op == Op::AMax,
       isMin = builtin.op == Op::RowMin || builtin.op == Op::AMin;
  tile::ReduceKind kind = isMax ? tile::ReduceKind::Max : isMin ? tile::ReduceKind::Min : tile::ReduceKind::Add;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  llvm::SmallVector<int64_t> axes =
      builtin.isRowReduction() ? llvm::SmallVector<int64_t>{1} : llvm::SmallVector<int64_t>{0, 1};
  llvm::SmallVector<int> masked(axes.begin(), axes.end());
  mlir::Value x = maskPadding(genAs(*expr.arguments[0], type), type,
                              isMax   ? -kInfinity
                              : isMin ? kInfinity
                                      : 0,
                              masked, loc);
  return builder.create<tile::ReduceOp>(loc, mlirType(kernel.typeOf(expr)),
                                        tile::ReduceKindAttr::get(builder.getContext(), kind), x,
                                        builder.getDenseI64ArrayAttr(axes));
}
