//===- SemaCall.cpp - Checks of calls of built-in functions ------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

Type Sema::checkCall(const CallExpr &expr) {
  if (const Builtin *builtin = findBuiltin(expr.callee.name)) {
    result->builtinCalls[&expr] = builtin;
    return checkBuiltin(expr, *builtin);
  }
  if (const HookDecl *hook = findHook(expr.callee.name))
    return checkHookCall(expr, *hook);
  for (const ExprPtr &argument : expr.arguments)
    check(*argument);
  std::vector<std::string> known = builtinNames();
  for (std::string &hook : declNames<HookDecl>())
    known.push_back(std::move(hook));
  if (lookup(expr.callee.name))
    return invalid(expr.callee.range, fmt::format("'{}' is a value, not a function; call a built-in function or a hook",
                                                  expr.callee.name));
  return invalid(expr.callee.range,
                 fmt::format("undefined function '{}'{}; the functions are the built-in ones and the hooks of the file "
                             "and of the library",
                             expr.callee.name, didYouMean(expr.callee.name, known)));
}

Type Sema::checkBuiltin(const CallExpr &expr, const Builtin &builtin) {
  std::vector<Type> types;
  bool valid = true;
  for (const ExprPtr &argument : expr.arguments) {
    types.push_back(check(*argument));
    valid &= static_cast<bool>(types.back());
  }
  if (types.size() < builtin.minArguments || types.size() > builtin.maxArguments)
    return invalid(expr.range, fmt::format("'{}' is called with {} argument{}; call it as {}", builtin.name,
                                           types.size(), types.size() == 1 ? "" : "s", builtin.usage));
  if (!valid)
    return {};
  std::string what = fmt::format("'{}'", builtin.name);
  using Op = Builtin::Op;
  if (builtin.isUnaryFloat())
    return checkArithmetic(types[0], expr.arguments[0]->range, what) ? types[0].withElement(ScalarKind::F32) : Type();
  if (builtin.isRowReduction() || builtin.isFullReduction())
    return checkReduction(expr, builtin, types[0]);
  switch (builtin.op) {
  case Op::Abs:
    return checkArithmetic(types[0], expr.arguments[0]->range, what) ? types[0] : Type();
  case Op::Min:
  case Op::Max:
  case Op::CeilDiv:
    for (size_t i = 0; i < 2; ++i)
      if (!checkArithmetic(types[i], expr.arguments[i]->range, what))
        return {};
    if (builtin.op == Op::CeilDiv && (types[0].element.is(ScalarKind::F32) || types[1].element.is(ScalarKind::F32)))
      return invalid(expr.range, "'ceildiv' works on i32, but this is f32");
    return joined(types[0], types[1], *joinElements(types[0].element, types[1].element), expr.range, what);
  case Op::Dot:
    return checkDot(expr, types);
  default: // transpose
    if (!types[0].isTile())
      return invalid(expr.arguments[0]->range, fmt::format("'transpose' takes a tile, but this is {}", types[0].str()));
    return Type::tile(types[0].element, types[0].columns, types[0].rows);
  }
}

Type Sema::checkDot(const CallExpr &expr, const std::vector<Type> &types) {
  for (size_t i = 0; i < 2; ++i) {
    SourceRange range = expr.arguments[i]->range;
    if (!types[i].isTile() || types[i].rows.isOne() || types[i].columns.isOne())
      return invalid(range, fmt::format("'dot' multiplies two tiles of two axes, but this is {}", types[i].str()));
    if (!types[i].element.isNarrow())
      return invalid(
          range,
          fmt::format(
              "'dot' multiplies bf16 or f16 tiles, but this is {}; convert it with `as bf16`, or as the dtype of "
              "the other operand",
              types[i].str()));
  }
  const Type &a = types[0], &b = types[1];
  if (!(a.element == b.element))
    return invalid(
        expr.range,
        fmt::format("'dot' multiplies tiles of one dtype, but these are {} and {}; convert one of them with `as`",
                    a.str(), b.str()));
  if (!(a.columns == b.rows)) {
    bool transposed = a.columns == b.columns;
    return invalid(
        expr.range,
        fmt::format("'dot' needs as many rows in its second operand as columns in its first, but multiplies {} with "
                    "{}; {}",
                    a.str(), b.str(),
                    transposed ? fmt::format("write dot({}, transpose({}))", printExpr(*expr.arguments[0]),
                                             printExpr(*expr.arguments[1]))
                               : "extents are compared as written"));
  }
  Type product = Type::tile(ElementType{ScalarKind::F32}, a.rows, b.columns);
  if (types.size() == 3)
    checkAssignable(types[2], product, *expr.arguments[2], "the accumulator of 'dot'");
  return product;
}

Type Sema::checkReduction(const CallExpr &expr, const Builtin &builtin, const Type &type) {
  SourceRange range = expr.arguments[0]->range;
  if (!type.isTile())
    return invalid(range, fmt::format("'{}' reduces a tile, but this is {}", builtin.name, type.str()));
  if (!checkArithmetic(type, range, fmt::format("'{}'", builtin.name)))
    return {};
  if (builtin.isFullReduction())
    return Type::scalar(ScalarKind::F32);
  if (type.columns.isOne() || type.rows.isOne())
    return invalid(
        range,
        fmt::format("'{}' gives one value a row of a tile of two axes, but this is {}; use sum, amax or amin for one "
                    "value of all",
                    builtin.name, type.str()));
  return Type::tile(ElementType{ScalarKind::F32}, type.rows, Extent());
}
