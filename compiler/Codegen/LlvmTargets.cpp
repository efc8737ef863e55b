#include "LlvmTargets.h"

#include "llvm/Support/TargetSelect.h"

namespace lacuna {

bool initializeLlvmTargets() {
  static const bool hasHost = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  }();
  return hasHost;
}

} // namespace lacuna
