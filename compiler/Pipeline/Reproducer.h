// What a failure of the compiler leaves behind, so that whoever mends it can see it again.
//
//   <directory>/repro-<8 digits>/
//     command          a shell script: the call of `lacuna compile` that fails, and in its remarks how to run the
//     failing
//                      pass or assembler alone
//     error            what was said
//     kernel.tile      the text
//     before.mlir      the IR before the pass that failed; before.ll, before.ptx likewise
//     04-warp.mlir, …  stages that were overridden
//
// The directory is LACUNA_REPRODUCERS, or `reproducers` in the cache's; the last 16 are kept. A text at fault leaves
// nothing, and neither does a pass that refuses what it cannot do.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna {

/// Where a compilation failed.
struct FailurePoint {
  Stage stage = Stage::Source;
  std::string pass;           ///< as a pipeline for lacuna-opt; empty: no pass of MLIR
  std::string before;         ///< the IR that it was given, as text; empty: not known
  bool leftInvalidIr = false; ///< what the pass made breaks a rule of its dialect
};

/// The error of a compilation that crashed: how, as runRecovered says it.
Error crashError(const CompileRequest &request, const FailurePoint &point, std::string_view crash);

/// Whether a failure is the compiler's or a tool's, as against a mistake in the text or a refusal.
bool isCompilerFault(const CompileRequest &request, const Error &error, const FailurePoint &point);

/// Writes the reproducer and adds a note of it to `error`. Where none can be written, one warning says so; nothing
/// happens where LACUNA_REPRODUCERS is off, or is not set and there is no cache on disk. Thread and process safe.
void writeReproducer(const CompileRequest &request, Error &error, const FailurePoint &point,
                     const runtime::Knobs &knobs);

} // namespace lacuna
