//===- SemaExpr.cpp - Checks of expressions ----------------------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

std::string_view Sema::contextName() const {
  switch (context) {
  case Context::Hook:
    return "a hook";
  case Context::Pattern:
    return "a pattern";
  case Context::Map:
    return "the body of a map";
  case Context::Kernel:
    return "a kernel";
  }
  return "";
}

Type Sema::check(const Expr &expr) {
  if (sink.hasDropped())
    return {};
  Type type = checkUnrecorded(expr);
  result->types[&expr] = type;
  return type;
}

Type Sema::checkUnrecorded(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::Integer: {
    int64_t value = llvm::cast<IntegerExpr>(&expr)->value;
    if (value > INT32_MAX)
      return invalid(
          expr.range,
          fmt::format("{0} does not fit in i32, whose largest value is 2147483647; write {0}.0 for an f32", value));
    return Type::scalar(ScalarKind::I32);
  }
  case Expr::Kind::Float:
  case Expr::Kind::Infinity:
    return Type::scalar(ScalarKind::F32);
  case Expr::Kind::Bool:
    return Type::scalar(ScalarKind::Bool);
  case Expr::Kind::Name:
    return checkName(*llvm::cast<NameExpr>(&expr));
  case Expr::Kind::Unary:
    return checkUnary(*llvm::cast<UnaryExpr>(&expr));
  case Expr::Kind::Binary:
    return checkBinary(*llvm::cast<BinaryExpr>(&expr));
  case Expr::Kind::Select:
    return checkSelect(*llvm::cast<SelectExpr>(&expr));
  case Expr::Kind::Cast:
    return checkCast(*llvm::cast<CastExpr>(&expr));
  case Expr::Kind::Call:
    return checkCall(*llvm::cast<CallExpr>(&expr));
  case Expr::Kind::Index:
    return checkIndexExpr(*llvm::cast<IndexExpr>(&expr));
  case Expr::Kind::Member:
    return checkMember(*llvm::cast<MemberExpr>(&expr));
  case Expr::Kind::Load:
    return checkLoad(*llvm::cast<LoadExpr>(&expr));
  case Expr::Kind::Map:
    return checkMap(*llvm::cast<MapExpr>(&expr));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Type Sema::checkName(const NameExpr &expr) {
  const Symbol *symbol = resolve({expr.name, expr.range}, &expr, "a value");
  if (!symbol)
    return {};
  auto refuse = [&](std::string message) {
    error(expr.range, std::move(message)).note(symbol->range, "declared here");
    return Type();
  };
  using Kind = Symbol::Kind;
  if (isOutsideKernel() && symbol->kind != Kind::Param && symbol->kind != Kind::Dim &&
      symbol->kind != Kind::ScalarArgument && symbol->kind != Kind::HookParameter &&
      symbol->kind != Kind::PatternParameter)
    return refuse(fmt::format(
        "{} sees its parameters, the kernel's run-time dimensions and scalar arguments, and params, but not {} '{}'{}",
        contextName(), symbolKindName(symbol->kind), symbol->name,
        context == Context::Hook ? "; pass its value as a parameter" : ""));
  switch (symbol->kind) {
  case Kind::Param:
    return symbol->type
               ? symbol->type
               : refuse(fmt::format("'{}' is a type, not a value; use it as in `x as {}`", expr.name, expr.name));
  case Kind::View:
    return refuse(fmt::format("'{0}' is a view; read a tile of it with `load {0}[...]`", expr.name));
  case Kind::BlockList:
    return refuse(fmt::format("'{0}' is a block list; run over it with `for t in {0}[b, h, r] by BN`", expr.name));
  case Kind::Positions:
    return refuse(fmt::format(
        "'{0}' stands for several positions; write `{0}[j]` in a map, `{0}.partial`, or use it as an index of a "
        "view, as in `load k[b, {0}, :]`",
        expr.name));
  case Kind::ScalarArgument:
    if (context == Context::Hook)
      capture(symbol);
    return symbol->type;
  default:
    if (context == Context::Map && symbol->type.isTile())
      return refuse(fmt::format(
          "the body of a map works on elements, but '{0}' is {1}; give it to the map, as in `map (x in s, y in {0}) "
          "=> ...`",
          expr.name, symbol->type.str()));
    return symbol->type;
  }
}

Type Sema::checkIndexExpr(const IndexExpr &expr) {
  const Access &access = expr.access;
  const Symbol *symbol = resolve(access.base, &access.base, "a value");
  if (!symbol)
    return {};
  if (symbol->kind == Symbol::Kind::View)
    return invalid(expr.range, fmt::format("'{0}' is a view; read a tile of it with `load {0}[...]`", symbol->name));
  if (symbol->kind != Symbol::Kind::Positions)
    return invalid(
        expr.range,
        fmt::format("{} '{}' has no elements to index; use `map (x in {}; i, j) => ...` for the elements of a tile",
                    symbolKindName(symbol->kind), symbol->name, symbol->name));
  if (access.subscripts.size() != 1 || access.subscripts[0].kind != Subscript::Kind::Point)
    return invalid(expr.range, fmt::format("a position has one index, as in `{}[j]`", symbol->name));
  if (context != Context::Map)
    return invalid(expr.range,
                   fmt::format("the positions of '{0}' can be read in a map only, as in `map (x in s; i, j) => {0}[j]`",
                               symbol->name));
  return checkIndex(*access.subscripts[0].index, "the index of a position") ? Type::scalar(ScalarKind::I32) : Type();
}

Type Sema::checkMember(const MemberExpr &expr) {
  const Symbol *symbol = resolve(expr.base, &expr.base, "a sparse loop's variable");
  if (!symbol)
    return {};
  if (symbol->kind != Symbol::Kind::Positions || isOutsideKernel())
    return invalid(expr.range,
                   fmt::format("{} '{}' has no members; only the variable of a sparse loop has one, `partial`",
                               symbolKindName(symbol->kind), symbol->name));
  if (expr.member.name != "partial")
    return invalid(expr.member.range,
                   fmt::format("'{}' has no member '{}'; it has `{}.partial`{}", symbol->name, expr.member.name,
                               symbol->name, didYouMean(expr.member.name, {"partial"})));
  return Type::scalar(ScalarKind::Bool);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

bool Sema::checkArithmetic(const Type &type, SourceRange range, std::string_view what) {
  if (type.element.isArithmetic())
    return true;
  if (type.element.isNarrow())
    error(range, fmt::format("{} works on f32 and i32, but this is {}; convert it with `as f32`", what, type.str()));
  else
    error(range, fmt::format("{} works on f32 and i32, but this is {}; choose numbers with `condition ? a : b`", what,
                             type.str()));
  return false;
}

Type Sema::joined(const Type &lhs, const Type &rhs, ElementType element, SourceRange range, std::string_view what) {
  if (std::optional<Type> type = joinShapes(lhs, rhs, element))
    return *type;
  auto differ = [](const Extent &a, const Extent &b) { return !(a == b) && !a.isOne() && !b.isOne(); };
  bool rows = differ(lhs.rows, rhs.rows);
  const Extent &a = rows ? lhs.rows : lhs.columns, &b = rows ? rhs.rows : rhs.columns;
  std::string hint =
      a.value == b.value
          ? fmt::format("they are equal with these params, but extents are compared as written, so write the same one")
          : "extents must be the same, or 1";
  if (lhs.rows == rhs.columns && lhs.columns == rhs.rows)
    hint = "transpose one of them";
  return invalid(range, fmt::format("{} joins {} and {}, whose {} {} and {} differ; {}", what, lhs.str(), rhs.str(),
                                    rows ? "rows" : "columns", a.text, b.text, hint));
}

Type Sema::checkUnary(const UnaryExpr &expr) {
  Type type = check(*expr.operand);
  if (!type)
    return {};
  if (expr.op == UnaryOp::Negate)
    return checkArithmetic(type, expr.range, "`-`") ? type : Type();
  if (type.element.is(ScalarKind::Bool))
    return type;
  return invalid(expr.range, fmt::format("`!` works on bool, but this is {}; compare it, as in `x == 0`", type.str()));
}

Type Sema::checkBinary(const BinaryExpr &expr) {
  Type lhs = check(*expr.lhs), rhs = check(*expr.rhs);
  if (!lhs || !rhs)
    return {};
  std::string what = fmt::format("`{}`", spelling(expr.op));
  if (isLogical(expr.op)) {
    for (auto [type, operand] : {std::pair(&lhs, expr.lhs.get()), std::pair(&rhs, expr.rhs.get())})
      if (!type->element.is(ScalarKind::Bool))
        return invalid(operand->range,
                       fmt::format("{} works on bool, but this is {}; compare it, as in `x != 0`", what, type->str()));
    return joined(lhs, rhs, ElementType{ScalarKind::Bool}, expr.range, what);
  }
  bool equality = expr.op == BinaryOp::Equal || expr.op == BinaryOp::NotEqual;
  if (equality && lhs.element.is(ScalarKind::Bool) && rhs.element.is(ScalarKind::Bool))
    return joined(lhs, rhs, lhs.element, expr.range, what);
  if (!checkArithmetic(lhs, expr.lhs->range, what) || !checkArithmetic(rhs, expr.rhs->range, what))
    return {};
  ElementType element = *joinElements(lhs.element, rhs.element);
  if (expr.op == BinaryOp::Rem && !element.is(ScalarKind::I32))
    return invalid(expr.range, "`%` works on i32, but this is f32; write `x - floor(x / y) * y`");
  return joined(lhs, rhs, isComparison(expr.op) ? ElementType{ScalarKind::Bool} : element, expr.range, what);
}

Type Sema::checkSelect(const SelectExpr &expr) {
  Type condition = check(*expr.condition), whenTrue = check(*expr.whenTrue), whenFalse = check(*expr.whenFalse);
  if (!condition || !whenTrue || !whenFalse)
    return {};
  if (!condition.element.is(ScalarKind::Bool))
    return invalid(
        expr.condition->range,
        fmt::format("the condition of `?:` is bool, but this is {}; compare it, as in `x != 0`", condition.str()));
  std::optional<ElementType> element = joinElements(whenTrue.element, whenFalse.element);
  if (!element)
    return invalid(expr.range, fmt::format("the two values of `?:` have types {} and {}; convert one of them with `as`",
                                           whenTrue.str(), whenFalse.str()));
  Type values = joined(whenTrue, whenFalse, *element, expr.range, "`?:`");
  return values ? joined(condition, values, *element, expr.range, "`?:`") : Type();
}

Type Sema::checkCast(const CastExpr &expr) {
  Type type = check(*expr.operand);
  std::optional<ElementType> element = elementType(expr.dtype);
  if (!type || !element)
    return {};
  if (element->is(ScalarKind::Bool) && !type.element.is(ScalarKind::Bool))
    return invalid(expr.range, fmt::format("{} does not convert to bool; compare it, as in `x != 0`", type.str()));
  return type.withElement(*element);
}

//===----------------------------------------------------------------------===//
// Loads and maps
//===----------------------------------------------------------------------===//

Type Sema::checkLoad(const LoadExpr &expr) {
  if (context != Context::Kernel)
    return invalid(
        expr.range,
        fmt::format("{} works on elements and cannot load; load before it and pass the tile to a map", contextName()));
  const CheckedAccess *access = checkAccess(expr.access, /*stored=*/nullptr);
  return access ? access->type : Type();
}

Type Sema::checkMap(const MapExpr &expr) {
  if (context != Context::Kernel)
    return invalid(expr.range, fmt::format("{} works on elements and cannot hold a map; write its expression directly",
                                           contextName()));
  Type shape;
  std::vector<Type> types;
  for (const MapExpr::Input &input : expr.inputs) {
    Type type = check(*input.tile);
    types.push_back(type);
    if (!type)
      continue;
    if (!type.isTile())
      error(input.tile->range,
            fmt::format("a map runs over the elements of tiles, but this is {}; use it in the body directly",
                        type.str()));
    else
      shape = shape ? joined(shape, type, type.element, input.tile->range, "a map") : type;
  }
  scopes.emplace_back();
  context = Context::Map;
  for (size_t i = 0; i < expr.inputs.size(); ++i)
    declare(
        newSymbol(Symbol::Kind::MapElement, expr.inputs[i].name, types[i] ? Type::scalar(types[i].element) : Type()),
        &expr.inputs[i].name);
  if (expr.row) {
    declare(newSymbol(Symbol::Kind::MapRow, expr.row, Type::scalar(ScalarKind::I32)), &expr.row);
    declare(newSymbol(Symbol::Kind::MapColumn, expr.column, Type::scalar(ScalarKind::I32)), &expr.column);
  }
  Type body = check(*expr.body);
  context = Context::Kernel;
  scopes.pop_back();
  return body && shape ? shape.withElement(body.element) : Type();
}
