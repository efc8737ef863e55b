// From the LLVM dialect to PTX text.
#pragma once

#include "lacuna/Runtime/Error.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>

namespace lacuna {

/// A GPU that PTX is generated for: LLVM's name of the processor and the PTX version, as LLVM's feature. A driver takes
/// PTX up to its own version.
struct GpuTarget {
  std::string processor = "sm_90a";
  std::string ptxFeature = "+ptx83";
};

/// Translates a module of the LLVM dialect, and marks every call of inline assembly convergent: barriers, wgmma and
/// copies must not be merged from two branches or moved into one. Errors: Internal.
Expected<std::unique_ptr<llvm::Module>> translateToLLVM(mlir::ModuleOp module, llvm::LLVMContext &context);

/// Runs LLVM's middle end for `target`. Errors: Internal where LLVM has no such target.
Expected<void> optimizeForGpu(llvm::Module &module, const GpuTarget &target);

/// Generates PTX text. Errors: Internal, CompileFailed.
Expected<std::string> emitPtx(llvm::Module &module, const GpuTarget &target);

} // namespace lacuna
