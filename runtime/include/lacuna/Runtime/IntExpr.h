//===- IntExpr.h - Integer expressions over run-time dimensions -*- C++ -*-===//
//
// The grid and the constraints of a kernel are texts such as "ceildiv(M, 128)" or "H % G == 0 && D <= 256". They are
// parsed once, when a kernel is loaded, and evaluated at each launch without allocation.
//
//   expression := or ;  or := and ("||" and)* ;  and := compare ("&&" compare)*
//   compare    := sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)?
//   sum        := product (("+" | "-") product)* ;  product := unary (("*" | "/" | "%") unary)*
//   unary      := ("-" | "!") unary | number | name | "(" expression ")"
//               | ("ceildiv" | "min" | "max") "(" expression "," expression ")"
//
// Arithmetic is on int64; `/` and `%` truncate toward zero as in C++; comparisons give 0 or 1; `&&` and `||` do not
// evaluate their right side where the left one decides. Overflow and division by zero are errors, never undefined
// behaviour.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_INTEXPR_H
#define LACUNA_RUNTIME_INTEXPR_H

#include "lacuna/Runtime/Error.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::runtime {

/// A parsed expression. Thread safety: immutable once parsed; any number of threads may evaluate it.
class IntExpr {
public:
  /// Parses `text`, whose names must be among `names`. Errors: ParseError, with the column and what was expected there.
  static Expected<IntExpr> parse(std::string_view text, std::span<const std::string> names);

  /// The value where name i has values[i]; `values` is parallel to the `names` of parse(). Allocates only on failure.
  /// Errors: InvalidArgument for overflow and division by zero, naming the expression.
  Expected<int64_t> evaluate(std::span<const int64_t> values) const;

  const std::string &text() const { return source; }

private:
  IntExpr() = default;

  enum class Op : uint8_t {
    Constant,
    Name,
    Negate,
    Not,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    CeilDiv,
    Min,
    Max,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    AndJump, ///< if the top is 0, make it the result and jump to `operand`; else drop it
    OrJump,  ///< if the top is not 0, replace it by 1 and jump to `operand`; else drop it
    Bool,    ///< the top becomes 0 or 1
  };
  struct Instruction {
    Op op;
    int64_t operand = 0;
  };
  /// The operand stack of evaluate(); deeper expressions are refused by parse().
  static constexpr int kMaxDepth = 64;

  class Parser;
  static const char *apply(Op op, int64_t lhs, int64_t rhs, int64_t &result);

  std::string source;
  size_t numNames = 0;
  std::vector<Instruction> code; ///< for a stack machine, in execution order
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_INTEXPR_H
