#ifndef LACUNA_DIALECT_TILE_PASSES
#define LACUNA_DIALECT_TILE_PASSES

include "mlir/Pass/PassBase.td"

def TileInlineHooks : Pass<"tile-inline-hooks", "::mlir::ModuleOp"> {
  let summary = "Clones the body of every called hook into its callers and deletes the hooks";
  let description = [{
    Each `tile.call_hook` is replaced by the hook's body, hooks called by hooks first. A run-time dimension that a hook
    reads must be one of the calling kernel's.
  }];
  let dependentDialects = ["::lacuna::tile::TileDialect"];
}

def TileVectorizeMaps : Pass<"tile-vectorize-maps", "::lacuna::tile::FuncOp"> {
  let summary = "Turns the scalar bodies of tile.map into operations on tiles";
  let description = [{
    The type of a scalar follows from what it depends on: nothing of the element, a scalar; its row only, `tensor<Mx1>`;
    its column only, `tensor<1xN>`; both, `tensor<MxN>`. Each operation runs at the smallest of these that its operands
    allow, so that what depends on rows only is computed once a row and `i >= j` is one comparison an element.
  }];
  let dependentDialects = ["::lacuna::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def TileMaskTails : Pass<"tile-mask-tails", "::lacuna::tile::FuncOp"> {
  let summary = "Makes reductions and contractions ignore positions past a view's end";
  let description = [{
    Follows, through the kernel, which axis of a tile runs over which positions of a view or a sparse loop. Where a
    reduction or a contraction runs over an axis that may reach past the end, its operand is replaced there by the
    neutral value (0, -inf, +inf), under an `scf.if` that only tiles reaching past the end enter.

    One mask serves several consumers: what a masked value becomes further on is followed too (exp of -inf is 0), so
    that a softmax needs one mask, on the scores. Products of two loaded tiles need none, since both read zero there. A
    mask that the kernel's author wrote (`t[j] < N`) is understood too.

    A sum, maximum or minimum carried by a loop (`acc + x`) is a contraction over its steps: its terms are masked. Any
    other carried tile whose axis stands for other positions in each step is refused, as is a tile whose start is
    computed in an inner block.
  }];
  let dependentDialects = ["::lacuna::tile::TileDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def TileExpToExp2 : Pass<"tile-exp-to-exp2", "::lacuna::tile::FuncOp"> {
  let summary = "Writes exp and log in base 2 and folds a positive scale into the exponent";
  let description = [{
    `exp(x)` becomes `exp2(x * log2(e))` and `log(x)` becomes `log2(x) * ln(2)`. Where the argument is `s - c` with `c`
    one a row, it becomes one fused multiply-add an element: `fma(s, log2(e), -(c * log2(e)))`. A vector `exp(m - c)` is
    written with the same rounded product, `exp2(m * log2(e) - c * log2(e))`, so that the sums of an online softmax are
    rescaled by exactly what their terms were computed against.

    A product with a scalar that the launch guarantees to be positive (`tile.positive`) is moved past masks and row
    maxima, so that `s * scale` costs nothing an element: `exp2(fma(d, scale * log2(e), -(c * log2(e))))`. For a scalar
    of unknown sign this would be wrong (a negative one turns the maximum into the minimum), and nothing is moved.
  }];
  let dependentDialects = ["::lacuna::tile::TileDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def TileRowReciprocal : Pass<"tile-row-reciprocal", "::lacuna::tile::FuncOp"> {
  let summary = "Makes a division by a row's value one reciprocal a row and a product an element";
  let description = [{
    `x / r`, where `r` is broadcast from one value a row, a column or a tile, becomes `x * (1 / r)`. The quotient is
    rounded twice, and a divisor whose reciprocal overflows (a subnormal one) gives infinity.
  }];
  let dependentDialects = ["::lacuna::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

#endif
