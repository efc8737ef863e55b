// tile.load and tile.store: index and size checks, memory effects.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace lacuna::tile {

int64_t AccessAxes::countRows(ArrayRef<int64_t> sizes) const {
  uint64_t count = 1; // An unverified access may have any sizes.
  for (int64_t axis : rows)
    count = llvm::SaturatingMultiply(count, static_cast<uint64_t>(sizes[axis]));
  return static_cast<int64_t>(std::min<uint64_t>(count, std::numeric_limits<int64_t>::max()));
}

AccessAxes getAccessAxes(ArrayRef<int64_t> sizes, Type value) {
  AccessAxes axes;
  for (auto [axis, size] : llvm::enumerate(sizes))
    if (size > 0)
      axes.rows.push_back(axis);
  auto tile = dyn_cast<RankedTensorType>(value);
  if (!tile || axes.rows.empty() || (tile.getDimSize(1) == 1 && sizes[axes.rows.back()] != 1))
    return axes;
  axes.column = axes.rows.pop_back_val();
  return axes;
}

/// Checks the sizes of the two axes that make a tile's rows together.
static LogicalResult verifyJoinedRows(Operation *op, ValueRange indices, ArrayRef<int64_t> sizes,
                                      const AccessAxes &axes) {
  int64_t outer = axes.rows[0], inner = axes.rows[1];
  if (inner != outer + 1)
    return op->emitOpError() << "two axes that make a tile's rows are neighbours, got " << outer << " and " << inner;
  for (int64_t axis : axes.rows)
    if (isa<PositionsType>(indices[axis].getType()))
      return op->emitOpError() << "listed positions make rows alone, not together with another axis";
  int64_t rows = axes.countRows(sizes);
  if (rows != 1 && rows % kTileMultiple != 0)
    return op->emitOpError() << "axes " << outer << " and " << inner << " make " << sizes[outer] << " x "
                             << sizes[inner] << " rows; it must be 1 or a multiple of " << kTileMultiple;
  return success();
}

/// Checks `indices` and `sizes` against `view`, and the accessed value's type against both.
static LogicalResult verifyAccess(Operation *op, ViewType view, ValueRange indices, ArrayRef<int64_t> sizes,
                                  Type value) {
  if (static_cast<int64_t>(indices.size()) != view.getRank() || static_cast<int64_t>(sizes.size()) != view.getRank())
    return op->emitOpError() << "needs one index and one size for each of the view's " << view.getRank()
                             << " axes, got " << indices.size() << " indices and " << sizes.size() << " sizes";
  AccessAxes axes = getAccessAxes(sizes, value);
  bool joined = axes.rows.size() > 1;
  for (auto [axis, index, size] : llvm::enumerate(indices, sizes)) {
    bool isJoined = joined && llvm::is_contained(axes.rows, axis);
    if (size < 0 || (size > 1 && !isJoined && size % kTileMultiple != 0))
      return op->emitOpError() << "size of axis " << axis << " must be 0, 1 or a multiple of " << kTileMultiple
                               << ", got " << size;
    if (auto positions = dyn_cast<PositionsType>(index.getType()); positions && positions.getExtent() != size)
      return op->emitOpError() << "size of axis " << axis << " must be the " << positions.getExtent()
                               << " positions of its index, got " << size;
  }
  if (axes.rows.empty() && !axes.column) {
    if (value != view.getElementType())
      return op->emitOpError() << "a single element of the view is " << view.getElementType() << ", got " << value;
    return success();
  }
  if (axes.rows.size() > 2)
    return op->emitOpError() << "a tile has one or two sliced axes for its rows and one for its columns, got "
                             << axes.rows.size() + axes.column.has_value();
  if (joined && failed(verifyJoinedRows(op, indices, sizes, axes)))
    return failure();
  SmallVector<int64_t> extents = {axes.countRows(sizes), axes.column ? sizes[*axes.column] : 1};
  if (axes.rows.empty()) // One sliced axis is a column of rows.
    std::swap(extents[0], extents[1]);
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
