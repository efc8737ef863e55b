// The dialect `warp`: who computes a tile, where its data lies, and when (docs/dialects/warp.md).
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Dialect/Warp/IR/Layouts.h"
#include "lacuna/Dialect/Warp/IR/Machine.h"

namespace lacuna::warp {
/// Barriers, rings and in-flight products: ops on it keep their order.
struct MachineResource : public mlir::SideEffects::Resource::Base<MachineResource> {
  llvm::StringRef getName() final { return "<Machine>"; }
};
using tile::parseBands;
using tile::printBands;
} // namespace lacuna::warp

#include "lacuna/Dialect/Warp/IR/WarpDialect.h.inc"
#include "lacuna/Dialect/Warp/IR/WarpEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpAttrs.h.inc"
#include "lacuna/Dialect/Warp/IR/WarpInterfaces.h.inc"
#define GET_OP_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpOps.h.inc"

namespace lacuna::warp {

/// On a function: the name of the machine that it is written for (Machine.h); sm_90a where it is absent.
inline constexpr llvm::StringLiteral kTargetAttr = "warp.target";
/// On a product: passes may run it beside the products of the step before (warp-overlap-dots).
inline constexpr llvm::StringLiteral kOverlapAttr = "warp.overlap";
/// On a role: its warpgroups take turns to issue products.
inline constexpr llvm::StringLiteral kTurnsAttr = "warp.turns";
/// On a function: masked steps stay in the loop of the others (warp-split-masked).
inline constexpr llvm::StringLiteral kNoSplitAttr = "warp.no_split";
/// On a function: programs of a thread block stay apart (warp-overlap-programs).
inline constexpr llvm::StringLiteral kSeparateProgramsAttr = "warp.separate_programs";
/// On a function: what the passes decided and why, as sentences for the compile report.
inline constexpr llvm::StringLiteral kDecisionsAttr = "warp.decisions";

/// Adds a sentence to `func`'s decisions.
void addDecision(FuncOp func, const llvm::Twine &sentence);

/// Turns (warp.turn_wait) use the named barriers from this one on, one a warpgroup.
inline constexpr int64_t kFirstTurnBarrier = 2;

/// Barriers of one warpgroup (warp.warpgroup_sync) use the named barriers from this one on, one a warpgroup.
inline constexpr int64_t kFirstWarpgroupBarrier = 8;
/// Axes of a tensor map.
inline constexpr int64_t kTensorMapRankLimit = 5;

/// The role that `op` runs in, or null in the preamble.
RoleOp getRole(mlir::Operation *op);

/// Whether the integer `value` is a multiple of `divisor`, a power of two, by the arithmetic that makes it: for
/// accesses of several elements at once. What this says of a store decides which alignment a launch demands of the
/// view.
bool isMultipleOf(mlir::Value value, int64_t divisor);

/// Where the positions of `list` end, by the op that made it.
mlir::Value limitOf(mlir::TypedValue<ListType> list);

/// Whether `list` has a step even where its row is empty, by the op that made it.
bool isNonempty(mlir::TypedValue<ListType> list);

/// Shared memory that a ring takes, in bytes: its slots and two mbarriers a slot.
int64_t ringBytes(RingType ring);

/// Registers a thread that stay free of tiles where products overlap: for addresses, row statistics and what ptxas
/// needs (docs/dialects/warp-rationale.md).
inline constexpr int64_t kRegistersBesideTiles = 24;

} // namespace lacuna::warp
