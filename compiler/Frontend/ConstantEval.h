//===- ConstantEval.h - Integers known at compile time ----------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_CONSTANTEVAL_H
#define LACUNA_COMPILER_FRONTEND_CONSTANTEVAL_H

#include "lacuna/Compiler/Frontend/AST.h"
#include "lacuna/Compiler/Frontend/Diagnostics.h"

#include <functional>

namespace lacuna::frontend {

/// The value of a name, or nothing after reporting why it has none here.
using NameValue = std::function<std::optional<int64_t>(const NameExpr &)>;

/// Evaluates an expression of integers, names, the operators, `?:`, ceildiv, min and max in 64 bits. Truth values are 0
/// and 1;
/// `&&`, `||` and `?:` evaluate only what they need. Overflow, a division by zero and anything that is not an integer
/// known at compile time are reported (as `context`, e.g. "a tile's extent") and give nothing.
std::optional<int64_t> evaluateConstant(const Expr &expr, const NameValue &nameValue, std::string_view context,
                                        DiagnosticSink &diagnostics);

/// The common binary operators on 64-bit integers; nothing on overflow and division by zero.
std::optional<int64_t> applyBinary(BinaryOp op, int64_t lhs, int64_t rhs);
/// lhs / rhs rounded up; nothing on overflow and division by zero.
std::optional<int64_t> ceilDiv(int64_t lhs, int64_t rhs);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_CONSTANTEVAL_H
