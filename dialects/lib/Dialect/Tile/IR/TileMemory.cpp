// tile.load and tile.store: index and size checks, memory effects.
#include "lacuna/Dialect/Tile/IR/Tile.h"

using namespace mlir;

namespace lacuna::tile {

/// Checks `indices` and `sizes` against `view`, and the accessed value's type against both.
static LogicalResult verifyAccess(Operation *op, ViewType view, ValueRange indices, ArrayRef<int64_t> sizes,
                                  Type value) {
  if (static_cast<int64_t>(indices.size()) != view.getRank() || static_cast<int64_t>(sizes.size()) != view.getRank())
    return op->emitOpError() << "needs one index and one size for each of the view's " << view.getRank()
                             << " axes, got " << indices.size() << " indices and " << sizes.size() << " sizes";
  SmallVector<int64_t> extents;
  for (auto [axis, index, size] : llvm::enumerate(indices, sizes)) {
    if (size < 0 || (size > 1 && size % kTileMultiple != 0))
      return op->emitOpError() << "size of axis " << axis << " must be 0, 1 or a multiple of " << kTileMultiple
                               << ", got " << size;
    if (auto positions = dyn_cast<PositionsType>(index.getType()); positions && positions.getExtent() != size)
      return op->emitOpError() << "size of axis " << axis << " must be the " << positions.getExtent()
                               << " positions of its index, got " << size;
    if (size > 0)
      extents.push_back(size);
  }
  if (extents.empty()) {
    if (value != view.getElementType())
      return op->emitOpError() << "a single element of the view is " << view.getElementType() << ", got " << value;
    return success();
  }
  if (extents.size() > 2)
    return op->emitOpError() << "a tile has one or two sliced axes, got " << extents.size();
  if (extents.size() == 1)
    extents.push_back(1);
  auto expected = RankedTensorType::get(extents, view.getElementType());
  if (value != expected)
    return op->emitOpError() << "accesses " << expected << " of the view, but the value is " << value;
  return success();
}

LogicalResult LoadOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices(), getSizes(), getResult().getType());
}

void LoadOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getViewMutable());
}

LogicalResult StoreOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices(), getSizes(), getValue().getType());
}

void StoreOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), &getViewMutable());
}

} // namespace lacuna::tile
