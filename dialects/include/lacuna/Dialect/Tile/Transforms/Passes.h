// The passes of the dialect `tile` (docs/dialects/tile-passes.md) and the pipeline that runs them.
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/Pass/Pass.h"

namespace lacuna::tile {

#define GEN_PASS_DECL
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

/// The stage `tile` -> `tile.opt`: from what the front end writes to what the back ends read. Afterwards there is no
/// hook, map or call left, every reduction and contraction ignores positions past a view's end, and exp and log are
/// base 2. The operation that `passes` runs on must be a module.
void buildTilePipeline(mlir::OpPassManager &passes);

/// Makes `--tile-pipeline` known to a tool; `registerTilePasses` does the same for the single passes.
void registerTilePipelines();

} // namespace lacuna::tile
