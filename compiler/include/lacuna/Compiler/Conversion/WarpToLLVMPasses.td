#ifndef LACUNA_COMPILER_CONVERSION_WARPTOLLVM
#define LACUNA_COMPILER_CONVERSION_WARPTOLLVM

include "mlir/Pass/PassBase.td"

def LowerWarp : Pass<"lower-warp", "::mlir::ModuleOp"> {
  let summary = "Writes each warp.func as one thread sees it";
  let description = [{
    A tile in registers becomes this thread's elements, each a scalar; elementwise operations become scalar `arith` and
    `math`. Rings become addresses in dynamic shared memory and mbarriers; wgmma, TMA, barriers and `setmaxnreg` become
    inline PTX, with the accumulators as operands and results. Loops and conditions stay `scf`. The parameters follow
    the launch ABI (docs/launch-abi.md); what the launch must know is left in the attribute `lacuna.launch` (threads,
    shared memory, tensor maps).
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def ThreadToLLVM : Pass<"thread-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Converts the scalar code of lower-warp to the LLVM dialect";
  let description = [{
    `scf` to branches, `arith` and `math` to LLVM. Mathematical functions become the GPU's approximations: `ex2`, `lg2`,
    `rcp`, `rsqrt`, flushing denormals to zero; a division is a product with a reciprocal.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
