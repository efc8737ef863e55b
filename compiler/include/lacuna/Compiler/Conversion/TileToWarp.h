// tile-to-warp: from what a kernel computes to who computes it (docs/dialects/warp-rationale.md).
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace lacuna {

#define GEN_PASS_DECL
#include "lacuna/Compiler/Conversion/TileToWarpPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "lacuna/Compiler/Conversion/TileToWarpPasses.h.inc"

} // namespace lacuna
