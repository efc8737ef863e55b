#ifndef LACUNA_DIALECT_WARP_PASSES
#define LACUNA_DIALECT_WARP_PASSES

include "mlir/Pass/PassBase.td"

def WarpDeferQuadSum : Pass<"warp-defer-quad-sum", "::lacuna::warp::FuncOp"> {
  let summary = "Moves the cross-lane half of a running row sum behind its loop";
  let description = [{
    A carried value `l` that starts at zero and becomes `l * r + quad_reduce(s)` (r the same in the four lanes of a row)
    is linear in the lanes' partial sums: the loop may carry those, and combine the lanes once, after it.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect"];
}

def WarpOverlapDots : Pass<"warp-overlap-dots", "::lacuna::warp::FuncOp"> {
  let summary = "Runs the marked product of a step beside the products of the step before";
  let description = [{
    Rotates the loop around a product with the attribute `warp.overlap` (the leading product, in attention Q K^T): a
    step issues it, then issues the products that depend on the leading one of the step before (P V), waits for the
    first, computes with its result while the others run, and waits for those last. A operands are packed, or
    written to shared memory, behind that last wait. What a trailing product accumulates onto is prepared there too;
    with accumulators over 128 columns it is prepared between the two issues.

    With the attribute `warp.turns` on the role, its warpgroups take turns to issue the products of a step.

    Where it cannot be done (the leading product needs what the trailing ones gave, both read one slot, registers do not
    suffice, the loop stores) the loop stays as it is. Either is noted in the function's `warp.decisions`.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def WarpSplitMasked : Pass<"warp-split-masked", "::lacuna::warp::FuncOp"> {
  let summary = "Cuts a loop over a list into one for steps that need masks and one for those that do not";
  let description = [{
    The steps of a list that are partial or exceed the limit come first (`warp.list_masked` of them). A loop over the
    list whose body asks for either becomes two loops that carry the same values; in the second the answers are `false`,
    so that masks and guards fold away. Nothing is waited for between the two.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

#endif
