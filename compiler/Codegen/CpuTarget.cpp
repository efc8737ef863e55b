#include "CpuTarget.h"

#include "LlvmTargets.h"

#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

namespace lacuna {

CpuTarget CpuTarget::host() {
  llvm::SubtargetFeatures features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.first(), feature.second);
  return {llvm::sys::getHostCPUName().str(), features.getString()};
}

Expected<std::unique_ptr<llvm::TargetMachine>> createCpuMachine(const CpuTarget &target) {
  if (!initializeLlvmTargets())
    return makeError(ErrorCode::Unavailable, "this build of LLVM cannot make code for the machine that it runs on");
  const std::string triple = llvm::sys::getProcessTriple();
  std::string message;
  const llvm::Target *architecture = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!architecture)
    return makeError(ErrorCode::Unavailable, "no code generator for {}: {}", triple, message);
  std::unique_ptr<llvm::MCSubtargetInfo> known(architecture->createMCSubtargetInfo(triple, "", ""));
  if (!known->isCPUStringValid(target.cpu))
    return makeError(ErrorCode::InvalidArgument,
                     "LLVM knows no CPU named '{}' for {}; take CpuTarget::host(), or a name such as x86-64-v3",
                     target.cpu, triple);
  return std::unique_ptr<llvm::TargetMachine>(
      architecture->createTargetMachine(triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                        llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive, /*JIT=*/true));
}

Expected<bool> CpuTarget::hasWideVectors() const {
  auto machine = createCpuMachine(*this);
  if (!machine)
    return takeError(machine);
  return (*machine)->getTargetTriple().isX86() && (*machine)->getMCSubtargetInfo()->checkFeatures("+avx512f,+avx512bw");
}

Expected<void> optimizeForCpu(llvm::Module &module, const CpuTarget &target) {
  auto machine = createCpuMachine(target);
  if (!machine)
    return takeError(machine);
  module.setTargetTriple((*machine)->getTargetTriple().str());
  module.setDataLayout((*machine)->createDataLayout());
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(module, &stream))
    return makeError(ErrorCode::CompileFailed, "the LLVM module is not valid: {}", message);
  for (llvm::Function &function : module) {
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", target.features);
  }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine->get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
  return {};
}

} // namespace lacuna
