// Kernels compiled to stage `warp.opt`, ready to be damaged and interpreted, and an attention problem to run them on.
#pragma once

#include "AttentionCase.h"
#include "GuardedTensor.h"

#include "lacuna/Compiler/Interpreter/Interpreter.h"
#include "lacuna/Compiler/Pipeline/Target.h"
#include "lacuna/Runtime/ThreadPool.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lacuna::interpreter_tests {

using Names = std::map<std::string, std::string>;

/// What kernels are compiled for: LACUNA_TEST_TARGET, or sm_90a. A test may set another for as long as it runs.
Target &testTarget();

/// A kernel as lower-warp gets it. Not verified again after changes.
struct WarpKernel {
  std::shared_ptr<mlir::MLIRContext> context;
  runtime::LaunchMetadata metadata;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// Compiles `file` of kernels_dsl for testTarget(); the kernel `name`, or the only one. Scalars are taken to be
  /// positive.
  static Expected<WarpKernel> compile(const std::string &file, Names params, Names hooks = {}, std::string name = {});
  warp::FuncOp func() { return *module->getOps<warp::FuncOp>().begin(); }
  /// The `index`th op of this kind, in the order of the text.
  template <class Op> Op find(size_t index = 0) {
    std::vector<Op> found = findAll<Op>();
    return index < found.size() ? found[index] : Op();
  }
  template <class Op> std::vector<Op> findAll() {
    std::vector<Op> found;
    module->walk([&](Op op) { found.push_back(op); });
    return found;
  }
};

/// Inputs, guarded outputs and lists of one attention case.
class AttentionRun {
public:
  /// Everything follows from the case's seed. K and V are NaN in blocks that no list names.
  explicit AttentionRun(const numeric::AttentionCase &attention);

  /// Runs `kernel` on poisoned outputs. Errors: as interpretWarp; Internal for a write outside an output.
  Expected<InterpreterReport> interpret(WarpKernel &kernel, const InterpreterOptions &options);
  /// What is wrong with the outputs, by the bounds of checkAttention; empty: nothing.
  std::vector<std::string> check();
  /// The outputs' memory.
  std::vector<unsigned char> bits() const;

private:
  numeric::AttentionCase attention;
  runtime::HostTensor q, k, v;
  runtime::BlockLists lists, listsOfHeads; // the kernel's, and for the reference
  numeric::GuardedTensor placedQ, placedK, placedV, o, lse;
  float scale;
};

/// The params and hooks that a case compiles attention_forward.tile or attention_packed.tile for, and knobs of the
/// schedule.
Expected<WarpKernel> compileAttention(const numeric::AttentionSpec &spec, const Names &knobs = {});

/// A case of that shape and those lists, with hooks by name.
struct CaseOptions {
  runtime::DType dtype = runtime::DType::BF16;
  // NOLINTBEGIN(readability-identifier-naming): the kernel's own names.
  int64_t D = 64, DV = 0, BM = 64, BN = 64, QB = 0, KB = 0; // 0: D, BM, BN
  int64_t batch = 1, heads = 1, kvHeads = 1, M = 100, N = 130;
  // NOLINTEND(readability-identifier-naming)
  const char *mask = "none", *score = "none";
  numeric::ListKind lists = numeric::ListKind::Pattern;
  bool synthesised = false; ///< the mask's pattern in place of the lists
  bool steep = false;       ///< scale 1: scores so far apart that the running maximum moves throughout
  uint64_t seed = 1;
  bool packed = false; // the packed kernel, tiles of BM / (heads / kvHeads) queries
};
numeric::AttentionCase makeCase(const CaseOptions &options);

/// For inputs and references.
runtime::ThreadPool &pool();

/// One of each schedule, and `seeds` random ones; persistent kernels run on one to three thread blocks.
std::vector<InterpreterOptions> schedules(uint64_t seeds);

/// The arguments of a launch on guarded tensors.
runtime::ArgumentValue input(const numeric::GuardedTensor &tensor);
runtime::ArgumentValue output(numeric::GuardedTensor &tensor);

} // namespace lacuna::interpreter_tests
