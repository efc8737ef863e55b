#ifndef LACUNA_DIALECT_WARP_WARPTYPES
#define LACUNA_DIALECT_WARP_WARPTYPES

include "lacuna/Dialect/Warp/IR/WarpAttrs.td"

class Warp_Type<string cppName, string typeMnemonic> : TypeDef<Warp_Dialect, cppName> {
  let mnemonic = typeMnemonic;
}

def Warp_RingType : Warp_Type<"Ring", "ring"> {
  let summary = "slots in shared memory that a producer fills and consumers empty in turn";
  let description = [{
    `!warp.ring<2, 128, 64, bf16>`: two slots of 128 rows by 64 columns. Rows are kept in chunks of 64 columns (128
    bytes), chunk c at `c * rows * 128` bytes, each with the 128-byte swizzle; the last chunk is whole also where the
    columns fill it in part. Each slot has two mbarriers: full (the copy's bytes have landed) and empty (all consumer
    warps have released it).
  }];
  let parameters = (ins "int64_t":$depth, "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $depth `,` $rows `,` $columns `,` $elementType `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getChunks() const { return (getColumns() + 63) / 64; }
    int64_t getSlotBytes() const { return getChunks() * getRows() * 128; }
  }];
}

def Warp_SlotType : Warp_Type<"Slot", "slot"> {
  let summary = "one slot of a ring, held by a producer (empty) or by the consumers (full)";
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $rows `,` $columns `,` $elementType `>`";
}

def Warp_SmemType : Warp_Type<"Smem", "smem"> {
  let summary = "a tile in shared memory that the consumers write";
  let description = [{
    `!warp.smem<128, 64, bf16>`: 128 rows by 64 columns, chunks and swizzle as in a ring's slot. Consumer warpgroup w
    owns rows 64w to 64w + 63: it alone writes them, and its copies alone read them.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $rows `,` $columns `,` $elementType `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getChunks() const { return (getColumns() + 63) / 64; }
    int64_t getBytes() const { return getChunks() * getRows() * 128; }
  }];
}

def Warp_ListType : Warp_Type<"List", "list"> {
  let summary = "one row of a block list, cut into steps";
  let description = [{
    `!warp.list<128, 64>`: blocks of 128 keys run in steps of 64. Both roles read its bounds and indices from global
    memory, or compute them from bands, through the same value, and both loop by its count.
  }];
  let parameters = (ins "int64_t":$keyBlock, "int64_t":$step);
  let assemblyFormat = "`<` $keyBlock `,` $step `>`";
  let extraClassDeclaration = [{
    int64_t getRunsPerStep() const { return getStep() > getKeyBlock() ? getStep() / getKeyBlock() : 1; }
    int64_t getStepsPerBlock() const { return getKeyBlock() > getStep() ? getKeyBlock() / getStep() : 1; }
    int64_t getRunLength() const { return getStep() / getRunsPerStep(); }
  }];
}

def Warp_GroupType : Warp_Type<"Group", "group"> {
  let summary = "a committed group of wgmmas";
}

def Warp_InflightType : Warp_Type<"Inflight", "inflight"> {
  let summary = "an accumulator that a wgmma is still writing";
  let parameters = (ins "::mlir::RankedTensorType":$tensor);
  let assemblyFormat = "`<` $tensor `>`";
}

#endif
