// Which compiler and which LLVM run in this process.
#pragma once

#include <string>

namespace lacuna {

struct BuildIds {
  std::string compiler;   ///< SourceHash.h
  std::string llvm, mlir; ///< the ELF build ids of the shared libraries; empty where they have none
};

BuildIds buildIds();

} // namespace lacuna
