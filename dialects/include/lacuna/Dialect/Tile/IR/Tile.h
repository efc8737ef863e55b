// The dialect `tile`: what a kernel computes (docs/dialects/tile.md).
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace lacuna::tile {

/// One band of key positions, ends exclusive: what any row of a block row sees, and what every row of it sees.
struct Band {
  mlir::Value someBegin, someEnd, allBegin, allEnd;
};

/// The most bands of one row: they are carried in registers.
inline constexpr size_t kMaxBands = 4;

/// The operands of `tile.bands` and of its kin in other dialects: four bounds a band.
llvm::SmallVector<Band> bandsOf(mlir::ValueRange bounds);
mlir::LogicalResult verifyBands(mlir::Operation *op, mlir::ValueRange bounds);
/// bands ::= band (`,` band)*   band ::= `(` value `to` value `all` value `to` value `)`
mlir::ParseResult parseBands(mlir::OpAsmParser &parser,
                             llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand> &bounds);
void printBands(mlir::OpAsmPrinter &printer, mlir::Operation *op, mlir::OperandRange bounds);

} // namespace lacuna::tile

#include "lacuna/Dialect/Tile/IR/TileDialect.h.inc"
#include "lacuna/Dialect/Tile/IR/TileEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "lacuna/Dialect/Tile/IR/TileTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "lacuna/Dialect/Tile/IR/TileAttrs.h.inc"
#define GET_OP_CLASSES
#include "lacuna/Dialect/Tile/IR/TileOps.h.inc"

namespace lacuna::tile {

/// Argument attributes of `tile.func`.
inline constexpr llvm::StringLiteral kNameAttr = "tile.name";
inline constexpr llvm::StringLiteral kOutputAttr = "tile.output";
inline constexpr llvm::StringLiteral kPositiveAttr = "tile.positive";

/// The largest multiple that a tile's extents are rounded up to; a wgmma k-step and an mma row.
inline constexpr int64_t kTileMultiple = 16;

/// Where the rows and the columns of a tile lie in a view, by axis. Two row axes count together, the inner one faster:
/// with `inner` positions on it, row r stands at position r / inner of the outer axis and r % inner of the inner one.
struct AccessAxes {
  llvm::SmallVector<int64_t, 2> rows; ///< outermost first
  std::optional<int64_t> column;

  /// Rows of the tile: the product over the row axes.
  int64_t countRows(llvm::ArrayRef<int64_t> sizes) const;
};
/// The sliced axes (those of a size above 0) make rows, but for the last one, which makes the columns, unless the value
/// has a single column and the axis more positions than that.
AccessAxes getAccessAxes(llvm::ArrayRef<int64_t> sizes, mlir::Type value);

} // namespace lacuna::tile
