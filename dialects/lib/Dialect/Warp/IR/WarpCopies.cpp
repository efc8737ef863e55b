// Copies into the slots of rings.
#include "KernelVerifiers.h"

using namespace mlir;

namespace lacuna::warp {

LogicalResult RingFillOp::verify() {
  if (!getSlot().getDefiningOp<RingAcquireOp>())
    return emitOpError() << "fills a slot that was not acquired";
  return requireRole(*this, RoleKind::Producer, "filling a slot");
}

LogicalResult RingFillOp::verifyRegions() {
  int64_t bytes = 0;
  for (Operation &op : getBody().front()) {
    auto copy = dyn_cast<SlotCopy>(op);
    if (!copy)
      return op.emitOpError() << "is not a warp.tma_load or warp.async_load; a ring_fill holds nothing else";
    bytes += copy.getSlotRows() * kChunkRowBytes * copy.getBoxes();
  }
  if (bytes != static_cast<int64_t>(getBytes()))
    return emitOpError() << "expects " << getBytes() << " bytes, but its boxes bring " << bytes << "; the slot would "
                         << (bytes < static_cast<int64_t>(getBytes()) ? "never" : "too early") << " count as full";
  return success();
}

/// Checks where a copy comes from and where in the slot it lands.
static LogicalResult verifyCopy(SlotCopy copy) {
  int64_t rank = copy.getView().getType().getRank();
  if (static_cast<int64_t>(copy.getIndices().size()) != rank)
    return copy->emitOpError() << "needs one index for each of the view's " << rank << " axes, got "
                               << copy.getIndices().size();
  if (rank < 2 || static_cast<int64_t>(copy.getRowAxis()) >= rank - 1)
    return copy->emitOpError() << "the row axis must lie before the view's innermost axis, got " << copy.getRowAxis()
                               << " of " << rank;
  SlotType slot = cast<RingFillOp>(copy->getParentOp()).getSlot().getType();
  if (copy.getRows() <= 0 || copy.getRows() > 256)
    return copy->emitOpError() << "a box has 1 to 256 rows, got " << copy.getRows();
  auto outer = static_cast<int64_t>(copy.getOuterRows());
  if (outer < 1 || outer > 256 || (outer > 1 && copy.getRowAxis() == 0))
    return copy->emitOpError() << "a box takes 1 to 256 positions of the axis before axis " << copy.getRowAxis()
                               << ", got " << outer;
  int64_t end = static_cast<int64_t>(copy.getSlotRow()) + copy.getSlotRows();
  if (copy.getSlotRow() % 8 != 0 || end > slot.getRows())
    return copy->emitOpError() << "rows " << copy.getSlotRow() << " to " << end << " do not lie in the slot's "
                               << slot.getRows() << " rows, or do not start at a multiple of 8";
  if (copy.getSlotColumn() % kChunkColumns != 0 ||
      static_cast<int64_t>(copy.getSlotColumn() + copy.getColumns()) > slot.getColumns())
    return copy->emitOpError() << "columns " << copy.getSlotColumn() << " to "
                               << copy.getSlotColumn() + copy.getColumns() << " do not lie in the slot's "
                               << slot.getColumns() << " columns, or do not start at a multiple of 64";
  if (copy.getView().getType().getElementType() != slot.getElementType())
    return copy->emitOpError() << "the view's elements are " << copy.getView().getType().getElementType()
                               << ", the slot's " << slot.getElementType();
  return success();
}

LogicalResult TmaLoadOp::verify() {
  return verifyCopy(*this);
}
LogicalResult AsyncLoadOp::verify() {
  if (int64_t rows = SlotCopy(*this).getSlotRows(); rows % LaneCopy::kBlockRows != 0)
    return emitOpError() << "is made " << LaneCopy::kBlockRows << " rows at a time, got " << rows << " rows";
  return verifyCopy(*this);
}

} // namespace lacuna::warp
