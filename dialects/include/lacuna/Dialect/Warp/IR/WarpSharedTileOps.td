// Shared tiles that consumers write.
#ifndef LACUNA_DIALECT_WARP_WARPSHAREDTILEOPS
#define LACUNA_DIALECT_WARP_WARPSHAREDTILEOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

def Warp_SmemCreateOp : Warp_Op<"smem_create", [HasParent<"FuncOp">, Warp_Sync]> {
  let summary = "reserves shared memory for a tile that the consumers write";
  let description = [{ `%t = warp.smem_create "o" : !warp.smem<128, 128, bf16>`; the name is used in messages. }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Warp_SmemType:$smem);
  let assemblyFormat = "$name attr-dict `:` type($smem)";
  let hasVerifier = 1;
}

def Warp_StoreSharedOp : Warp_Op<"store_shared", [Warp_Sync]> {
  let summary = "writes a tile from registers to this warpgroup's rows of a shared tile";
  let description = [{
    The value is a `#warp.acc` tile of 16-bit elements. Threads write through the generic proxy: before a copy reads the
    tile, every thread makes its writes visible (`warp.fence_async`), and a barrier of the warpgroup
    (`warp.warpgroup_sync`) stands between. What a copy still reads must not be written again before
    `warp.tma_store_wait` and another barrier.

    ```mlir
    warp.tma_store_wait
    warp.warpgroup_sync
    warp.store_shared %value, %t : tensor<64x128xbf16, #warp.acc>, !warp.smem<128, 128, bf16>
    warp.fence_async
    warp.warpgroup_sync
    warp.tma_store %t, %o[%b, %h, %row, %c0] axis 2 : !warp.smem<128, 128, bf16>, !tile.view<[B, H, M, 128], bf16>
    ```
  }];
  let arguments = (ins Warp_Tile:$value, Warp_SmemType:$smem);
  let assemblyFormat = "$value `,` $smem attr-dict `:` type($value) `,` type($smem)";
  let hasVerifier = 1;
}

def Warp_TmaStoreOp : Warp_Op<"tma_store", [MemoryEffects<[MemRead<Warp_Machine>, MemWrite<Warp_Machine>, MemWrite]>]> {
  let summary = "copies this warpgroup's rows of a shared tile to a view, asynchronously";
  let description = [{
    One index for each axis of the view: where the thread block's tile starts, its rows along `row_axis`, its columns
    along the innermost axis. One thread of the warpgroup issues the boxes of 64 rows by 64 columns and closes their
    group. What lies past the view is dropped; the columns of a last, part-filled chunk must lie there. Copies that are
    still under way when the role ends are waited for then, before the threads leave.
  }];
  let arguments = (ins Warp_SmemType:$smem, Tile_ViewType:$view, Variadic<I32>:$indices, I64Attr:$row_axis);
  let assemblyFormat = [{
    $smem `,` $view `[` $indices `]` `axis` $row_axis attr-dict `:` type($smem) `,` type($view)
  }];
  let hasVerifier = 1;
}

def Warp_TmaStoreWaitOp : Warp_Op<"tma_store_wait", [Warp_Sync]> {
  let summary = "waits until the copies that this warpgroup issued have read their shared tiles";
  let description = [{
    Only the thread that issued them waits; a `warp.warpgroup_sync` tells the others. The copies need not have arrived
    in global memory.
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

#endif // LACUNA_DIALECT_WARP_WARPSHAREDTILEOPS
