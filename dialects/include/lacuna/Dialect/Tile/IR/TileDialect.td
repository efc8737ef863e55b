// The dialect `tile`: what a kernel computes. See docs/dialects/tile-rationale.md.
#ifndef LACUNA_DIALECT_TILE_TILEDIALECT
#define LACUNA_DIALECT_TILE_TILEDIALECT

include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::lacuna::tile";
  let summary = "What a tiled kernel computes, without who computes it";
  let description = [{
    A kernel is one `tile.func`, run once for every point of its grid. Its values are scalars (`i32`, `f32`, `i1`) and
    tiles: builtin tensors of rank 2 with static extents. A vector that holds one value a row is `tensor<Mx1xT>`, one
    value a column `tensor<1xNxT>`; keeping the second axis makes every broadcast unambiguous, also where M equals N.
    Elementwise work is plain `arith` and `math` on such tensors; loops and conditions are `scf`.

    Only three things have types of their own: views of the caller's tensors (`!tile.view`), sparse block lists
    (`!tile.blocks`), and the key positions that one step of a sparse loop covers (`!tile.positions`).

    A load past a view's end reads zero and a store past it is dropped. A position past the end never counts:
    `tile-mask-tails` makes every reduction and contraction ignore it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

#endif
