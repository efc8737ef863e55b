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

def WarpOverlapPrograms : Pass<"warp-overlap-programs", "::lacuna::warp::FuncOp"> {
  let summary = "Runs the first product of a program beside the last ones of the program before";
  let description = [{
    Rotates the programs of a `warp.for_tiles` as `warp-overlap-dots` does the steps of a loop, after which it comes: a
    consumer issues the leading product of a program's first step, then the trailing product of the last step of the
    program before, and computes with the first while the second runs; then follows the end of the program before (its
    results and stores). What that end needs of its program, the role keeps (`warp.role … enter … each … leave`), and
    what is left over after the last program stands in `leave`.

    No product stands under a condition: before the first program the rings of the trailing products get one fill more,
    which is multiplied with zeros, and the result is dropped. Fills of those rings count from 1 on.

    Where it cannot be done (a program may have no step, or has several loops; what the first step reads is loaded
    behind what the last one does; the ring of the trailing product has one slot; its operand is in a shared tile)
    programs stay apart. With the attribute `warp.separate_programs` on the function they do in any case. Either is
    noted in `warp.decisions`.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def WarpScaleRows : Pass<"warp-scale-rows", "::lacuna::warp::FuncOp"> {
  let summary = "Lets warps pass over the rescaling of an accumulator by ones";
  let description = [{
    In a loop, `x * broadcast(r)` becomes `warp.scale_rows x by r` where a product accumulates onto it, at once or in the
    next trip, and x has at least 32 registers a thread: fewer cost no more than to ask. Comes after the passes that
    overlap products, which know the multiplication.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect"];
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
