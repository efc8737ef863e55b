#include "lacuna/Compiler/Codegen/NVPTX.h"

#include "LlvmTargets.h"
#include "LlvmTrace.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/StandardInstrumentations.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

namespace lacuna {

Expected<std::unique_ptr<llvm::Module>> translateToLLVM(mlir::ModuleOp module, llvm::LLVMContext &context) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
  module->getContext()->appendDialectRegistry(registry);
  std::unique_ptr<llvm::Module> result = mlir::translateModuleToLLVMIR(module, context);
  if (!result)
    return makeError(ErrorCode::Internal, "the LLVM dialect could not be translated to LLVM IR");
  for (llvm::Function &function : *result)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && call->isInlineAsm())
        call->setConvergent();
  return result;
}

static Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const GpuTarget &target) {
  initializeLlvmTargets();
  std::string message;
  const llvm::Target *llvmTarget = llvm::TargetRegistry::lookupTarget("nvptx64-nvidia-cuda", message);
  if (!llvmTarget)
    return makeError(ErrorCode::Internal, "LLVM has no NVPTX target: {}", message);
  return std::unique_ptr<llvm::TargetMachine>(
      llvmTarget->createTargetMachine("nvptx64-nvidia-cuda", target.processor, target.ptxFeature, llvm::TargetOptions(),
                                      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
}

// A kernel comes as scalars in SSA form, without memory of its own, calls or globals to look through: what is left is
// to fold and to share what the lowering of each operation wrote by itself. LLVM's default pipeline takes several times
// as long for the same machine code; what moves code out of loops, vectorises or unrolls costs registers, and ptxas
// hoists what it has room for.
static llvm::ModulePassManager cleanUpPasses() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(llvm::ADCEPass());
  llvm::ModulePassManager all;
  all.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
  return all;
}

Expected<void> optimizeForGpu(llvm::Module &module, const GpuTarget &target) {
  auto machine = createTargetMachine(target);
  if (!machine)
    return takeError(machine);
  module.setTargetTriple("nvptx64-nvidia-cuda");
  module.setDataLayout((*machine)->createDataLayout());
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  LlvmTrace trace("LLVM passes");
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::TimeProfilingPassesHandler profile;
  profile.registerCallbacks(callbacks);
  llvm::PassBuilder builder(machine->get(), llvm::PipelineTuningOptions(), std::nullopt, &callbacks);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  cleanUpPasses().run(module, modules);
  return {};
}

Expected<std::string> emitPtx(llvm::Module &module, const GpuTarget &target) {
  auto machine = createTargetMachine(target);
  if (!machine)
    return takeError(machine);
  module.setTargetTriple("nvptx64-nvidia-cuda");
  module.setDataLayout((*machine)->createDataLayout());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  // What the dialects became was verified when it was translated.
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile,
                                      /*DisableVerify=*/true))
    return makeError(ErrorCode::Internal, "LLVM cannot write PTX");
  LlvmTrace trace("LLVM code generation");
  passes.run(module);
  return std::string(text);
}

} // namespace lacuna
