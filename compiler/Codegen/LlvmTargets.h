// LLVM's code generators, registered once for the process.
#ifndef LACUNA_CODEGEN_LLVMTARGETS_H
#define LACUNA_CODEGEN_LLVMTARGETS_H

namespace lacuna {

/// Registers the code generators for the host and for NVPTX with LLVM's registry, which has no lock of its own: all of
/// them at the first call, so that nobody reads it meanwhile. Thread safety: any thread.
/// Returns whether this build of LLVM has a code generator for the host.
bool initializeLlvmTargets();

} // namespace lacuna

#endif // LACUNA_CODEGEN_LLVMTARGETS_H
