// Tiles in registers.
#ifndef LACUNA_DIALECT_WARP_WARPTILEOPS
#define LACUNA_DIALECT_WARP_WARPTILEOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

def Warp_BroadcastOp : Warp_Op<"broadcast", [Pure]> {
  let summary = "repeats a scalar, a row or a column vector over a tile in registers; no data moves between threads";
  let arguments = (ins AnyTypeOf<[Warp_Tile, Tile_Element]>:$x);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Warp_ScaleRowsOp : Warp_Op<"scale_rows", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "multiplies each row by its factor; a warp whose factors are all one does nothing";
  let description = [{
    `result[i, j] = x[i, j] * factors[i]`, bit for bit what `arith.mulf` by the repeated factors gives. A warp votes
    first: where all its 16 rows have the factor one, it goes on with the registers as they are. An online softmax whose
    maximum seldom moves (`exp(m_old - m_new)` is then one) so multiplies its accumulator in few steps.

    ```mlir
    %o = warp.scale_rows %acc by %r : tensor<64x128xf32, #warp.acc>, tensor<64x1xf32, #warp.row>
    ```
  }];
  let arguments = (ins Warp_Tile:$x, Warp_Tile:$factors);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$x `by` $factors attr-dict `:` type($x) `,` type($factors)";
  let hasVerifier = 1;
}

def Warp_RowReduceOp : Warp_Op<"row_reduce", [Pure]> {
  let summary = "combines each thread's own columns of a row";
  let description = [{ Leaves one partial value a lane; `warp.quad_reduce` combines the four lanes that share a row. }];
  let arguments = (ins Tile_ReduceKindAttr:$kind, Warp_Tile:$x);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "`` $kind $x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Warp_QuadReduceOp : Warp_Op<"quad_reduce", [Pure, SameOperandsAndResultType]> {
  let summary = "combines a row's partial values over the four lanes that share it";
  let arguments = (ins Tile_ReduceKindAttr:$kind, Warp_Tile:$x);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "`` $kind $x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Warp_BlockReduceOp : Warp_Op<"block_reduce", [Warp_Sync]> {
  let summary = "combines all elements of a tile over all consumer warpgroups";
  let description = [{ Through shared memory and a named barrier; every thread gets the result. The order is fixed. }];
  let arguments = (ins Tile_ReduceKindAttr:$kind, Warp_Tile:$x, I64Attr:$barrier);
  let results = (outs F32:$result);
  let assemblyFormat = "`` $kind $x `barrier` $barrier attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Warp_IotaOp : Warp_Op<"iota", [Pure]> {
  let summary = "row or column numbers within the thread block's tile";
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Warp_PositionsOp : Warp_Op<"positions", [Pure]> {
  let summary = "the key positions of a step, one a column, from its runs' starts";
  let arguments = (ins Variadic<I32>:$starts);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$starts attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Warp_LoadGlobalOp : Warp_Op<"load_global", [MemoryEffects<[MemRead]>]> {
  let summary = "reads a tile of a view straight into registers; past the view's end it is zero";
  let description = [{
    Indices and sizes as in `tile.load`, for the whole thread block; each warpgroup takes its own rows.
  }];
  let arguments = (ins Tile_ViewType:$view, Variadic<I32>:$indices, DenseI64ArrayAttr:$sizes);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$view `[` $indices `]` `sizes` $sizes attr-dict `:` type($view) `->` type($result)";
  let hasVerifier = 1;
}

def Warp_StoreGlobalOp : Warp_Op<"store_global", [MemoryEffects<[MemWrite]>]> {
  let summary = "writes a tile (or a scalar) from registers to a view; past the view's end it is dropped";
  let arguments = (ins AnyTypeOf<[Warp_Tile, Tile_Element]>:$value, Tile_ViewType:$view, Variadic<I32>:$indices,
                       DenseI64ArrayAttr:$sizes);
  let assemblyFormat = "$value `,` $view `[` $indices `]` `sizes` $sizes attr-dict `:` type($value) `,` type($view)";
  let hasVerifier = 1;
}

#endif // LACUNA_DIALECT_WARP_WARPTILEOPS
