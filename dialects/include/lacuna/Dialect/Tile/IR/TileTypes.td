#ifndef LACUNA_DIALECT_TILE_TILETYPES
#define LACUNA_DIALECT_TILE_TILETYPES

include "lacuna/Dialect/Tile/IR/TileDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"

class Tile_Type<string cppName, string typeMnemonic> : TypeDef<Tile_Dialect, cppName> {
  let mnemonic = typeMnemonic;
}

def Tile_ViewType : Tile_Type<"View", "view"> {
  let summary = "a caller's tensor: rank 1 to 5, extents known or named";
  let description = [{
    Each extent is an integer (known when the kernel is compiled) or the name of a run-time dimension of the enclosing
    `tile.func`. Strides are run-time values in elements; the innermost is 1.

    Example: `!tile.view<[B, H, M, 128], bf16>`.
  }];
  let parameters = (ins
      ArrayRefParameter<"::mlir::Attribute", "StringAttr or IntegerAttr (i64), outermost first">:$extents,
      "::mlir::Type":$elementType);
  let assemblyFormat = "`<` `[` custom<Extents>($extents) `]` `,` $elementType `>`";
  let extraClassDeclaration = [{
    int64_t getRank() const { return getExtents().size(); }
    /// The static extent of `axis`, or nothing where it is a run-time dimension.
    std::optional<int64_t> getStaticExtent(int64_t axis) const;
    /// The name of the run-time dimension of `axis`, or an empty string.
    ::llvm::StringRef getSymbol(int64_t axis) const;
  }];
  let genVerifyDecl = 1;
}

def Tile_BlocksType : Tile_Type<"Blocks", "blocks"> {
  let summary = "sparse block lists, one a (batch, head) pair";
  let description = [{
    `!tile.blocks<QB, KB, [B, H]>`: for each batch and head, each block row of QB queries lists the blocks of KB keys it
    attends to. In memory: `indptr[rows + 1]`, `split[rows]`, `indices[nnz]` (int32). Within a row `[indptr, split)` are
    the partial blocks (a mask must be applied) and `[split, next indptr)` the full ones; each part ascending, unique.
    The caller may pass one list for all batches or heads (extent 1).

    Example: `!tile.blocks<128, 128, [B, H]>`.
  }];
  let parameters = (ins "int64_t":$queryBlock, "int64_t":$keyBlock,
                        ArrayRefParameter<"::mlir::Attribute", "batch and head extents">:$extents);
  let assemblyFormat = "`<` $queryBlock `,` $keyBlock `,` `[` custom<Extents>($extents) `]` `>`";
  let genVerifyDecl = 1;
}

def Tile_BandsType : Tile_Type<"Bands", "bands"> {
  let summary = "the blocks of one row, said by formula in place of a list";
  let description = [{
    `!tile.bands<KB>`: blocks of KB keys, made by `tile.bands`. A sparse loop runs over them as over the row of a list.
  }];
  let parameters = (ins "int64_t":$keyBlock);
  let assemblyFormat = "`<` $keyBlock `>`";
  let genVerifyDecl = 1;
}

def Tile_PositionsType : Tile_Type<"Positions", "positions"> {
  let summary = "the key positions that one step of a sparse loop covers";
  let description = [{
    `!tile.positions<N>`: N absolute positions along the key axis, one run or several runs of KB (`tile.for_blocks`).
    Positions at or past the loop's limit are padding.
  }];
  let parameters = (ins "int64_t":$extent);
  let assemblyFormat = "`<` $extent `>`";
}

#endif
