#include "lacuna/Compiler/Conversion/TileToCpu.h"

#include "CpuLowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lacuna {
#define GEN_PASS_DEF_TILETOCPU
#include "lacuna/Compiler/Conversion/TileToCpuPasses.h.inc"
} // namespace lacuna

using namespace mlir;

namespace {
struct TileToCpuPass : lacuna::impl::TileToCpuBase<TileToCpuPass> {
  using TileToCpuBase::TileToCpuBase;

  void runOnOperation() override {
    for (auto hook : getOperation().getOps<lacuna::tile::HookOp>()) {
      hook.emitOpError() << "is still there; run tile-inline-hooks before the CPU backend";
      return signalPassFailure();
    }
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<lacuna::tile::FuncOp>()))
      if (failed(lacuna::cpu::checkSupported(func)) || failed(lacuna::cpu::CpuLowering(func, wide).run()))
        return signalPassFailure();
  }
};
} // namespace
