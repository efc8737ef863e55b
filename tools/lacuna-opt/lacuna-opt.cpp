// lacuna-opt: reads IR, runs the passes named on the command line, prints IR. The tool of every lowering test.
#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Dialect/Tile/Transforms/Passes.h"
#ifdef LACUNA_OPT_WarpTransforms
#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"
#endif
#ifdef LACUNA_OPT_TileToCpu
#include "lacuna/Compiler/Conversion/TileToCpu.h"
#endif
#ifdef LACUNA_OPT_TileToWarp
#include "lacuna/Compiler/Conversion/TileToWarp.h"
#endif
#ifdef LACUNA_OPT_WarpToLLVM
#include "lacuna/Compiler/Conversion/WarpToLLVM.h"
#endif

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();

  registry.insert<lacuna::tile::TileDialect>();
  lacuna::tile::registerTilePasses();
  lacuna::tile::registerTilePipelines();
#ifdef LACUNA_OPT_WarpTransforms
  registry.insert<lacuna::warp::WarpDialect>();
  lacuna::warp::registerWarpPasses();
#endif
#ifdef LACUNA_OPT_TileToCpu
  lacuna::registerTileToCpuPasses();
#endif
#ifdef LACUNA_OPT_TileToWarp
  lacuna::registerTileToWarpPasses();
#endif
#ifdef LACUNA_OPT_WarpToLLVM
  lacuna::registerWarpToLLVMPasses();
#endif
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Lacuna's IR tool\n", registry));
}
