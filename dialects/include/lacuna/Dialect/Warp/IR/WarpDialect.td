// The dialect `warp`: who computes, where, and when. See docs/dialects/warp-rationale.md.
#ifndef LACUNA_DIALECT_WARP_WARPDIALECT
#define LACUNA_DIALECT_WARP_WARPDIALECT

include "mlir/IR/OpBase.td"

def Warp_Dialect : Dialect {
  let name = "warp";
  let cppNamespace = "::lacuna::warp";
  let summary = "Who computes a tile, where its data lies, and when";
  let description = [{
    A `warp.func` is one thread block. After a common preamble of scalars it splits, once, into roles: a producer
    warpgroup that copies tiles into shared memory with the tensor memory accelerator (TMA), and one to three consumer
    warpgroups that multiply them (wgmma), each on its own 64 rows of the tile.

    Tiles in registers are tensors with an encoding that says which thread holds what: `#warp.acc` (the wgmma
    accumulator), `#warp.afrag` (the A operand of wgmma in registers), `#warp.row` (one value a row) and `#warp.col`
    (one value a column). `arith` and `math` work on them elementwise.

    Tiles in shared memory are slots of rings: `!warp.ring`. The n-th fill of a ring of depth d lies in slot n mod d;
    each ring op names its n, so that passes may run ahead or behind. A slot travels: acquired (empty), filled, waited
    for (full), released. Each of these tokens is used exactly once.

    A wgmma writes its accumulator asynchronously: its result is `!warp.inflight` until a `warp.wgmma_wait`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::lacuna::tile::TileDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

#endif
