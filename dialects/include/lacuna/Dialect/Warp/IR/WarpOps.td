// All ops, by kind. A file for each; its verifiers and folders lie in dialects/lib/Dialect/Warp/IR under a like name.
#ifndef LACUNA_DIALECT_WARP_WARPOPS
#define LACUNA_DIALECT_WARP_WARPOPS

include "lacuna/Dialect/Warp/IR/WarpRoleOps.td"
include "lacuna/Dialect/Warp/IR/WarpListOps.td"
include "lacuna/Dialect/Warp/IR/WarpRingOps.td"
include "lacuna/Dialect/Warp/IR/WarpProductOps.td"
include "lacuna/Dialect/Warp/IR/WarpTileOps.td"
include "lacuna/Dialect/Warp/IR/WarpSharedTileOps.td"
include "lacuna/Dialect/Warp/IR/WarpBarrierOps.td"

#endif // LACUNA_DIALECT_WARP_WARPOPS
