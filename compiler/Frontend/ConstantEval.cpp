//===- ConstantEval.cpp - Integers known at compile time --------------------===//

#include "ConstantEval.h"

#include "lacuna/Compiler/Frontend/AstPrinter.h"

#include <fmt/format.h>

#include <algorithm>

using namespace lacuna;
using namespace lacuna::frontend;
using llvm::dyn_cast;

std::optional<int64_t> lacuna::frontend::ceilDiv(int64_t lhs, int64_t rhs) {
  if (rhs == 0 || (lhs == INT64_MIN && rhs == -1))
    return std::nullopt;
  return lhs / rhs + (lhs % rhs != 0 && (lhs < 0) == (rhs < 0));
}

std::optional<int64_t> lacuna::frontend::applyBinary(BinaryOp op, int64_t lhs, int64_t rhs) {
  int64_t result = 0;
  switch (op) {
  case BinaryOp::Or:
    return lhs || rhs;
  case BinaryOp::And:
    return lhs && rhs;
  case BinaryOp::Equal:
    return lhs == rhs;
  case BinaryOp::NotEqual:
    return lhs != rhs;
  case BinaryOp::Less:
    return lhs < rhs;
  case BinaryOp::LessEqual:
    return lhs <= rhs;
  case BinaryOp::Greater:
    return lhs > rhs;
  case BinaryOp::GreaterEqual:
    return lhs >= rhs;
  case BinaryOp::Add:
    return __builtin_add_overflow(lhs, rhs, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Sub:
    return __builtin_sub_overflow(lhs, rhs, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Mul:
    return __builtin_mul_overflow(lhs, rhs, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Div:
  case BinaryOp::Rem:
    if (rhs == 0 || (lhs == INT64_MIN && rhs == -1))
      return std::nullopt;
    return op == BinaryOp::Div ? lhs / rhs : lhs % rhs;
  }
  return std::nullopt;
}

namespace {

class Evaluator {
public:
  Evaluator(const NameValue &nameValue, std::string_view context, DiagnosticSink &diagnostics)
      : nameValue(nameValue), context(context), diagnostics(diagnostics) {}

  std::optional<int64_t> evaluate(const Expr &expr) {
    switch (expr.kind) {
    case Expr::Kind::Integer:
      return llvm::cast<IntegerExpr>(&expr)->value;
    case Expr::Kind::Bool:
      return llvm::cast<BoolExpr>(&expr)->value;
    case Expr::Kind::Name:
      return nameValue(*llvm::cast<NameExpr>(&expr));
    case Expr::Kind::Unary:
      return unary(*llvm::cast<UnaryExpr>(&expr));
    case Expr::Kind::Binary:
      return binary(*llvm::cast<BinaryExpr>(&expr));
    case Expr::Kind::Select: {
      const auto *select = llvm::cast<SelectExpr>(&expr);
      std::optional<int64_t> condition = evaluate(*select->condition);
      if (!condition)
        return std::nullopt;
      return evaluate(*condition ? *select->whenTrue : *select->whenFalse);
    }
    case Expr::Kind::Call:
      return call(*llvm::cast<CallExpr>(&expr));
    default:
      return fail(expr,
                  fmt::format("{} is made of params, integers and + - * / % ( ) ceildiv min max, all known when the "
                              "kernel is compiled; `{}` is not",
                              context, printExpr(expr)));
    }
  }

private:
  std::nullopt_t fail(const Expr &expr, std::string message) {
    diagnostics.error(ErrorCode::VerifyError, expr.range, std::move(message));
    return std::nullopt;
  }

  std::optional<int64_t> unary(const UnaryExpr &expr) {
    std::optional<int64_t> value = evaluate(*expr.operand);
    if (!value)
      return std::nullopt;
    if (expr.op == UnaryOp::Not)
      return !*value;
    return checked(expr, applyBinary(BinaryOp::Sub, 0, *value), 0);
  }

  std::optional<int64_t> binary(const BinaryExpr &expr) {
    std::optional<int64_t> lhs = evaluate(*expr.lhs);
    if (!lhs)
      return std::nullopt;
    if (isLogical(expr.op) && (*lhs != 0) == (expr.op == BinaryOp::Or))
      return *lhs != 0;
    std::optional<int64_t> rhs = evaluate(*expr.rhs);
    if (!rhs)
      return std::nullopt;
    bool divides = expr.op == BinaryOp::Div || expr.op == BinaryOp::Rem;
    return checked(expr, applyBinary(expr.op, *lhs, *rhs), divides ? *rhs : 1);
  }

  std::optional<int64_t> call(const CallExpr &expr) {
    std::string_view callee = expr.callee.name;
    if ((callee != "ceildiv" && callee != "min" && callee != "max") || expr.arguments.size() != 2)
      return fail(expr, fmt::format("{} may call ceildiv(a, b), min(a, b) and max(a, b) only; `{}` is none of them",
                                    context, printExpr(expr)));
    std::optional<int64_t> lhs = evaluate(*expr.arguments[0]), rhs = evaluate(*expr.arguments[1]);
    if (!lhs || !rhs)
      return std::nullopt;
    if (callee == "ceildiv")
      return checked(expr, ceilDiv(*lhs, *rhs), *rhs);
    return callee == "min" ? std::min(*lhs, *rhs) : std::max(*lhs, *rhs);
  }

  std::optional<int64_t> checked(const Expr &expr, std::optional<int64_t> value, int64_t divisor) {
    if (value)
      return value;
    if (divisor == 0 && expr.kind != Expr::Kind::Unary)
      return fail(expr, fmt::format("`{}` divides by zero with these params; change the params or the expression",
                                    printExpr(expr)));
    return fail(expr,
                fmt::format("`{}` does not fit in 64 bits with these params; use smaller values", printExpr(expr)));
  }

  const NameValue &nameValue;
  std::string_view context;
  DiagnosticSink &diagnostics;
};

} // namespace

std::optional<int64_t> lacuna::frontend::evaluateConstant(const Expr &expr, const NameValue &nameValue,
                                                          std::string_view context, DiagnosticSink &diagnostics) {
  return Evaluator(nameValue, context, diagnostics).evaluate(expr);
}
