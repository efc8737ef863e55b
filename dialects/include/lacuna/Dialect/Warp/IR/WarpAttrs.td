#ifndef LACUNA_DIALECT_WARP_WARPATTRS
#define LACUNA_DIALECT_WARP_WARPATTRS

include "lacuna/Dialect/Warp/IR/WarpDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Warp_Attr<string cppName, string attrMnemonic> : AttrDef<Warp_Dialect, cppName> { let mnemonic = attrMnemonic; }

def Warp_AccAttr : Warp_Attr<"Acc", "acc"> {
  let summary = "the accumulator of a wgmma: 64 rows of a warpgroup";
  let description = [{
    Thread t of the warpgroup, w = t / 32, l = t % 32, holds of a 64xN tile the N/2 elements
    `r = 4j + 2i + k` (i, k in {0, 1}, j < N/8) at row `16w + l/4 + 8i`, column `8j + 2(l%4) + k`.
    Source: PTX ISA, wgmma register fragments.
  }];
}
def Warp_AFragAttr : Warp_Attr<"AFrag", "afrag"> {
  let summary = "the A operand of a wgmma in registers: 64 rows of a warpgroup, 16-bit elements";
  let description = [{
    For each k-step of 16 columns four 32-bit registers; register 4s + q holds the accumulator elements 8s + 2q and
    8s + 2q + 1 of the same thread, so that an accumulator becomes an A operand without moving between threads.
  }];
}
def Warp_RowAttr : Warp_Attr<"Row", "row"> {
  let summary = "one value a row: two a thread, the same in the four lanes of a quad";
  let description = [{ A 64x1 tile; element i in {0, 1} is row `16w + l/4 + 8i`. }];
}
def Warp_ColAttr : Warp_Attr<"Col", "col"> {
  let summary = "one value a column: N/4 a thread, the same in all quads, warps and warpgroups";
  let description = [{ A 1xN tile; element `2j + k` is column `8j + 2(l%4) + k`. }];
}

def Warp_RoleKind : I32EnumAttr<"RoleKind", "what a role does", [
    I32EnumAttrCase<"Producer", 0, "producer">, I32EnumAttrCase<"Consumer", 1, "consumer">]> {
  let cppNamespace = "::lacuna::warp";
  let genSpecializedAttr = 0;
}
def Warp_RoleKindAttr : EnumAttr<Warp_Dialect, Warp_RoleKind, "role_kind"> { let assemblyFormat = "$value"; }

#endif
