#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "StageRunner.h"

namespace lacuna {

struct Compiler::State {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

Compiler::Compiler() : state(std::make_unique<State>()) {
  registerPipelineDialects(state->context);
  // Diagnostics are for the author of the .tile text: its line and a caret, not the op that a pass was looking at.
  state->context.printOpOnDiagnostic(false);
}
Compiler::~Compiler() = default;
Compiler::Compiler(Compiler &&) noexcept = default;

Expected<CompileResult> Compiler::compile(const CompileRequest &request) {
  return StageRunner(request, state->context).run();
}

} // namespace lacuna
