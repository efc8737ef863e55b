#include "AttentionKernels.h"

#include <algorithm>
#include <numeric>

namespace lacuna::tools {

using namespace runtime;

namespace {

/// Steps of all programs on so many multiprocessors, in microseconds: neither faster than all of them busy all the time
/// nor than the longest program.
double microseconds(const std::vector<int64_t> &steps, int64_t multiprocessors, double stepUs, bool &oneRow) {
  const double total = static_cast<double>(std::accumulate(steps.begin(), steps.end(), int64_t(0)));
  const double longest = steps.empty() ? 0 : static_cast<double>(*std::max_element(steps.begin(), steps.end()));
  const double share = total / static_cast<double>(multiprocessors);
  oneRow = longest > share;
  return std::max(longest, share) * stepUs;
}

} // namespace

std::vector<std::pair<std::string, double>> AttentionKernels::stageMs() const {
  std::vector<std::pair<std::string, double>> sums;
  for (const CompiledAttention &kernel : code)
    for (const auto &[stage, milliseconds] : kernel.stageMs) {
      auto sum = std::find_if(sums.begin(), sums.end(), [&](const auto &each) { return each.first == stage; });
      if (sum == sums.end())
        sums.emplace_back(stage, milliseconds);
      else
        sum->second += milliseconds;
    }
  return sums;
}

std::optional<Prediction> AttentionKernels::predict(const AttentionPlan &plan, const BlockLists &lists,
                                                    int64_t multiprocessors) const {
  std::optional<Prediction> whole = code[0].predicted;
  if (!whole)
    return whole;
  bool oneRow = false;
  const std::vector<int64_t> steps =
      programSteps(split ? split->lists() : lists, plan.programShape(), plan.programTile(), splits());
  whole->microseconds = microseconds(steps, multiprocessors, whole->stepMicroseconds, oneRow);
  if (oneRow)
    whole->boundBy = "the longest row";
  return whole;
}

Expected<AttentionKernels> compileAttention(const AttentionPlan &plan, AttentionRequest request,
                                            AttentionBackend &backend, const BlockLists &lists) {
  AttentionKernels kernels;
  auto describe = [&] {
    kernels.params = request.params;
    kernels.params.insert(kernels.params.end(), request.choices.begin(), request.choices.end());
    kernels.hooks = request.hooks;
  };
  describe();
  auto compile = [&]() -> Expected<void> {
    Expected<CompiledAttention> compiled = backend.compile(request);
    if (!compiled)
      return takeError(compiled);
    kernels.code.push_back(std::move(*compiled));
    return {};
  };
  int64_t splits = plan.splits.value_or(1);
  if (splits == 1) {
    if (Expected<void> done = compile(); !done)
      return takeError(done);
    if (!plan.splits && request.device)
      splits = chooseSplits(programSteps(lists, plan.programShape(), plan.programTile()),
                            SplitMachine::of(&*request.device, kernels.code[0].metadata()).threadBlocks,
                            std::min(kMostSplits, kWorkspaceLimit / SplitPlan::bytesOfPart(plan.shape)));
    if (splits == 1)
      return kernels;
    kernels.code.clear();
  }
  std::erase_if(request.hooks, [](const auto &hook) { return hook.first == "rows"; });
  request.kernel = LibraryKernel::Parts;
  request.choices.clear();
  const PackedTile tile = plan.packed.value_or(PackedTile{1, plan.tile.queries, plan.tile.keys});
  request.params = attentionParams(plan.shape.headDim, plan.shape.valueDim, plan.dtype, plan.kernelQueryBlock(),
                                   plan.keyBlock, {tile.rows(), tile.keys});
  if (tile.heads > 1)
    request.params.insert(request.params.begin(), {"R", fmt::format("{}", tile.heads)});
  describe();
  if (Expected<void> done = compile(); !done)
    return takeError(done);
  const SplitMachine machine =
      SplitMachine::of(request.device ? &*request.device : nullptr, kernels.code[0].metadata());
  request.kernel = LibraryKernel::Merge;
  request.hooks.clear();
  request.params.emplace_back("RN", fmt::format("{}", chooseMergeColumns(plan.shape, machine.threadBlocks)));
  if (Expected<void> done = compile(); !done)
    return takeError(done);
  Expected<SplitPlan> split =
      SplitPlan::create(lists, plan.shape, {tile.queries, tile.keys}, splits, machine, tile.heads);
  if (!split)
    return takeError(split);
  kernels.split = std::move(*split);
  return kernels;
}

} // namespace lacuna::tools
