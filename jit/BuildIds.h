// Which builds of the compiler and of LLVM run in this process.
#pragma once

#include "lacuna/Runtime/Error.h"

#include <string>

namespace lacuna {

/// The ELF build ids of the program or library that holds the compiler, and of the shared LLVM and MLIR that it uses,
/// as hexadecimal digits.
struct BuildIds {
  std::string compiler, llvm, mlir;
};

/// Errors: Unavailable where the compiler was linked without one; LLVM's may be empty.
Expected<BuildIds> buildIds();

} // namespace lacuna
