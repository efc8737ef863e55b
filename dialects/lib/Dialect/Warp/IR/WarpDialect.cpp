#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "lacuna/Dialect/Warp/IR/WarpDialect.cpp.inc"
#include "lacuna/Dialect/Warp/IR/WarpEnums.cpp.inc"
#include "lacuna/Dialect/Warp/IR/WarpInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpTypes.cpp.inc"

namespace lacuna::warp {

void WarpDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "lacuna/Dialect/Warp/IR/WarpAttrs.cpp.inc"
      >();
}

void WarpDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "lacuna/Dialect/Warp/IR/WarpTypes.cpp.inc"
      >();
}

void WarpDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "lacuna/Dialect/Warp/IR/WarpOps.cpp.inc"
      >();
}

/// What every tile in shared memory has: whole swizzle patterns, and elements that products and copies know.
static LogicalResult verifySharedTile(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t columns,
                                      Type elementType) {
  if (rows <= 0 || rows % 16 != 0 || rows > 256)
    return emitError() << "a shared tile's rows are a multiple of 16 up to 256, got " << rows;
  if (columns <= 0 || columns % 16 != 0)
    return emitError() << "a shared tile's columns are a multiple of 16, got " << columns;
  if (!elementType.isBF16() && !elementType.isF16())
    return emitError() << "a shared tile's elements are bf16 or f16, got " << elementType;
  return success();
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t depth, int64_t rows,
                               int64_t columns, Type elementType) {
  if (depth < 1 || depth > 8)
    return emitError() << "a ring has 1 to 8 slots, got " << depth;
  return verifySharedTile(emitError, rows, columns, elementType);
}

LogicalResult SmemType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t columns,
                               Type elementType) {
  if (rows <= 0 || rows % kWarpgroupRows != 0)
    return emitError() << "a shared tile that consumers write has 64 rows for each of them, got " << rows;
  return verifySharedTile(emitError, rows, columns, elementType);
}

} // namespace lacuna::warp
