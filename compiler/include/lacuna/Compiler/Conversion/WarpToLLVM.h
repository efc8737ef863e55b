// From `warp` to what one thread runs, in the LLVM dialect.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace lacuna {

/// On an `llvm.func`: what the launch must know. A dictionary of `threads` (a thread block), `shared_bytes` (dynamic
/// shared memory), `tensor_maps` (an array of [argument, row axis, rows of the box]) and `alignments` (bytes, one for
/// each argument that must be aligned beyond its element: [argument, bytes]).
inline constexpr llvm::StringLiteral kLaunchAttr = "lacuna.launch";

#define GEN_PASS_DECL
#include "lacuna/Compiler/Conversion/WarpToLLVMPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "lacuna/Compiler/Conversion/WarpToLLVMPasses.h.inc"

} // namespace lacuna
