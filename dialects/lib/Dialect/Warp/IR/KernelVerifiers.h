// The checks of a whole kernel, one file each: what a warp.func refuses beyond what its ops refuse one by one. And what
// verifiers of single ops share.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"

namespace lacuna::warp {

/// Whether `op`, where it stands in a role, stands in one of this kind; `what` it is, for the message.
mlir::LogicalResult requireRole(mlir::Operation *op, RoleKind kind, llvm::StringRef what);

/// WarpMachine.cpp: the kernel's machine exists and has what its ops need.
mlir::LogicalResult verifyMachine(FuncOp func);
/// WarpRings.cpp: both sides of a ring run as often, and slots are handed back on every path.
mlir::LogicalResult verifyRings(FuncOp func);
/// WarpProducts.cpp: what may happen while a wgmma is in flight.
mlir::LogicalResult verifyProducts(RoleOp role);
/// WarpBarriers.cpp: named barriers and turns.
mlir::LogicalResult verifyBarriers(FuncOp func);
/// WarpSharedTiles.cpp: shared tiles that consumers write are visible to who reads them, and not written meanwhile.
mlir::LogicalResult verifySharedTiles(FuncOp func);
/// WarpRegisters.cpp: every tile in registers has a layout, and keeps it.
mlir::LogicalResult verifyTiles(RoleOp role);

} // namespace lacuna::warp
