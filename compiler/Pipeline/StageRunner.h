// One compilation: runs the stages in order, and around each one times, overrides, keeps, dumps and stops.
#pragma once

#include "Reproducer.h"

#include "lacuna/Compiler/Codegen/NVPTX.h"
#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Compiler/Pipeline/Compiler.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>
#include <functional>

namespace lacuna {

/// Makes the dialects known that overridden stages may be read in.
void registerPipelineDialects(mlir::MLIRContext &context);

/// The GPU that PTX of `target` is written for.
GpuTarget gpuTargetOf(Target target);

/// Checks the kernel that a request asks for. Errors: as Compiler::compile.
Expected<std::shared_ptr<const frontend::CheckedKernel>> analyzeRequest(std::shared_ptr<const frontend::Module> tree,
                                                                        const CompileRequest &request);

class StageRunner {
public:
  StageRunner(const CompileRequest &request, mlir::MLIRContext &context)
      : request(request), context(context), gpu(gpuTargetOf(request.target)) {}
  Expected<CompileResult> run();

  /// After run() has failed or crashed: where. The pass that failed and what it was given are known to a runner that
  /// watches its passes, which prints the module before each one.
  const FailurePoint &failure() const { return failed; }
  bool watchesPasses = false;

private:
  /// One row of the table of stages: how the stage is made, printed, and read back from an edited text.
  struct Row {
    Stage stage;
    std::function<Expected<void>()> make;
    std::function<std::string()> print;
    std::function<Expected<void>(const std::string &)> read;
  };
  std::vector<Row> table();
  Expected<void> runRow(const Row &row);
  Expected<void> readOverride(const Row &row, const std::string &text);

  Expected<void> parseSource();
  Expected<void> generate();
  Expected<void> optimizeTile();
  /// Takes the launch metadata from the module as it is now.
  Expected<void> describe();
  /// Fills in what the compile report says of the kernel in `warp` IR.
  void analyze();
  Expected<void> splitRoles();
  Expected<void> optimizeWarp();
  Expected<void> lowerToLLVM();
  Expected<void> optimize();
  Expected<void> generatePtx();
  Expected<void> assemble();
  Expected<void> disassemble();
  Expected<void> finishCpu();

  Expected<void> runPasses(Stage stage, const std::function<void(mlir::OpPassManager &)> &build);
  Expected<void> readModule(Stage stage, const std::string &text);
  Expected<void> readLLVM(Stage stage, const std::string &text);
  std::string printModule();
  std::string printLLVM();
  /// Runs `work`; what IR diagnostics it emits become the error's message, with the source line and a caret.
  Expected<void> withDiagnostics(Stage stage, const std::function<mlir::LogicalResult()> &work);

  const CompileRequest &request;
  mlir::MLIRContext &context;
  CompileResult result;

  std::string source;
  std::shared_ptr<const frontend::Module> tree;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<llvm::LLVMContext> llvmContext;
  std::unique_ptr<llvm::Module> llvmModule;
  std::string ptx, sass;
  std::string suffix; ///< of the symbol
  FailurePoint failed;
  GpuTarget gpu;
};

} // namespace lacuna
