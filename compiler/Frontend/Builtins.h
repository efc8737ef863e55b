//===- Builtins.h - Built-in functions --------------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_BUILTINS_H
#define LACUNA_COMPILER_FRONTEND_BUILTINS_H

#include <string>
#include <string_view>
#include <vector>

namespace lacuna::frontend {

struct Builtin {
  enum class Op {
    Exp,
    Exp2,
    Log,
    Log2,
    Tanh,
    Sqrt,
    Rsqrt,
    Floor, ///< elementwise on f32
    Abs,
    Min,
    Max,
    CeilDiv, ///< elementwise on f32 or i32; ceildiv on i32
    Dot,
    Transpose,
    RowMax,
    RowMin,
    RowSum, ///< one value a row
    AMax,
    AMin,
    Sum, ///< one value a tile
  };
  std::string_view name;
  Op op;
  unsigned minArguments, maxArguments;
  std::string_view usage;

  bool isUnaryFloat() const { return op <= Op::Floor; }
  bool isRowReduction() const { return op >= Op::RowMax && op <= Op::RowSum; }
  bool isFullReduction() const { return op >= Op::AMax; }
};

/// The built-in function of that name, or null.
const Builtin *findBuiltin(std::string_view name);
std::vector<std::string> builtinNames();

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_BUILTINS_H
