// The passes lower-warp and thread-to-llvm.
#include "lacuna/Compiler/Conversion/WarpToLLVM.h"

#include "KernelLowering.h"
#include "MathPatterns.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

namespace lacuna {

#define GEN_PASS_DEF_LOWERWARP
#define GEN_PASS_DEF_THREADTOLLVM
#include "lacuna/Compiler/Conversion/WarpToLLVMPasses.h.inc"

namespace {

struct LowerWarpPass : impl::LowerWarpBase<LowerWarpPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    LowerWarpBase::getDependentDialects(registry);
    registry.insert<NVVM::NVVMDialect>();
  }
  void runOnOperation() override {
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<warp::FuncOp>()))
      if (failed(KernelLowering(func).run()))
        return signalPassFailure();
  }
};

struct ThreadToLLVMPass : impl::ThreadToLLVMBase<ThreadToLLVMPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    ThreadToLLVMBase::getDependentDialects(registry);
    registry.insert<NVVM::NVVMDialect, cf::ControlFlowDialect>();
  }
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LLVMTypeConverter converter(context);
    RewritePatternSet patterns(context);
    populateSCFToControlFlowConversionPatterns(patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateGpuMathPatterns(converter, patterns);
    LLVMConversionTarget target(*context);
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace lacuna
