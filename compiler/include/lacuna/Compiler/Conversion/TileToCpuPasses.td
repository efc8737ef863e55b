#ifndef LACUNA_COMPILER_CONVERSION_TILETOCPU
#define LACUNA_COMPILER_CONVERSION_TILETOCPU

include "mlir/Pass/PassBase.td"

def TileToCpu : Pass<"tile-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Turns each kernel into a host function that runs one program of its grid";
  let description = [{
    `tile.func @f` becomes `llvm.func @f(%params: !llvm.ptr, %x: i32, %y: i32, %z: i32)`, where `params[i]` points to
    the i-th launch parameter (lacuna/Runtime/LaunchMetadata.h). Its body is scf loops over arith, math and vector
    values.

    Tiles lie at fixed offsets of one scratch area a thread, which the function asks for by calling
    `lacuna_cpu_scratch(bytes)`; a tile that is read once is computed where it is read and lies nowhere. bf16 and f16
    elements are held as float32 and rounded where the kernel rounds them.

    `tile.dot` packs its B operand and keeps a block of the result in registers; `tile.for_blocks` becomes a loop over
    the row's steps. Maps and hooks must be gone (`tile-inline-hooks`, `tile-vectorize-maps`).
  }];
  let options = [Option<"wide", "wide", "bool", "false",
                        "block dots for 32 registers of 16 float32 (AVX-512), not 16 registers of 8">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def TileToCpuMath : Pass<"tile-to-cpu-math", "::mlir::ModuleOp"> {
  let summary = "Replaces exponentials, logarithms and their like on float32 by polynomials";
  let description = [{
    `exp` and `exp2` are ours: at most 1e-6 from the true value, relatively, over the whole range including subnormal
    results; exactly 0 for -inf, +inf on overflow, NaN for NaN; no branch. The others are MLIR's approximations.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif
