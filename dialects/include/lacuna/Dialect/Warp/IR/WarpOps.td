#ifndef LACUNA_DIALECT_WARP_WARPOPS
#define LACUNA_DIALECT_WARP_WARPOPS

include "lacuna/Dialect/Warp/IR/WarpInterfaces.td"
include "lacuna/Dialect/Warp/IR/WarpTypes.td"
include "lacuna/Dialect/Tile/IR/TileOps.td"

class Warp_Op<string mnemonic, list<Trait> traits = []> : Op<Warp_Dialect, mnemonic, traits>;

// Synchronisation and asynchronous work must be neither merged nor moved: they read and write this resource.
def Warp_Machine : Resource<"::lacuna::warp::MachineResource">;
def Warp_Sync : MemoryEffects<[MemRead<Warp_Machine>, MemWrite<Warp_Machine>]>;

def Warp_Tile : 2DTensorOf<[F32, F16, BF16, I32, I1]>;

//===--------------------------------------------------------------------------------------------------------------===//
// The thread block and its roles
//===--------------------------------------------------------------------------------------------------------------===//

def Warp_FuncOp : Warp_Op<"func", [IsolatedFromAbove, FunctionOpInterface, AutomaticAllocationScope, SingleBlock,
                                   OpAsmOpInterface]> {
  let summary = "a kernel as one thread block runs it";
  let description = [{
    Arguments, `dims`, `grid` and `constraints` are those of the `tile.func` it came from. The body is a preamble of
    scalars and rings and one `warp.roles`. The attribute `warp.target` names the machine that it is written for
    (`"sm_90a"`, which also stands where there is none, or `"sm_80"`).

    The verifier looks at the whole kernel. It refuses

    - ops that the kernel's machine does not have;
    - rings and shared tiles that need more shared memory than the machine gives a thread block (232,448 bytes on
      sm_90a), with a list of what takes it;
    - a ring whose two sides cannot be shown to run equally often (steps may be taken out in front of a loop, and a loop
      may be cut in two), and a ring op that names the same fill in every trip of a loop;
    - a product in flight that is used by anything but one product's accumulator or one wait, a wait that does not cover
      what it hands over, a slot handed back while a product may be reading it, and an A operand made while any wgmma is
      in flight;
    - a shared tile that is copied before its writes are visible (a fence, then a barrier of the warpgroup), or written
      while a copy may read it;
    - a named barrier that counts other threads than come to it, or that serves two purposes; turns that are not passed;
    - a tile in registers without a layout, or of a shape that its layout does not have.

    What it cannot decide, such as the order of fills or a deadlock through barriers whose counts match, the interpreter
    finds.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrArrayAttr:$dims,
                       StrArrayAttr:$grid, OptionalAttr<StrArrayAttr>:$constraints,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Warp_ReturnOp : Warp_Op<"return", [Pure, Terminator, ReturnLike, HasParent<"FuncOp">]> {
  let summary = "ends a thread block";
  let assemblyFormat = "attr-dict";
}

def Warp_ForTilesOp : Warp_Op<"for_tiles", [HasParent<"FuncOp">, AutomaticAllocationScope, Warp_Sync,
                                            SingleBlockImplicitTerminator<"NextTileOp">]> {
  let summary = "runs programs of the grid one after the other in one thread block";
  let description = [{
    A persistent kernel: as many thread blocks are launched as the GPU holds at once, and each takes programs from a
    queue until none is left. The body is what one program does, with its place in the grid as the first three
    arguments; then come carried i32 values, which `warp.next_tile` yields: the numbers of the fills of the rings go on
    counting.

    Each warpgroup branches to its role first and loops inside it: the producer may be a program ahead of the consumers.
    What stands in the body before `warp.roles` a thread of the producer's warpgroup computes, the scheduler. It takes
    programs from the queue, one ahead, and hands their numbers and what the roles use of the rest to both through
    shared memory (a mailbox with a full and an empty barrier).

    ```mlir
    warp.for_tiles(%x, %y, %z) carry(%n = %c0) {
      …
      warp.roles { … }
      warp.next_tile %after : i32
    }
    ```
  }];
  let arguments = (ins Variadic<I32>:$inits);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The program's place in the grid: x, y, z.
    ::mlir::ValueRange getCoordinates() { return getBody().getArguments().take_front(3); }
    ::mlir::Block::BlockArgListType getCarried() { return getBody().getArguments().drop_front(3); }
    RolesOp getRoles();
  }];
}

def Warp_NextTileOp : Warp_Op<"next_tile", [Pure, Terminator, ReturnLike, HasParent<"ForTilesOp">]> {
  let summary = "ends a program and hands the carried values to the next";
  let arguments = (ins Variadic<I32>:$values);
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Warp_RolesOp : Warp_Op<"roles", [SingleBlock, NoTerminator, ParentOneOf<["FuncOp", "ForTilesOp"]>, Warp_Sync]> {
  let summary = "splits the thread block into roles, once";
  let description = [{
    Holds one `warp.role producer` and one `warp.role consumer`. Each warpgroup branches to its role once, at the top,
    and adjusts its registers there (`setmaxnreg`).
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Warp_RoleOp : Warp_Op<"role", [SingleBlock, NoTerminator, HasParent<"RolesOp">, Warp_Sync]> {
  let summary = "what the warpgroups of one role do";
  let description = [{
    `registers` is each thread's register count inside the role: a multiple of 8 from 24 to 240. The thread block starts
    with an even share of a multiprocessor's 65,536 for each thread, in eights; the sum over all warpgroups of 128 times
    their registers must fit into that.

    ```mlir
    warp.role consumer warpgroups 2 registers 240 { … }
    ```

    In a persistent kernel a role may keep values in registers from program to program: `enter` runs once before the
    first program and gives the first values, the body takes those of the program before and ends with those for the
    next, and `leave` runs once after the last program with what that left. `enter` and `leave` belong to no program:
    they use nothing of the `warp.for_tiles`. Without values to keep, the lists and the terminators are absent.

    ```mlir
    warp.role consumer warpgroups 2 registers 232 enter {
      warp.role_yield %none, %c0 : tensor<64x128xf32, #warp.acc>, i32
    } each(%acc: tensor<64x128xf32, #warp.acc>, %n: i32) {
      …
      warp.role_yield %acc1, %n1 : tensor<64x128xf32, #warp.acc>, i32
    } leave(%acc: tensor<64x128xf32, #warp.acc>, %n: i32) {
      …
    }
    ```
  }];
  let arguments = (ins Warp_RoleKindAttr:$kind, I64Attr:$warpgroups, I64Attr:$registers);
  let regions = (region SizedRegion<1>:$body, MaxSizedRegion<1>:$enter, MaxSizedRegion<1>:$leave);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether it has work before the first program and after the last.
    bool spansPrograms() { return !getEnter().empty(); }
    /// Its blocks in the order in which they run: `enter` and `leave` where it has them, the body between.
    ::llvm::SmallVector<::mlir::Block *, 3> getBlocks();
  }];
}

def Warp_RoleYieldOp : Warp_Op<"role_yield", [Pure, Terminator, ReturnLike, HasParent<"RoleOp">]> {
  let summary = "hands the values that a role keeps to its next program, or to what follows the last";
  let arguments = (ins Variadic<AnyTypeOf<[Warp_Tile, Tile_Element]>>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Warp_WarpgroupOp : Warp_Op<"warpgroup", [Pure]> {
  let summary = "this warpgroup's number within its role";
  let results = (outs I32:$result);
  let assemblyFormat = "attr-dict";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Block lists
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Rings
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Matrix products
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Tiles in registers
//===--------------------------------------------------------------------------------------------------------------===//

def Warp_BroadcastOp : Warp_Op<"broadcast", [Pure]> {
  let summary = "repeats a scalar, a row or a column vector over a tile in registers; no data moves between threads";
  let arguments = (ins AnyTypeOf<[Warp_Tile, Tile_Element]>:$x);
  let results = (outs Warp_Tile:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
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

//===--------------------------------------------------------------------------------------------------------------===//
// Shared tiles that consumers write
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Barriers
//===--------------------------------------------------------------------------------------------------------------===//

class Warp_NamedBarrierOp<string mnemonic> : Warp_Op<mnemonic, [Warp_Sync]> {
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<1>, IntMaxValue<15>]>:$id, I64Attr:$threads);
  let assemblyFormat = "$id `threads` $threads attr-dict";
  let hasVerifier = 1;
}
def Warp_NamedBarrierSyncOp : Warp_NamedBarrierOp<"named_barrier_sync"> {
  let summary = "waits until `threads` threads have arrived at barrier `id` (1 to 15; 0 is the whole block's)";
}
def Warp_NamedBarrierArriveOp : Warp_NamedBarrierOp<"named_barrier_arrive"> {
  let summary = "arrives at barrier `id` without waiting";
}

// Directly in a role, or in its loops and conditions.
def Warp_InRole : ParentOneOf<["RoleOp", "::mlir::scf::ForOp", "::mlir::scf::IfOp"]>;
def Warp_TurnWaitOp : Warp_Op<"turn_wait", [Warp_Sync, Warp_InRole]> {
  let summary = "waits until it is this warpgroup's turn to issue products";
  let description = [{
    The warpgroups of a consumer role take turns in the order of their numbers; warpgroup 0 has the first. A warpgroup
    that has the turn issues its products and hands it on with `warp.turn_pass`, so that one computes with the tensor
    cores while another computes in registers. Every warpgroup takes as many turns: both stand where all warpgroups
    come. Turns use the named barriers 2, 3 and 4.
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}
def Warp_TurnPassOp : Warp_Op<"turn_pass", [Warp_Sync, Warp_InRole]> {
  let summary = "hands the turn to the next warpgroup; see `warp.turn_wait`";
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Warp_WarpgroupSyncOp : Warp_Op<"warpgroup_sync", [Warp_Sync]> {
  let summary = "waits until all threads of this warpgroup have come";
  let description = [{ A barrier for each consumer warpgroup by itself: the named barriers 8, 9 and 10. }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Warp_FenceAsyncOp : Warp_Op<"fence_async", [Warp_Sync]> {
  let summary = "makes this thread's writes to shared memory visible to wgmma and TMA";
  let assemblyFormat = "attr-dict";
}

#endif
