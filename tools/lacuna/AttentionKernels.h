//===- AttentionKernels.h - Which kernels a run launches --------*- C++ -*-===//
//
// attention_forward or attention_packed, or, where rows are cut into parts, attention_parts and attention_merge. Parts
// are of rows of lists in memory: a pattern's are not cut.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_ATTENTIONKERNELS_H
#define LACUNA_TOOLS_ATTENTIONKERNELS_H

#include "AttentionBackend.h"
#include "AttentionOptions.h"

#include "lacuna/Runtime/SplitPlan.h"

namespace lacuna::tools {

struct AttentionKernels {
  std::vector<CompiledAttention> code;                            ///< one kernel, or the parts' and the merge's
  std::optional<runtime::SplitPlan> split;                        ///< with two
  std::vector<std::pair<std::string, std::string>> params, hooks; ///< of the first

  int64_t splits() const { return split ? split->splits() : 1; }
  /// The milliseconds of each stage, of all kernels together.
  std::vector<std::pair<std::string, double>> stageMs() const;
  /// How long a launch takes at least, in microseconds, and what bounds it: docs/performance.md, "What a report says".
  /// Nothing on a CPU.
  std::optional<Prediction> predict(const AttentionPlan &plan, const runtime::BlockLists &lists,
                                    int64_t multiprocessors) const;
};

/// Decides on the parts of --split and compiles. `request` is that of the plan, for the kernel without parts; `lists`
/// are what the kernels read. Errors: as the backend's and SplitPlan::create.
Expected<AttentionKernels> compileAttention(const AttentionPlan &plan, AttentionRequest request,
                                            AttentionBackend &backend, const runtime::BlockLists &lists);

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONKERNELS_H
