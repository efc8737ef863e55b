// What ops of `warp` have in common. See docs/dialects/warp-rationale.md.
#ifndef LACUNA_DIALECT_WARP_WARPINTERFACES
#define LACUNA_DIALECT_WARP_WARPINTERFACES

include "mlir/IR/OpBase.td"

def Warp_SlotCopy : OpInterface<"SlotCopy"> {
  let cppNamespace = "::lacuna::warp";
  let description = [{
    A copy of part of a view into the slot that a `warp.ring_fill` fills, whoever makes it: the copy engine
    (`warp.tma_load`) or the producer's threads (`warp.async_load`). Both bring the same bytes to the same places.
  }];
  let methods = [
    InterfaceMethod<"the view that is copied from", "::mlir::TypedValue<::lacuna::tile::ViewType>", "getView">,
    InterfaceMethod<"where the part starts: one index for each axis of the view", "::mlir::Operation::operand_range",
                    "getIndices">,
    InterfaceMethod<"the axis of the view along its rows", "uint64_t", "getRowAxis">,
    InterfaceMethod<"positions along that axis", "uint64_t", "getRows">,
    InterfaceMethod<"positions along the innermost axis", "uint64_t", "getColumns">,
    InterfaceMethod<"the first row in the slot", "uint64_t", "getSlotRow">,
    InterfaceMethod<"the first column in the slot, a multiple of 64", "uint64_t", "getSlotColumn">,
    InterfaceMethod<"positions along the axis before the row axis", "uint64_t", "getOuterRows">];
  let extraSharedClassDeclaration = [{
    /// Boxes of 64 columns that it takes.
    int64_t getBoxes() { return (static_cast<int64_t>($_op.getColumns()) + 63) / 64; }
    /// Rows of the slot that it fills.
    int64_t getSlotRows() { return static_cast<int64_t>($_op.getOuterRows() * $_op.getRows()); }
  }];
}

#endif
