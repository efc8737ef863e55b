#ifndef LACUNA_DIALECT_TILE_TILEOPS
#define LACUNA_DIALECT_TILE_TILEOPS

include "lacuna/Dialect/Tile/IR/TileTypes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/LoopLikeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

def Tile_Element : AnyTypeOf<[F32, F16, BF16, I32, I1]>;
def Tile_Float : AnyTypeOf<[F32, F16, BF16]>;
def Tile_Tile : 2DTensorOf<[F32, F16, BF16, I32, I1]>;
def Tile_FloatTile : 2DTensorOf<[F32, F16, BF16]>;
def Tile_Index : AnyTypeOf<[I32, Tile_PositionsType]>;

//===--------------------------------------------------------------------------------------------------------------===//
// Functions
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_FuncOp : Tile_Op<"func", [IsolatedFromAbove, FunctionOpInterface, AutomaticAllocationScope,
                                   SingleBlock, OpAsmOpInterface]> {
  let summary = "a kernel: one program for each point of a grid";
  let description = [{
    Arguments are views, block lists and scalars, in the order in which the caller passes them. `dims` names the
    run-time dimensions; `grid` gives one to three integer expressions over them (x first), evaluated on the host at
    launch; `constraints` are boolean expressions over them that the launch checks.

    Argument attributes: `tile.name` (what the caller calls it), `tile.output` on views that are stored to,
    `tile.positive` on a scalar that the launch guarantees to be greater than zero.

    The verifier refuses a `tile.store` whose coordinates two programs of the grid would share: they must depend on
    every `tile.program_id` of the grid.

    Example:

    ```mlir
    tile.func @scale_rows(%x: !tile.view<[M, 64], f32>, %y: !tile.view<[M, 64], f32> {tile.output}, %s: f32)
        attributes {dims = ["M"], grid = ["ceildiv(M, 64)"]} {
      %p = tile.program_id 0
      %c0 = arith.constant 0 : i32
      %c64 = arith.constant 64 : i32
      %r = arith.muli %p, %c64 : i32
      %t = tile.load %x[%r, %c0] sizes [64, 64] : (!tile.view<[M, 64], f32>, i32, i32) -> tensor<64x64xf32>
      %b = tile.broadcast %s : f32 -> tensor<64x64xf32>
      %u = arith.mulf %t, %b : tensor<64x64xf32>
      tile.store %u, %y[%r, %c0] sizes [64, 64] : tensor<64x64xf32>, (!tile.view<[M, 64], f32>, i32, i32)
      tile.return
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrArrayAttr:$dims,
                       StrArrayAttr:$grid, OptionalAttr<StrArrayAttr>:$constraints,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs,
                       OptionalAttr<DictionaryAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Tile_HookOp : Tile_Op<"hook", [IsolatedFromAbove, FunctionOpInterface, SingleBlock, OpAsmOpInterface]> {
  let summary = "a small pure scalar function that a caller may replace";
  let description = [{
    Called by `tile.call_hook` from the body of a `tile.map`. The body is scalar `arith`, `math`, `tile.dim` and further
    `tile.call_hook`s; anything with a side effect, and any recursion, is refused. Run-time dimensions are those of the
    calling kernel.

    ```mlir
    tile.hook @causal(%b: i32, %h: i32, %i: i32, %j: i32) -> i1 {
      %m = tile.dim "M"
      %n = tile.dim "N"
      %d = arith.subi %n, %m : i32
      %last = arith.addi %i, %d : i32
      %r = arith.cmpi sle, %j, %last : i32
      tile.return %r : i1
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
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

def Tile_ReturnOp : Tile_Op<"return", [Pure, Terminator, ReturnLike, ParentOneOf<["FuncOp", "HookOp"]>]> {
  let summary = "ends a kernel (no value) or a hook (its value)";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let hasVerifier = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["MapOp", "ForBlocksOp"]>]> {
  let summary = "ends the body of a map (one scalar) or of a sparse loop (the carried values)";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Where the program stands
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_ProgramIdOp : Tile_Op<"program_id", [Pure]> {
  let summary = "this program's coordinate along a grid axis";
  let description = [{ `%p = tile.program_id 0` is in [0, grid[0]). }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<2>]>:$axis);
  let results = (outs I32:$result);
  let assemblyFormat = "$axis attr-dict";
  let hasVerifier = 1;
}

def Tile_DimOp : Tile_Op<"dim", [Pure]> {
  let summary = "a run-time dimension of the kernel, in elements";
  let description = [{ `%n = tile.dim "N"`; the launch guarantees 1 <= N <= 2^31 - 4096. }];
  let arguments = (ins StrAttr:$name);
  let results = (outs I32:$result);
  let assemblyFormat = "$name attr-dict";
  let hasVerifier = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_LoadOp : Tile_Op<"load", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "reads a tile of a view; what lies past the view's end is zero";
  let description = [{
    One index for each axis of the view, and one entry of `sizes` for each: 0 takes the single position at the index
    (the axis disappears), L > 0 takes L positions from the index on. An index of type `!tile.positions<L>` takes those
    positions. Of the sliced axes there are one (the result is `tensor<Lx1xT>`) or two (`tensor<L0xL1xT>`), in order.

    Two neighbouring axes may make the rows together, with L0 * L1 of them a multiple of 16 where neither need be one:
    row r stands at position r / L1 of the first and r % L1 of the second. So three sliced axes give
    `tensor<(L0*L1)xL2xT>`, and two give `tensor<(L0*L1)x1xT>` where the result has a single column.

    ```mlir
    %q = tile.load %view[%b, %h, %r, %c0] sizes [0, 0, 128, 64]
        : (!tile.view<[B, H, M, 64], bf16>, i32, i32, i32, i32) -> tensor<128x64xbf16>
    %p = tile.load %view[%b, %h, %r, %c0] sizes [0, 4, 16, 64]
        : (!tile.view<[B, H, M, 64], bf16>, i32, i32, i32, i32) -> tensor<64x64xbf16>
    ```
  }];
  let arguments = (ins Tile_ViewType:$view, Variadic<Tile_Index>:$indices, DenseI64ArrayAttr:$sizes);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $view `[` $indices `]` `sizes` $sizes attr-dict `:` `(` qualified(type($view)) `,` type($indices) `)` `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes a tile to a view; what lies past the view's end is dropped";
  let description = [{
    Indices and `sizes` as in `tile.load`. With every size 0 the value is a scalar.

    ```mlir
    tile.store %o, %view[%b, %h, %r, %c0] sizes [0, 0, 128, 64]
        : tensor<128x64xbf16>, (!tile.view<[B, H, M, 64], bf16>, i32, i32, i32, i32)
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tile_Tile, Tile_Element]>:$value, Tile_ViewType:$view, Variadic<Tile_Index>:$indices,
                       DenseI64ArrayAttr:$sizes);
  let assemblyFormat = [{
    $value `,` $view `[` $indices `]` `sizes` $sizes attr-dict `:` type($value) `,` `(` qualified(type($view)) `,`
    type($indices) `)`
  }];
  let hasVerifier = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Arithmetic on tiles
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_DotOp : Tile_Op<"dot", [Pure]> {
  let summary = "matrix product of two tiles, accumulated in float32";
  let description = [{
    `result[i, j] = acc[i, j] + sum_k a[i, k] * b[k, j]`; the accumulator is zero where it is absent.

    | a, b | acc, result |
    |------|-------------|
    | bf16 | f32 |
    | f16  | f32 |

    ```mlir
    %s = tile.dot %q, %kt : tensor<128x64xbf16>, tensor<64x128xbf16> -> tensor<128x128xf32>
    %o = tile.dot %p, %v acc %o0 : tensor<128x64xf32> : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins Tile_FloatTile:$a, Tile_FloatTile:$b, Optional<2DTensorOf<[F32]>>:$acc,
                       OptionalAttr<StrAttr>:$label);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = "$a `,` $b (`acc` $acc^ `:` type($acc))? attr-dict `:` type($a) `,` type($b) `->` type($result)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tile_TransposeOp : Tile_Op<"transpose", [Pure]> {
  let summary = "exchanges the two axes of a tile";
  let description = [{
    `result[i, j] = x[j, i]`. `%kt = tile.transpose %k : tensor<128x64xbf16> -> tensor<64x128xbf16>`
  }];
  let arguments = (ins Tile_Tile:$x);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "repeats a scalar, a row vector or a column vector over a tile";
  let description = [{
    The operand is a scalar of the element type, or a tile whose extents equal the result's or are 1.

    ```mlir
    %m = tile.broadcast %rowmax : tensor<128x1xf32> -> tensor<128x64xf32>
    %z = tile.broadcast %scale : f32 -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tile_Tile, Tile_Element]>:$x);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_ReduceKind : I32EnumAttr<"ReduceKind", "how a reduction combines two values", [
    I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">, I32EnumAttrCase<"Min", 2, "min">]> {
  let cppNamespace = "::lacuna::tile";
  let genSpecializedAttr = 0;
}
def Tile_ReduceKindAttr : EnumAttr<Tile_Dialect, Tile_ReduceKind, "reduce_kind"> { let assemblyFormat = "$value"; }

def Tile_ReduceOp : Tile_Op<"reduce", [Pure]> {
  let summary = "reduces a float32 tile along one axis or both";
  let description = [{
    Axis 1 gives one value a row (`tensor<Mx1xf32>`), axis 0 one a column (`tensor<1xNxf32>`), both a scalar.
    `max` and `min` ignore NaN (IEEE 754 maxNum). The order of the additions is not defined, but fixed.

    ```mlir
    %m = tile.reduce max %s axes [1] : tensor<128x64xf32> -> tensor<128x1xf32>
    ```
  }];
  let arguments = (ins Tile_ReduceKindAttr:$kind, 2DTensorOf<[F32]>:$x, DenseI64ArrayAttr:$axes);
  let results = (outs AnyTypeOf<[2DTensorOf<[F32]>, F32]>:$result);
  let assemblyFormat = "`` $kind $x `axes` $axes attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_IotaOp : Tile_Op<"iota", [Pure]> {
  let summary = "0, 1, 2, … along the axis whose extent is not 1";
  let description = [{ `%i = tile.iota : tensor<128x1xi32>` numbers the rows, `tensor<1x128xi32>` the columns. }];
  let results = (outs 2DTensorOf<[I32]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Scalar functions of elements
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_MapOp : Tile_Op<"map", [Pure, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "applies a scalar function to every element";
  let description = [{
    `result[i, j] = body(x0[i, j], x1[i, j], …, i, j)`. The block arguments are one scalar for each input, then the row
    and the column number (i32). Scalars from outside may be used. `tile-vectorize-maps` turns the body into operations
    on tiles: what depends on rows only is computed once a row.

    ```mlir
    %r = tile.map %s : tensor<128x64xf32> -> tensor<128x64xf32> {
    ^bb0(%x: f32, %i: i32, %j: i32):
      %y = tile.call_hook @score(%x, %i, %j) : (f32, i32, i32) -> f32
      tile.yield %y : f32
    }
    ```
  }];
  let arguments = (ins Variadic<Tile_Tile>:$inputs);
  let results = (outs Tile_Tile:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "($inputs^)? attr-dict (`:` type($inputs)^)? `->` type($result) $body";
  let hasVerifier = 1;
}

def Tile_AlongOp : Tile_Op<"along", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "a value that stands at the positions of another tile";
  let description = [{
    The value itself. A `tile.map` whose result ignores an input still runs along that input's positions, and what lies
    past their end must not count; this keeps it known until `tile-mask-tails`, which removes the op.

    `%y = tile.along %constant, %scores : tensor<128x64xf32>, tensor<128x64xf32>`
  }];
  let arguments = (ins Tile_Tile:$value, Tile_Tile:$like);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$value `,` $like attr-dict `:` type($value) `,` type($like)";
  let hasVerifier = 1;
}

def Tile_CallHookOp : Tile_Op<"call_hook", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "calls a hook with scalars";
  let description = [{ `%y = tile.call_hook @score(%x, %i) : (f32, i32) -> f32`. Inlined by `tile-inline-hooks`. }];
  let arguments = (ins FlatSymbolRefAttr:$hook, Variadic<AnyTypeOf<[F32, I32, I1]>>:$arguments);
  let results = (outs AnyTypeOf<[F32, I32, I1]>:$result);
  let assemblyFormat = "$hook `(` $arguments `)` attr-dict `:` functional-type($arguments, $result)";
}

//===--------------------------------------------------------------------------------------------------------------===//
// The sparse loop
//===--------------------------------------------------------------------------------------------------------------===//

def Tile_BandsOp : Tile_Op<"bands", [Pure]> {
  let summary = "the blocks that bands of key positions meet";
  let description = [{
    A band is two spans of key positions, ends exclusive: `some`, what any row of the block row sees, and `all`, what
    every row of it sees. One to four bands, ascending: none meets blocks below an earlier one's that no earlier one
    meets. Positions below 0 and from the loop's limit on do not count; a span that ends where it begins, or before, is
    empty.

    The row has the blocks that meet `some` of a band; each once, with the first band that meets it. A block is full
    where each of its positions below the limit lies in that band's `all`; where the spans `all` of neighbouring bands
    overlap or touch, they count as one. Every other block is partial.

    ```mlir
    %row = tile.bands (%c0 to %e all %c0 to %z) : !tile.bands<128>
    ```
  }];
  let arguments = (ins Variadic<I32>:$bounds);
  let results = (outs Tile_BandsType:$result);
  let assemblyFormat = "custom<Bands>($bounds) attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_ForBlocksOp : Tile_Op<"for_blocks", [SingleBlockImplicitTerminator<"YieldOp">, AttrSizedOperandSegments,
      RecursiveMemoryEffects]> {
  let summary = "runs over the tiles of key positions that a block row lists";
  let description = [{
    Row `row` of list (`batch`, `head`), or the row that bands say; first its partial blocks, then its full ones. A step
    covers `step` positions: where the list's blocks are larger, several steps a block; where they are smaller,
    `step / KB` blocks a step, partial and full ones never mixed, and an odd remainder padded with positions at or past
    `limit`. Positions at or past `limit` never count. A row past the list's end is empty.

    The region's arguments are the positions and the carried values.

    ```mlir
    %r = tile.for_blocks %t in %rows[%b, %h, %qb] step 128 limit %n init(%acc = %zero)
        : !tile.blocks<128, 128, [B, H]>, tensor<64x64xf32> { … }
    tile.for_blocks %t in %bands step 128 limit %n : !tile.bands<128> { … }
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tile_BlocksType, Tile_BandsType]>:$blocks, Variadic<I32>:$place, I32:$limit,
                       Variadic<AnyType>:$inits, ConfinedAttr<I64Attr, [IntPositive]>:$step);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getPositions() { return getBody().getArgument(0); }
    ::mlir::Block::BlockArgListType getCarried() { return getBody().getArguments().drop_front(); }
    /// The bands that it runs over; null for a list, whose row is batch, head and row of `place`.
    BandsOp getBands() { return getBlocks().getDefiningOp<BandsOp>(); }
    int64_t getKeyBlock();
    /// Blocks of the list that fill one step; 1 where a block spans one step or more.
    int64_t getBlocksPerStep();
    /// Steps that one block spans; 1 where several blocks fill a step.
    int64_t getStepsPerBlock();
  }];
}

def Tile_IsPartialOp : Tile_Op<"is_partial", [Pure]> {
  let summary = "whether the step belongs to the partial part of its row";
  let description = [{ `%p = tile.is_partial %t : !tile.positions<128>`. The same for all elements of the step. }];
  let arguments = (ins Tile_PositionsType:$positions);
  let results = (outs I1:$result);
  let assemblyFormat = "$positions attr-dict `:` qualified(type($positions))";
}

def Tile_PositionAtOp : Tile_Op<"position_at", [Pure]> {
  let summary = "the absolute position of one column of the step";
  let description = [{
    `%k = tile.position_at %t, %j : !tile.positions<128>`, 0 <= j < 128; inside a `tile.map` only.
  }];
  let arguments = (ins Tile_PositionsType:$positions, I32:$index);
  let results = (outs I32:$result);
  let assemblyFormat = "$positions `,` $index attr-dict `:` qualified(type($positions))";
}

def Tile_PositionsOp : Tile_Op<"key_positions", [Pure]> {
  let summary = "all positions of the step, one a column";
  let description = [{ `%p = tile.key_positions %t : !tile.positions<128> -> tensor<1x128xi32>` }];
  let arguments = (ins Tile_PositionsType:$positions);
  let results = (outs 2DTensorOf<[I32]>:$result);
  let assemblyFormat = "$positions attr-dict `:` qualified(type($positions)) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ExceedsOp : Tile_Op<"exceeds", [Pure]> {
  let summary = "whether any position of the step is at or past a limit";
  let description = [{ `%e = tile.exceeds %t, %n : !tile.positions<128>`. What it guards runs for such steps only. }];
  let arguments = (ins Tile_PositionsType:$positions, I32:$limit);
  let results = (outs I1:$result);
  let assemblyFormat = "$positions `,` $limit attr-dict `:` qualified(type($positions))";
}

#endif
