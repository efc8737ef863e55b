// Block lists.
#ifndef LACUNA_DIALECT_WARP_WARPLISTOPS
#define LACUNA_DIALECT_WARP_WARPLISTOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

def Warp_ListOpenOp : Warp_Op<"list_open", [Pure]> {
  let summary = "finds one row of a block list";
  let description = [{
    `%l = warp.list_open %rows[%b, %h, %r] limit %n : !tile.blocks<…> -> !warp.list<128, 128>`. A row past the list's
    rows is empty. `limit` is the number of keys: padding positions lie there.

    With `nonempty` an empty row has one step, of padding alone: full, exceeding, all of its runs past the limit.
    `warp.list_padded` says whether that is so.
  }];
  let arguments = (ins Tile_BlocksType:$blocks, I32:$batch, I32:$head, I32:$row, I32:$limit, UnitAttr:$nonempty);
  let results = (outs Warp_ListType:$list);
  let assemblyFormat = [{
    $blocks `[` $batch `,` $head `,` $row `]` `limit` $limit (`nonempty` $nonempty^)? attr-dict `:` type($blocks) `->`
    type($list)
  }];
  let hasVerifier = 1;
}

def Warp_ListBandsOp : Warp_Op<"list_bands", [Pure]> {
  let summary = "makes the row of a list from bands of key positions";
  let description = [{
    The blocks of `tile.bands` as a list that lies in no memory: its counts and its steps are arithmetic on the bounds.
    With `nonempty` a row that no band meets has one step of padding, as of `warp.list_open`.

    ```mlir
    %l = warp.list_bands (%c0 to %e all %c0 to %z) limit %n nonempty : !warp.list<128, 64>
    ```
  }];
  let arguments = (ins Variadic<I32>:$bounds, I32:$limit, UnitAttr:$nonempty);
  let results = (outs Warp_ListType:$list);
  let assemblyFormat = "custom<Bands>($bounds) `limit` $limit (`nonempty` $nonempty^)? attr-dict `:` type($list)";
  let hasVerifier = 1;
}

def Warp_ListPaddedOp : Warp_Op<"list_padded", [Pure]> {
  let summary = "whether the row is empty, and has one step of padding in place of none";
  let arguments = (ins Warp_ListType:$list);
  let results = (outs I1:$padded);
  let assemblyFormat = "$list attr-dict `:` type($list)";
}

def Warp_ListCountOp : Warp_Op<"list_count", [Pure]> {
  let summary = "the number of steps of a list";
  let arguments = (ins Warp_ListType:$list);
  let results = (outs I32:$count);
  let assemblyFormat = "$list attr-dict `:` type($list)";
}

def Warp_ListMaskedOp : Warp_Op<"list_masked", [Pure]> {
  let summary = "the number of leading steps of a list that may need masks";
  let description = [{
    All partial steps, and the full steps that reach past the limit. Steps are numbered so that these come first; no
    later step is partial or exceeds the limit.
  }];
  let arguments = (ins Warp_ListType:$list);
  let results = (outs I32:$count);
  let assemblyFormat = "$list attr-dict `:` type($list)";
}

def Warp_ListStepOp : Warp_Op<"list_step", [Pure]> {
  let summary = "the runs of key positions of one step, whether it is partial, and whether it exceeds the limit";
  let description = [{
    One start for each run of `getRunLength()` positions: one run, or several where several blocks fill a step; a run
    that pads an odd step starts at or past the limit. `exceeds` says whether any run reaches past the limit.

    The steps of the partial blocks come first, in the order of the list. Then come the full steps that exceed the limit
    (they are the row's last ones), last first, and then the other full steps in the order of the list.

    ```mlir
    %partial, %exceeds, %start = warp.list_step %l[%i] : !warp.list<128, 64> -> i32
    ```
  }];
  let arguments = (ins Warp_ListType:$list, I32:$index);
  let results = (outs I1:$partial, I1:$exceeds, Variadic<I32>:$starts);
  let assemblyFormat = "$list `[` $index `]` attr-dict `:` type($list) `->` type($starts)";
  let hasVerifier = 1;
}

#endif // LACUNA_DIALECT_WARP_WARPLISTOPS
