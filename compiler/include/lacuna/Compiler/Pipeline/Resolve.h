// What a request asks for once defaults are filled in: what a compiled kernel depends on, found out without compiling.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna {

struct ResolvedRequest {
  std::string kernel;
  std::map<std::string, std::string> params; ///< all of them, those of the hook library too
  std::map<std::string, std::string> knobs;  ///< what the schedule leaves to the tuner beside params, as it was chosen
  std::set<std::string> positiveScalars;
};

/// Reads the text and checks the kernel; a request that passes reaches the dialects. Errors: as Compiler::compile's of
/// the text and its specialisation; Internal for a crash (LACUNA_RECOVER).
Expected<ResolvedRequest> resolveRequest(const CompileRequest &request);

/// What of this compiler the code of a target depends on, beside the compiler itself.
struct CodeGenerator {
  std::string hookLibrary; ///< the text of kernels_dsl/hooks.tile
  std::string llvm;        ///< its version
  std::string ptx;         ///< processor and PTX version, "sm_90a+ptx83"; empty for the CPU
};
CodeGenerator codeGeneratorOf(Target target);

} // namespace lacuna
