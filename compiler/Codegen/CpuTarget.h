// The CPU's TargetMachine, for the parts of the CPU backend.
#ifndef LACUNA_CODEGEN_CPUTARGET_H
#define LACUNA_CODEGEN_CPUTARGET_H

#include "lacuna/Compiler/Codegen/CpuJit.h"

#include "llvm/Target/TargetMachine.h"

namespace lacuna {

/// A machine for this process's architecture and operating system, tuned and limited as `target` says.
Expected<std::unique_ptr<llvm::TargetMachine>> createCpuMachine(const CpuTarget &target);

} // namespace lacuna

#endif // LACUNA_CODEGEN_CPUTARGET_H
