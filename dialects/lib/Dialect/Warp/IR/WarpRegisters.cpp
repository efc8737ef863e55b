// Tiles in registers: which layouts a role's tensors may have, and that elementwise operations keep them.
#include "KernelVerifiers.h"

#include "mlir/IR/OpDefinition.h"

using namespace mlir;

namespace lacuna::warp {

/// Says what is wrong with a tile's layout, or nothing.
static std::string findFault(RankedTensorType type) {
  Attribute encoding = type.getEncoding();
  int64_t rows = type.getRank() == 2 ? type.getDimSize(0) : 0, columns = type.getRank() == 2 ? type.getDimSize(1) : 0;
  if (!isa_and_present<AccAttr, AFragAttr, RowAttr, ColAttr>(encoding))
    return "says not which thread holds what; give it a layout (#warp.acc, #warp.afrag, #warp.row or #warp.col)";
  if (isa<AccAttr>(encoding) && (rows != kWarpgroupRows || columns <= 0 || columns % 8 != 0))
    return "must be 64xN with N a multiple of 8 to be #warp.acc";
  if (isa<AFragAttr>(encoding) && (rows != kWarpgroupRows || columns <= 0 || columns % 16 != 0))
    return "must be 64xK with K a multiple of 16 to be #warp.afrag";
  if (isa<AFragAttr>(encoding) && !type.getElementType().isBF16() && !type.getElementType().isF16())
    return "must have bf16 or f16 elements to be #warp.afrag";
  if (isa<RowAttr>(encoding) && (rows != kWarpgroupRows || columns != 1))
    return "must be 64x1 to be #warp.row";
  if (isa<ColAttr>(encoding) && (rows != 1 || columns <= 0 || columns % 8 != 0))
    return "must be 1xN with N a multiple of 8 to be #warp.col";
  return "";
}

static LogicalResult verifyLayouts(Operation *op, ValueRange values) {
  for (Value value : values)
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      if (std::string fault = findFault(type); !fault.empty())
        return op->emitOpError() << "has a tile " << type << " that " << fault;
  return success();
}

/// Elementwise operations work register by register: all their tiles must lie alike. Scalars may stand beside.
static LogicalResult verifyElementwise(Operation *op) {
  RankedTensorType first;
  for (Type each :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()), llvm::to_vector(op->getResultTypes()))) {
    auto type = dyn_cast<RankedTensorType>(each);
    if (!type)
      continue;
    first = first ? first : type;
    if (type.getEncoding() != first.getEncoding() || type.getShape() != first.getShape())
      return op->emitOpError() << "is computed element by element, but mixes " << first << " and " << type
                               << "; bring them to one layout first (warp.broadcast)";
  }
  return success();
}

LogicalResult verifyTiles(RoleOp role) {
  WalkResult result = role.walk([&](Operation *op) {
    bool legal = succeeded(verifyLayouts(op, op->getResults()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        legal = legal && succeeded(verifyLayouts(op, block.getArguments()));
    if (legal && op->hasTrait<OpTrait::Elementwise>())
      legal = succeeded(verifyElementwise(op));
    return legal ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::warp
