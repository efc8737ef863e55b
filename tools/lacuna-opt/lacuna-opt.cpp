// lacuna-opt: reads IR, runs the passes named on the command line, prints IR. The tool of every lowering test.
//
//     lacuna-opt kernel.mlir --tile-mask-tails          one pass
//     lacuna-opt kernel.mlir --tile-pipeline            the stage tile -> tile.opt
//     lacuna-opt kernel.mlir --mlir-print-ir-after-all  … and any other option of MLIR's own tool
#include "lacuna/Compiler/Conversion/TileToCpu.h"
#include "lacuna/Compiler/Conversion/TileToWarp.h"
#include "lacuna/Compiler/Conversion/WarpToLLVM.h"
#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Dialect/Tile/Transforms/Passes.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::NVVM::NVVMDialect, mlir::scf::SCFDialect,
                  lacuna::tile::TileDialect, lacuna::warp::WarpDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  lacuna::tile::registerTilePasses();
  lacuna::tile::registerTilePipelines();
  lacuna::warp::registerWarpPasses();
  lacuna::registerTileToCpuPasses();
  lacuna::registerTileToWarpPasses();
  lacuna::registerWarpToLLVMPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Lacuna's IR tool\n", registry));
}
