// The thread block and its roles.
#ifndef LACUNA_DIALECT_WARP_WARPROLEOPS
#define LACUNA_DIALECT_WARP_WARPROLEOPS

include "lacuna/Dialect/Warp/IR/WarpOpBase.td"

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

#endif // LACUNA_DIALECT_WARP_WARPROLEOPS
