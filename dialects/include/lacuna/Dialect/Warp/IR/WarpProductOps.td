// Matrix products.
#ifndef LACUNA_DIALECT_WARP_WARPPRODUCTOPS
#define LACUNA_DIALECT_WARP_WARPPRODUCTOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

class Warp_WgmmaOp<string mnemonic, dag aOperand> : Warp_Op<mnemonic, [Warp_Sync]> {
  let arguments = !con(aOperand, (ins Warp_SlotType:$b,
                       Optional<AnyTypeOf<[Warp_Tile, Warp_InflightType]>>:$acc, UnitAttr:$trans_b));
  let results = (outs Warp_InflightType:$result);
  let hasVerifier = 1;
}

def Warp_WgmmaSsOp : Warp_WgmmaOp<"wgmma_ss", (ins AnyTypeOf<[Warp_SlotType, Warp_SmemType]>:$a, UnitAttr:$trans_a)> {
  let summary = "product of two tiles in shared memory; the warpgroup's own 64 rows";
  let description = [{
    `result = acc + A[64 rows] * B`, asynchronously. A is stored [m][k], with `trans_a` [k][m]; B is stored [k][n], with
    `trans_b` [n][k]. A may be a shared tile that the warpgroup has written, stored [m][k]: a computed operand for which
    registers do not suffice. It is read as by a copy, after `warp.fence_async` and `warp.warpgroup_sync`.
  }];
  let assemblyFormat = [{
    $a (`trans_a` $trans_a^)? `,` $b (`trans_b` $trans_b^)? (`acc` $acc^ `:` type($acc))? attr-dict `:`
    type($a) `,` type($b) `->` type($result)
  }];
}
def Warp_WgmmaRsOp : Warp_WgmmaOp<"wgmma_rs", (ins Warp_Tile:$a)> {
  let summary = "product of a tile in registers and one in shared memory";
  let description = [{
    As `warp.wgmma_ss`; A is a `#warp.afrag` tile, whose registers must not be written while the product runs.
  }];
  let assemblyFormat = [{
    $a `,` $b (`trans_b` $trans_b^)? (`acc` $acc^ `:` type($acc))? attr-dict `:`
    type($a) `,` type($b) `->` type($result)
  }];
}

def Warp_WgmmaCommitOp : Warp_Op<"wgmma_commit", [Warp_Sync]> {
  let summary = "closes the group of wgmmas issued since the last commit";
  let results = (outs Warp_GroupType:$group);
  let assemblyFormat = "attr-dict";
}

def Warp_WgmmaWaitOp : Warp_Op<"wgmma_wait", [Warp_Sync, AttrSizedOperandSegments]> {
  let summary = "waits for a group and hands over what it wrote";
  let description = [{
    Waits until `group` and all groups before it are complete. The in-flight accumulators become tensors; `carry` values
    are tied to the wait, so that nothing made from them can be moved above it (an A operand must not be packed while a
    wgmma runs). How many later groups may stay in flight is computed when lowering.

    `after` values (f32 row vectors) are computed before the wait, and all that they need: what runs beside the products
    stays in front of it.
  }];
  let arguments = (ins Warp_GroupType:$group, Variadic<Warp_InflightType>:$inflight, Variadic<Warp_Tile>:$carry,
                       Variadic<Warp_Tile>:$after);
  let results = (outs Variadic<Warp_Tile>:$results);
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::Value":$group, "::mlir::ValueRange":$inflight,
                                 "::mlir::ValueRange":$carry), [{
    build($_builder, $_state, results, group, inflight, carry, ::mlir::ValueRange());
  }]>];
  let assemblyFormat = [{
    $group `,` $inflight (`carry` $carry^ `:` type($carry))? (`after` $after^ `:` type($after))? attr-dict `:`
    type($inflight) `->` type($results)
  }];
  let hasVerifier = 1;
}

def Warp_MmaSyncOp : Warp_Op<"mma_sync", [Warp_Sync]> {
  let summary = "product of two tiles, computed by the time that it returns; the warpgroup's own 64 rows";
  let description = [{
    `result = acc + A[64 rows] * B`, on machines whose warps multiply: each warp reads its 16 rows of A, and all of B,
    from shared memory (ldmatrix) and multiplies them 16 x 8 x 16 at a time (mma.sync). A is a slot, stored [m][k] or
    with `trans_a` [k][m], or a `#warp.afrag` tile; B is stored [k][n], with `trans_b` [n][k]. The accumulator and A in
    registers lie as those of a wgmma do.

    ```mlir
    %s = warp.mma_sync %q, %k trans_b : !warp.slot<64, 128, bf16>, !warp.slot<64, 128, bf16>
      -> tensor<64x64xf32, #warp.acc>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Warp_SlotType, Warp_Tile]>:$a, UnitAttr:$trans_a, Warp_SlotType:$b,
                       UnitAttr:$trans_b, Optional<Warp_Tile>:$acc);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = [{
    $a (`trans_a` $trans_a^)? `,` $b (`trans_b` $trans_b^)? (`acc` $acc^ `:` type($acc))? attr-dict `:`
    type($a) `,` type($b) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Warp_PackAFragOp : Warp_Op<"pack_afrag", [Pure]> {
  let summary = "makes an accumulator-shaped 16-bit tile the A operand of a wgmma";
  let description = [{
    No data moves between threads. The verifier refuses it while a wgmma is in flight: that serialises the kernel.
  }];
  let arguments = (ins Warp_Tile:$x);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

#endif // LACUNA_DIALECT_WARP_WARPPRODUCTOPS
