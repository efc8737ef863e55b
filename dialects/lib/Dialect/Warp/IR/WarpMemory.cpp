// What warp ops read and write in global memory: views straight from registers, and block lists.
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lacuna::warp {

bool isMultipleOf(Value value, int64_t divisor) {
  if (auto constant = value.getDefiningOp<arith::ConstantIntOp>())
    return constant.value() % divisor == 0;
  if (auto product = value.getDefiningOp<arith::MulIOp>())
    return isMultipleOf(product.getLhs(), divisor) || isMultipleOf(product.getRhs(), divisor);
  if (auto sum = value.getDefiningOp<arith::AddIOp>())
    return isMultipleOf(sum.getLhs(), divisor) && isMultipleOf(sum.getRhs(), divisor);
  return false;
}

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

bool isNonempty(TypedValue<ListType> list) {
  if (auto bands = list.getDefiningOp<ListBandsOp>())
    return bands.getNonempty();
  return list.getDefiningOp<ListOpenOp>().getNonempty();
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
  tile::AccessAxes axes = tile::getAccessAxes(sizes, value);
  int64_t sliced = static_cast<int64_t>(axes.rows.size()) + axes.column.has_value();
  if (!tensor || sliced == 0) {
    if (!tensor && sliced == 0)
      return success();
    return op->emitOpError() << "accesses " << sliced << " axes of the view, but the value is " << value;
  }
  bool isColumn = isa_and_present<ColAttr>(tensor.getEncoding());
  bool negative = llvm::any_of(sizes, [](int64_t size) { return size < 0; });
  int64_t rows = axes.countRows(sizes), columns = axes.column ? sizes[*axes.column] : 1;
  if (axes.rows.size() > 2 || (axes.rows.size() == 2 && axes.rows[1] != axes.rows[0] + 1))
    return op->emitOpError() << "one axis of the view or two neighbouring ones make the rows, got sizes [" << sizes
                             << "]";
  constexpr int64_t kMostRows = 3 * kWarpgroupRows;
  bool fits = isColumn ? rows == 1 : rows % kWarpgroupRows == 0 && rows <= kMostRows;
  if (negative || !fits || columns != tensor.getDimSize(1))
    return op->emitOpError() << "accesses sizes [" << sizes << "] of the view, which do not make " << value
                             << " for each "
                             << "warpgroup: the rows are a multiple of " << kWarpgroupRows << " up to " << kMostRows
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
