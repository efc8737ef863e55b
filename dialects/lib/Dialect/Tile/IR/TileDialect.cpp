#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "lacuna/Dialect/Tile/IR/TileDialect.cpp.inc"
#include "lacuna/Dialect/Tile/IR/TileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "lacuna/Dialect/Tile/IR/TileAttrs.cpp.inc"

namespace lacuna::tile {

void TileDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "lacuna/Dialect/Tile/IR/TileAttrs.cpp.inc"
      >();
}

void TileDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "lacuna/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
}

/// What a folder of ours returns is a number or a splat: `arith` makes the constant.
Operation *TileDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

} // namespace lacuna::tile
