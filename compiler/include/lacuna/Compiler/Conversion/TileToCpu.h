//===- TileToCpu.h - From tile IR to a host function ------------*- C++ -*-===//
//
// The CPU backend up to the LLVM dialect (stages tile.opt -> llvm). What follows, from LLVM IR to code in memory, is
// lacuna/Compiler/Codegen/CpuJit.h:
//
//   mlir::PassManager pm(context);
//   lacuna::buildCpuPipeline(pm, {.wide = target.hasWideVectors()});
//   if (failed(pm.run(module))) ...            // the diagnostics have been emitted
//   auto llvmModule = mlir::translateModuleToLLVMIR(module, llvmContext);
//
//===----------------------------------------------------------------------===//
#ifndef LACUNA_COMPILER_CONVERSION_TILETOCPU_H
#define LACUNA_COMPILER_CONVERSION_TILETOCPU_H

#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::vector {
class VectorDialect;
}
namespace mlir::LLVM {
class LLVMDialect;
}

namespace lacuna {

#define GEN_PASS_DECL
#include "lacuna/Compiler/Conversion/TileToCpuPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "lacuna/Compiler/Conversion/TileToCpuPasses.h.inc"

/// Adds the passes from optimised tile IR to the LLVM dialect. After them the module holds one llvm.func for each
/// tile.func, of the same name, and the declaration of the scratch function. `wide` must fit the CPU only for speed.
void buildCpuPipeline(mlir::OpPassManager &passes, const TileToCpuOptions &options);

} // namespace lacuna

#endif // LACUNA_COMPILER_CONVERSION_TILETOCPU_H
