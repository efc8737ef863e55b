#include "PassWatch.h"

#include "lacuna/Runtime/Trace.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/Pass.h"

#include <vector>

namespace lacuna {

namespace {

class FailingPass : public mlir::PassInstrumentation {
public:
  explicit FailingPass(FailurePoint &point) : point(point) {}

  void runBeforePass(mlir::Pass *pass, mlir::Operation *op) override {
    if (pass->getArgument().empty()) // leads to the passes of a nested operation
      return;
    point.before.clear();
    llvm::raw_string_ostream text(point.before);
    auto module = llvm::dyn_cast<mlir::ModuleOp>(op);
    (module ? module : op->getParentOfType<mlir::ModuleOp>()).print(text);
    point.pass.clear();
    llvm::raw_string_ostream stream(point.pass);
    const bool nested = !llvm::isa<mlir::ModuleOp>(op);
    stream << "builtin.module(";
    if (nested)
      stream << op->getName() << '(';
    pass->printAsTextualPipeline(stream);
    stream << (nested ? "))" : ")");
  }

  void runAfterPass(mlir::Pass *pass, mlir::Operation *) override {
    if (pass->getArgument().empty())
      return;
    point.pass.clear();
    point.before.clear();
  }

  void runAfterPassFailed(mlir::Pass *pass, mlir::Operation *op) override {
    if (pass->getArgument().empty())
      return;
    mlir::ScopedDiagnosticHandler quiet(op->getContext(), [](mlir::Diagnostic &) {});
    point.leftInvalidIr = mlir::failed(mlir::verify(op));
  }

private:
  FailurePoint &point;
};

class TracedPasses : public mlir::PassInstrumentation {
public:
  void runBeforePass(mlir::Pass *pass, mlir::Operation *) override {
    spans.push_back(pass->getArgument().empty()
                        ? nullptr
                        : std::make_unique<runtime::TraceSpan>(std::string_view(pass->getArgument())));
  }
  void runAfterPass(mlir::Pass *, mlir::Operation *) override { spans.pop_back(); }
  void runAfterPassFailed(mlir::Pass *, mlir::Operation *) override { spans.pop_back(); }

private:
  std::vector<std::unique_ptr<runtime::TraceSpan>> spans;
};

} // namespace

std::unique_ptr<mlir::PassInstrumentation> watchForFailure(FailurePoint &point) {
  return std::make_unique<FailingPass>(point);
}

std::unique_ptr<mlir::PassInstrumentation> tracePasses() {
  return std::make_unique<TracedPasses>();
}

} // namespace lacuna
