//===- Builtins.cpp - Built-in functions ------------------------------------===//

#include "Builtins.h"

using namespace lacuna::frontend;

static constexpr Builtin kBuiltins[] = {
    {"exp", Builtin::Op::Exp, 1, 1, "exp(x)"},
    {"exp2", Builtin::Op::Exp2, 1, 1, "exp2(x)"},
    {"log", Builtin::Op::Log, 1, 1, "log(x)"},
    {"log2", Builtin::Op::Log2, 1, 1, "log2(x)"},
    {"tanh", Builtin::Op::Tanh, 1, 1, "tanh(x)"},
    {"sqrt", Builtin::Op::Sqrt, 1, 1, "sqrt(x)"},
    {"rsqrt", Builtin::Op::Rsqrt, 1, 1, "rsqrt(x)"},
    {"floor", Builtin::Op::Floor, 1, 1, "floor(x)"},
    {"abs", Builtin::Op::Abs, 1, 1, "abs(x)"},
    {"min", Builtin::Op::Min, 2, 2, "min(x, y)"},
    {"max", Builtin::Op::Max, 2, 2, "max(x, y)"},
    {"ceildiv", Builtin::Op::CeilDiv, 2, 2, "ceildiv(a, b)"},
    {"dot", Builtin::Op::Dot, 2, 3, "dot(a, b) or dot(a, b, accumulator)"},
    {"transpose", Builtin::Op::Transpose, 1, 1, "transpose(x)"},
    {"rowmax", Builtin::Op::RowMax, 1, 1, "rowmax(x)"},
    {"rowmin", Builtin::Op::RowMin, 1, 1, "rowmin(x)"},
    {"rowsum", Builtin::Op::RowSum, 1, 1, "rowsum(x)"},
    {"amax", Builtin::Op::AMax, 1, 1, "amax(x)"},
    {"amin", Builtin::Op::AMin, 1, 1, "amin(x)"},
    {"sum", Builtin::Op::Sum, 1, 1, "sum(x)"},
};

const Builtin *lacuna::frontend::findBuiltin(std::string_view name) {
  for (const Builtin &builtin : kBuiltins)
    if (builtin.name == name)
      return &builtin;
  return nullptr;
}

std::vector<std::string> lacuna::frontend::builtinNames() {
  std::vector<std::string> names;
  for (const Builtin &builtin : kBuiltins)
    names.emplace_back(builtin.name);
  return names;
}
