//===- CpuJit.h - From LLVM IR to code in memory ----------------*- C++ -*-===//
//
// The last stages of the CPU backend: llvm -> llvm.opt (optimizeForCpu), llvm.opt -> machine code in this process
// (CpuJit). The first ones, tile.opt -> llvm, are in lacuna/Compiler/Conversion/TileToCpu.h.
//
//   CpuTarget target = CpuTarget::host();
//   if (auto done = optimizeForCpu(*module, target); !done) ...
//   Expected<std::unique_ptr<CpuJit>> jit = CpuJit::create(*module, target);
//   Expected<runtime::CpuEntry> entry = (*jit)->entry("matmul");
//   // keep the CpuJit, e.g. as the `code` of runtime::CpuKernel::create, for as long as the entry may be called
//
//===----------------------------------------------------------------------===//
#ifndef LACUNA_COMPILER_CODEGEN_CPUJIT_H
#define LACUNA_COMPILER_CODEGEN_CPUJIT_H

#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/Error.h"

#include <memory>
#include <string>
#include <string_view>

namespace llvm {
class Module;
namespace orc {
class LLJIT;
}
} // namespace llvm

namespace lacuna {

/// A CPU to make code for, as LLVM names it.
struct CpuTarget {
  std::string cpu;      ///< "znver4", "x86-64-v3", …
  std::string features; ///< "+avx2,-avx512f,…", on top of what `cpu` has

  /// The CPU that this process runs on, with all that it can do.
  static CpuTarget host();

  /// Whether a register holds 16 float32: TileToCpuOptions::wide. Errors: as optimizeForCpu.
  Expected<bool> hasWideVectors() const;
};

/// Runs LLVM's O3 pipeline for `target` on `module`, and gives the module the target's data layout.
/// Errors: InvalidArgument for a CPU that LLVM does not know; CompileFailed for a module that breaks LLVM's rules.
Expected<void> optimizeForCpu(llvm::Module &module, const CpuTarget &target);

/// Machine code in this process. Owns the code: entries are valid while it lives.
/// Thread safety: all members are const; entries may run on any number of threads at once.
class CpuJit {
public:
  /// How long the parts of create() took, in milliseconds.
  struct Times {
    double emit = 0; ///< instruction selection to an object file in memory
    double link = 0; ///< relocation, memory protection, symbol look-up
  };

  /// Compiles an optimised module as it is (optimizeForCpu is the caller's, who may print what it gave).
  /// The code is executed by this process, so `target` must not ask for more than its CPU has.
  /// Errors: as optimizeForCpu; CompileFailed where the object cannot be emitted or linked.
  static Expected<std::unique_ptr<CpuJit>> create(llvm::Module &module, const CpuTarget &target);
  ~CpuJit();
  CpuJit(const CpuJit &) = delete;
  CpuJit &operator=(const CpuJit &) = delete;

  /// The kernel named `symbol`. Errors: NotFound.
  Expected<runtime::CpuEntry> entry(std::string_view symbol) const;

  const Times &times() const { return measured; }

private:
  CpuJit(std::unique_ptr<llvm::orc::LLJIT> jit, Times measured);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  Times measured;
};

} // namespace lacuna

#endif // LACUNA_COMPILER_CODEGEN_CPUJIT_H
