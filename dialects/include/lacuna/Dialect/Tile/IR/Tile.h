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

} // namespace lacuna::tile
