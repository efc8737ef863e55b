//===- IRGen.h - From a checked kernel to dialect `tile` --------*- C++ -*-===//
//
// One tile.func for the kernel and one tile.hook for each hook that it calls. What the language leaves implicit becomes
// explicit: promotions and broadcasts, the carried values of loops and conditions (the `var`s assigned inside), the
// scalar arguments that a hook reads (passed on as further arguments), and the extents of tiles, rounded up to 16
// (positions past the true extent are taken out of reductions and contractions here; those past a run-time end by the
// pass tile-mask-tails).
//
// Identifiers carry no meaning: they appear as symbol names, as the names of run-time dimensions, and in locations.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_IRGEN_H
#define LACUNA_COMPILER_FRONTEND_IRGEN_H

#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Runtime/Error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace lacuna::frontend {

/// A verified module with the kernel and its hooks. Loads the dialects that it needs into `context`.
/// Errors: VerifyError where a rule of the dialect is broken, such as two programs that store to the same place.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> generateTile(const CheckedKernel &kernel, mlir::MLIRContext &context);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_IRGEN_H
