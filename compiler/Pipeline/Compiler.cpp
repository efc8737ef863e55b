#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "StageRunner.h"

#include "lacuna/Compiler/Pipeline/Seeing.h"

#include <optional>

namespace lacuna {

struct Compiler::State {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::optional<Expected<runtime::Knobs>> knobs; ///< nothing: not read yet
};

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
  auto result = StageRunner(*seen, state->context).run();
  if (result && !request.probe)
    showResult(*result, *knobs);
  return result;
}

} // namespace lacuna
