//===- CanonicalText.cpp - When two extents are the same --------------------===//
//
// An expression over params becomes a polynomial with integer coefficients: sums and products are expanded, equal terms
// are collected, terms and factors are sorted. What is not a polynomial (a quotient, a remainder, a call) is an atom,
// named by its own canonical text. Growth is bounded: a product of more than kMaxTerms terms, or a coefficient past 63
// bits, makes the subexpression an atom, and an atom of a long text is named by its digest.
//
//===----------------------------------------------------------------------===//

#include "lacuna/Compiler/Frontend/AstPrinter.h"
#include "lacuna/Compiler/Frontend/Types.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MD5.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

using namespace lacuna::frontend;
using llvm::dyn_cast;

namespace {

constexpr size_t kMaxTerms = 32;
constexpr size_t kMaxFactors = 16;
constexpr size_t kMaxAtomBytes = 256;

/// Sorted factors -> coefficient; the empty product is the constant.
using Polynomial = std::map<std::vector<std::string>, int64_t>;

Polynomial constant(int64_t value) {
  return value ? Polynomial{{{}, value}} : Polynomial{};
}
Polynomial atom(std::string text) {
  if (text.size() > kMaxAtomBytes)
    text = "#" + llvm::MD5::hash(llvm::arrayRefFromStringRef(text)).digest().str().str();
  return {{{std::move(text)}, 1}};
}

std::string print(const Polynomial &polynomial) {
  if (polynomial.empty())
    return "0";
  std::string text;
  for (const auto &[factors, coefficient] : polynomial) {
    text += text.empty() ? "" : "+";
    std::string product = fmt::format("{}", fmt::join(factors, "*"));
    text += product.empty()    ? std::to_string(coefficient)
            : coefficient == 1 ? product
                               : fmt::format("{}*{}", coefficient, product);
  }
  return text;
}

std::optional<Polynomial> add(Polynomial lhs, const Polynomial &rhs, int64_t sign) {
  for (const auto &[factors, coefficient] : rhs) {
    int64_t scaled;
    int64_t &sum = lhs[factors];
    if (__builtin_mul_overflow(coefficient, sign, &scaled) || __builtin_add_overflow(sum, scaled, &sum))
      return std::nullopt;
    if (sum == 0)
      lhs.erase(factors);
  }
  return lhs.size() <= kMaxTerms ? std::optional(std::move(lhs)) : std::nullopt;
}

std::optional<Polynomial> multiply(const Polynomial &lhs, const Polynomial &rhs) {
  Polynomial result;
  for (const auto &[leftFactors, left] : lhs) {
    for (const auto &[rightFactors, right] : rhs) {
      std::vector<std::string> factors;
      std::merge(leftFactors.begin(), leftFactors.end(), rightFactors.begin(), rightFactors.end(),
                 std::back_inserter(factors));
      int64_t product;
      if (factors.size() > kMaxFactors || __builtin_mul_overflow(left, right, &product))
        return std::nullopt;
      std::optional<Polynomial> sum = add(std::move(result), {{std::move(factors), product}}, 1);
      if (!sum)
        return std::nullopt;
      result = std::move(*sum);
    }
  }
  return result;
}

Polynomial canonical(const Polynomial &lhs, BinaryOp op, const Polynomial &rhs) {
  std::optional<Polynomial> result;
  if (op == BinaryOp::Add || op == BinaryOp::Sub)
    result = add(lhs, rhs, op == BinaryOp::Add ? 1 : -1);
  else if (op == BinaryOp::Mul)
    result = multiply(lhs, rhs);
  return result ? *result : atom(fmt::format("({}{}{})", print(lhs), spelling(op), print(rhs)));
}

Polynomial canonical(const Expr &expr) {
  if (const auto *integer = dyn_cast<IntegerExpr>(&expr))
    return constant(integer->value);
  if (const auto *name = dyn_cast<NameExpr>(&expr))
    return atom(std::string(name->name));
  if (const auto *unary = dyn_cast<UnaryExpr>(&expr); unary && unary->op == UnaryOp::Negate)
    if (auto negated = add({}, canonical(*unary->operand), -1))
      return *negated;
  if (const auto *call = dyn_cast<CallExpr>(&expr)) {
    std::vector<std::string> arguments;
    for (const ExprPtr &argument : call->arguments)
      arguments.push_back(print(canonical(*argument)));
    return atom(fmt::format("{}({})", call->callee.name, fmt::join(arguments, ",")));
  }
  if (const auto *binary = dyn_cast<BinaryExpr>(&expr))
    return canonical(canonical(*binary->lhs), binary->op, canonical(*binary->rhs));
  return atom("(" + printExpr(expr) + ")");
}

} // namespace

std::string lacuna::frontend::canonicalText(const Expr &expr) {
  return print(canonical(expr));
}

std::string lacuna::frontend::canonicalProduct(const Expr &lhs, const Expr &rhs) {
  return print(canonical(canonical(lhs), BinaryOp::Mul, canonical(rhs)));
}
