#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "Reproducer.h"
#include "StageRunner.h"

#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Runtime/Trace.h"

#include <optional>

namespace lacuna {

struct Compiler::State {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::optional<Expected<runtime::Knobs>> knobs; ///< nothing: not read yet
};

/// Leaves a reproducer where the compiler is at fault.
void Compiler::reproduce(CompileRequest &request, Error &error, FailurePoint failure, const runtime::Knobs &knobs) {
  request.dumpDirectory.clear();
  // Which pass it was costs a second run, of what came before the code generators.
  if (failure.stage >= Stage::TileOpt && failure.stage <= Stage::Llvm) {
    StageRunner again(request, state->context);
    again.watchesPasses = true;
    if (!again.run() && again.failure().stage == failure.stage)
      failure = again.failure();
  }
  if (isCompilerFault(request, error, failure))
    writeReproducer(request, error, failure, knobs);
}

Compiler::Compiler() : state(std::make_unique<State>()) {
  registerPipelineDialects(state->context);
  // Diagnostics are for the author of the .tile text: its line and a caret, not the op that a pass was looking at.
  state->context.printOpOnDiagnostic(false);
}
Compiler::Compiler(const runtime::Knobs &knobs) : Compiler() {
  state->knobs = knobs;
}
Compiler::~Compiler() = default;
Compiler::Compiler(Compiler &&) noexcept = default;

Expected<CompileResult> Compiler::compile(const CompileRequest &request) {
  if (!state->knobs)
    state->knobs = runtime::Knobs::fromEnvironment();
  const Expected<runtime::Knobs> &knobs = *state->knobs;
  if (!knobs)
    return tl::unexpected(knobs.error());
  auto seen = withKnobs(request, *knobs);
  if (!seen)
    return takeError(seen);
  runtime::TraceSpan span(request.probe ? "analyze" : "compile", request.fileName);
  StageRunner runner(*seen, state->context);
  auto result = runner.run();
  if (result && !request.probe)
    showResult(*result, *knobs);
  if (!result && !request.probe)
    reproduce(*seen, result.error(), runner.failure(), *knobs);
  return result;
}

} // namespace lacuna
