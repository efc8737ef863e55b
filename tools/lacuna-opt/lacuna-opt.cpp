// lacuna-opt: reads IR, runs the passes named on the command line, prints IR. The tool of every lowering test.
#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<lacuna::tile::TileDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
  lacuna::tile::registerTilePasses();
  lacuna::tile::registerTilePipelines();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Lacuna's IR tool\n", registry));
}
