// What warp ops read and write in global memory: views straight from registers, and block lists.
#include "lacuna/Dialect/Warp/IR/Warp.h"

using namespace mlir;

namespace lacuna::warp {

static LogicalResult verifySteps(Operation *op, ListType list) {
  int64_t keyBlock = list.getKeyBlock(), step = list.getStep();
  auto isLength = [](int64_t length) { return length > 0 && length % tile::kTileMultiple == 0; };
  if (isLength(keyBlock) && isLength(step) && (keyBlock % step == 0 || step % keyBlock == 0))
    return success();
  return op->emitOpError() << "blocks of " << keyBlock << " keys cannot be run in steps of " << step
                           << ": both are multiples of " << tile::kTileMultiple
                           << ", and one of the two divides the other";
}

LogicalResult ListOpenOp::verify() {
  ListType list = getList().getType();
  if (list.getKeyBlock() != getBlocks().getType().getKeyBlock())
    return emitOpError() << "opens a list of blocks of " << getBlocks().getType().getKeyBlock() << " keys as " << list;
  return verifySteps(*this, list);
}

LogicalResult ListBandsOp::verify() {
  return success(succeeded(tile::verifyBands(*this, getBounds())) &&
                 succeeded(verifySteps(*this, getList().getType())));
}

Value limitOf(TypedValue<ListType> list) {
  if (auto bands = list.getDefiningOp<ListBandsOp>())
    return bands.getLimit();
  return list.getDefiningOp<ListOpenOp>().getLimit();
}

/// Checks what `value`, a tile of the thread block or a scalar, and `sizes` say of each other. The rows of a tile are
/// dealt to the warpgroups, 64 each.
static LogicalResult verifyAccess(Operation *op, tile::ViewType view, ValueRange indices, ArrayRef<int64_t> sizes,
                                  Type value) {
  if (static_cast<int64_t>(indices.size()) != view.getRank() || static_cast<int64_t>(sizes.size()) != view.getRank())
    return op->emitOpError() << "needs one index and one size for each of the view's " << view.getRank()
                             << " axes, got " << indices.size() << " indices and " << sizes.size() << " sizes";
  auto tensor = dyn_cast<RankedTensorType>(value);
  if (Type element = tensor ? tensor.getElementType() : value; element != view.getElementType())
    return op->emitOpError() << "the view's elements are " << view.getElementType() << ", the value's " << element;
  SmallVector<int64_t> extents;
  llvm::copy_if(sizes, std::back_inserter(extents), [](int64_t size) { return size != 0; });
  if (!tensor || extents.empty()) {
    if (!tensor && extents.empty())
      return success();
    return op->emitOpError() << "accesses " << extents.size() << " axes of the view, but the value is " << value;
  }
  bool isColumn = isa_and_present<ColAttr>(tensor.getEncoding());
  if (extents.size() == 1)
    extents.insert(isColumn ? extents.begin() : extents.end(), 1);
  int64_t rows = extents[0], columns = extents.size() == 2 ? extents[1] : 0;
  if (columns != tensor.getDimSize(1) || rows <= 0 || (isColumn ? rows != 1 : rows % kWarpgroupRows != 0))
    return op->emitOpError() << "accesses sizes [" << sizes << "] of the view, which do not make " << value
                             << " for each "
                             << "warpgroup: the rows are a multiple of " << kWarpgroupRows
                             << " (1 for #warp.col), the columns are the value's";
  return success();
}

LogicalResult LoadGlobalOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices(), getSizes(), getResult().getType());
}

LogicalResult StoreGlobalOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices(), getSizes(), getValue().getType());
}

} // namespace lacuna::warp
