//===- OverlapPlan.h - An iteration in two halves ---------------*- C++ -*-===//
//
// Which operations of a loop's iteration lead and which trail, for warp-overlap-dots: the leading half is everything
// that does not depend on a trailing product: the marked product and what is computed from it. The trailing half is the
// products that read those results, and what depends on them.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_DIALECT_WARP_TRANSFORMS_OVERLAPPLAN_H
#define LACUNA_DIALECT_WARP_TRANSFORMS_OVERLAPPLAN_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

namespace lacuna::warp {

/// How the operations of a loop's body are dealt to the halves. All lists are in program order.
struct Halves {
  mlir::Operation *leading = nullptr;              // the marked product
  llvm::SmallVector<mlir::Operation *> leadIssue;  // up to the leading product's commit
  llvm::SmallVector<mlir::Operation *> leadRest;   // from its wait on
  llvm::SmallVector<mlir::Operation *> prepare;    // of the trailing half: done at the end of the step before
  llvm::SmallVector<mlir::Operation *> trailIssue; // up to the commit of the first trailing product
  llvm::SmallVector<mlir::Operation *> trailRest;  // from its wait on
  llvm::SmallSetVector<mlir::Value, 8> cross;      // what trailIssue and trailRest use of the rest of their iteration
  llvm::SmallDenseSet<unsigned> trailing;          // carried values that the trailing half yields
};

/// Deals the operations of `loop` to the halves around `leading`, a product of its body. An early rescale (`early`)
/// leaves what a product accumulates onto to the step that runs the product; with `turns` warpgroups issue products one
/// after the other. Fails where the loop cannot be overlapped, and tells `refuse` why.
mlir::FailureOr<Halves> planHalves(mlir::scf::ForOp loop, mlir::Operation *leading, bool early, bool turns,
                                   llvm::function_ref<void(llvm::Twine)> refuse);

} // namespace lacuna::warp

#endif // LACUNA_DIALECT_WARP_TRANSFORMS_OVERLAPPLAN_H
