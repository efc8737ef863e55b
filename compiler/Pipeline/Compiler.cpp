#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "CrashRecovery.h"
#include "Reproducer.h"
#include "StageRunner.h"

#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Runtime/Trace.h"

#include <optional>

namespace lacuna {

/// Diagnostics are for the author of the .tile text: its line and a caret, not the op that a pass was looking at.
static std::unique_ptr<mlir::MLIRContext> makeContext() {
  auto context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  registerPipelineDialects(*context);
  context->printOpOnDiagnostic(false);
  return context;
}

struct Compiler::State {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  std::optional<Expected<runtime::Knobs>> knobs; ///< nothing: not read yet
};

/// The stages run once.
struct Compiler::Attempt {
  Expected<CompileResult> result;
  FailurePoint failure;             ///< where, if it failed
  std::optional<std::string> crash; ///< how, if it did not end at all
};

Compiler::Attempt Compiler::attempt(const CompileRequest &request, bool watched) {
  auto runner = std::make_unique<StageRunner>(request, *state->context);
  runner->watchesPasses = watched;
  std::optional<Expected<CompileResult>> result;
  auto crash = runRecovered([&] { result = runner->run(); });
  FailurePoint failure = runner->failure();
  if (!crash)
    return {std::move(*result), std::move(failure), std::nullopt};
  // What the crash has left is in no state to be destroyed.
  (void)runner.release();
  (void)state->context.release();
  state->context = makeContext();
  Error error = crashError(request, failure, *crash);
  return {tl::unexpected(std::move(error)), std::move(failure), std::move(crash)};
}

/// Leaves a reproducer where the compiler is at fault.
void Compiler::explain(CompileRequest &request, Attempt &failed) {
  request.dumpDirectory.clear();
  const Stage stage = failed.failure.stage;
  // Which pass it was, and what a code generator that crashes was given, costs a second run.
  if (failed.crash || (stage >= Stage::TileOpt && stage <= Stage::Llvm))
    if (Attempt again = attempt(request, /*watched=*/true); !again.result && again.failure.stage == stage)
      failed.failure = std::move(again.failure);
  if (failed.crash)
    failed.result = tl::unexpected(crashError(request, failed.failure, *failed.crash));
  if (isCompilerFault(request, failed.result.error(), failed.failure))
    writeReproducer(request, failed.result.error(), failed.failure, **state->knobs);
}

Compiler::Compiler() : state(std::make_unique<State>()) {}
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
  runtime::TraceSpan span(request.probe ? "analyze" : "compile", spanDetail(request));
  Attempt attempted = attempt(*seen, /*watched=*/false);
  if (request.probe)
    return std::move(attempted.result);
  if (attempted.result)
    showResult(*attempted.result, *knobs);
  else
    explain(*seen, attempted);
  return std::move(attempted.result);
}

} // namespace lacuna
