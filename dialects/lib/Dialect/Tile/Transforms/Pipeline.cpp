// The order of the passes between `tile` and `tile.opt`.
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace lacuna::tile {

void buildTilePipeline(OpPassManager &passes) {
  passes.addPass(createTileInlineHooks());
  passes.addPass(createCanonicalizerPass());
  passes.addNestedPass<FuncOp>(createTileVectorizeMaps());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // Equal values are one by now: the tails are recognised by the values that tell where a tile starts.
  passes.addNestedPass<FuncOp>(createTileMaskTails());
  // After the masks: the products that it moves must not be hidden behind one that comes later.
  passes.addNestedPass<FuncOp>(createTileExpToExp2());
  passes.addNestedPass<FuncOp>(createTileRowReciprocal());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void registerTilePipelines() {
  PassPipelineRegistration<>("tile-pipeline", "The stage tile -> tile.opt: all passes of the dialect, in order",
                             buildTilePipeline);
}

} // namespace lacuna::tile
