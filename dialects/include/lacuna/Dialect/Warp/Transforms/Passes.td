#ifndef LACUNA_DIALECT_WARP_PASSES
#define LACUNA_DIALECT_WARP_PASSES

include "mlir/Pass/PassBase.td"

def WarpDeferQuadSum : Pass<"warp-defer-quad-sum", "::lacuna::warp::FuncOp"> {
  let summary = "Moves the cross-lane half of a running row sum behind its loop";
  let description = [{
    A carried value `l` that starts at zero and becomes `l * r + quad_reduce(s)` (r the same in the four lanes of a row) is
    linear in the lanes' partial sums: the loop may carry those, and combine the lanes once, after it.
  }];
  let dependentDialects = ["::lacuna::warp::WarpDialect"];
}

#endif
