#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "StageRunner.h"

namespace lacuna {

struct Compiler::State {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

Compiler::Compiler() : state(std::make_unique<State>()) { registerPipelineDialects(state->context); }
Compiler::~Compiler() = default;
Compiler::Compiler(Compiler &&) noexcept = default;

Expected<CompileResult> Compiler::compile(const CompileRequest &request) {
  return StageRunner(request, state->context).run();
}

} // namespace lacuna
