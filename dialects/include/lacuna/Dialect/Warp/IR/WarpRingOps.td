// Rings.
#ifndef LACUNA_DIALECT_WARP_WARPRINGOPS
#define LACUNA_DIALECT_WARP_WARPRINGOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

def Warp_RingCreateOp : Warp_Op<"ring_create", [Warp_Sync]> {
  let summary = "reserves shared memory for a ring and initialises its barriers";
  let description = [{ `%k = warp.ring_create "tk" : !warp.ring<2, 128, 64, bf16>`; the name is used in messages. }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Warp_RingType:$ring);
  let assemblyFormat = "$name attr-dict `:` type($ring)";
}

def Warp_RingAcquireOp : Warp_Op<"ring_acquire", [Warp_Sync]> {
  let summary = "waits until the slot of fill n is empty";
  let arguments = (ins Warp_RingType:$ring, I32:$n);
  let results = (outs Warp_SlotType:$slot);
  let assemblyFormat = "$ring `[` $n `]` attr-dict `:` type($ring) `->` type($slot)";
  let hasVerifier = 1;
}

def Warp_RingFillOp : Warp_Op<"ring_fill", [SingleBlock, NoTerminator, Warp_Sync]> {
  let summary = "copies into an acquired slot; the slot is full when `bytes` have landed";
  let description = [{
    The body is `warp.tma_load`s, or `warp.async_load`s, only. `bytes` is what they bring: the sum of their boxes,
    counted whole also where they reach past the view.
  }];
  let arguments = (ins Warp_SlotType:$slot, I64Attr:$bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$slot `bytes` $bytes attr-dict `:` type($slot) $body";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

// A copy of part of a view into the slot being filled; what differs is who makes it.
class Warp_SlotCopyOp<string mnemonic> : Warp_Op<mnemonic, [HasParent<"RingFillOp">, Warp_Sync, Warp_SlotCopy]> {
  let arguments = (ins Tile_ViewType:$view, Variadic<I32>:$indices, I64Attr:$row_axis, I64Attr:$rows, I64Attr:$columns,
                       I64Attr:$slot_row, I64Attr:$slot_column, DefaultValuedAttr<I64Attr, "1">:$outer_rows);
  let assemblyFormat = [{
    $view `[` $indices `]` `axis` $row_axis `size` $rows `by` $columns (`outer` $outer_rows^)? `at` $slot_row `,`
    $slot_column attr-dict `:` type($view)
  }];
  let hasVerifier = 1;
}

def Warp_TmaLoadOp : Warp_SlotCopyOp<"tma_load"> {
  let summary = "copies part of a view into the slot being filled";
  let description = [{
    One index for each axis of the view: where the part starts. It is `rows` positions along `row_axis` by `columns` of
    the innermost axis, copied in boxes of 64 columns, and lands in the slot from row `slot_row` and column
    `slot_column` (a multiple of 64) on. What lies past the view is zero.

    With `outer` n, it is all that for n positions of the axis before `row_axis`, one after another in the slot: both
    axes make the rows together, and a box holds n x `rows` of them.

    ```mlir
    warp.tma_load %k[%b, %g, %start, %c0] axis 2 size 64 by 128 at 0, 0 : !tile.view<[B, G, N, 128], bf16>
    warp.tma_load %q[%b, %h, %start, %c0] axis 2 size 16 by 128 outer 4 at 0, 0 : !tile.view<[B, H, M, 128], bf16>
    ```
  }];
}

def Warp_AsyncLoadOp : Warp_SlotCopyOp<"async_load"> {
  let summary = "copies part of a view into the slot being filled, by the threads of the producer";
  let description = [{
    Brings what `warp.tma_load` would to the same places, on machines without a copy engine: every thread of the
    producer copies 16 bytes at a time (cp.async). The slot is full when the copies of all of them have landed.

    ```mlir
    warp.async_load %k[%b, %g, %start, %c0] axis 2 size 64 by 128 at 0, 0 : !tile.view<[B, G, N, 128], bf16>
    ```
  }];
}

def Warp_RingWaitOp : Warp_Op<"ring_wait", [Warp_Sync]> {
  let summary = "waits until fill n has landed";
  let arguments = (ins Warp_RingType:$ring, I32:$n);
  let results = (outs Warp_SlotType:$slot);
  let assemblyFormat = "$ring `[` $n `]` attr-dict `:` type($ring) `->` type($slot)";
  let hasVerifier = 1;
}

def Warp_RingReleaseOp : Warp_Op<"ring_release", [Warp_Sync]> {
  let summary = "hands a slot back to the producer; one lane of each warp arrives";
  let arguments = (ins Warp_SlotType:$slot);
  let assemblyFormat = "$slot attr-dict `:` type($slot)";
}

#endif // LACUNA_DIALECT_WARP_WARPRINGOPS
