#include "lacuna/Autotune/Tuner.h"

#include "CaseRun.h"

#include <algorithm>
#include <numeric>

namespace lacuna::autotune {

RecordKey recordKey(const Variant &variant, const std::string &assembler) {
  return {variant.kernel.kernel, variant.kernel.hash, variant.machine.name, variant.machine.limitsText(),
          variant.machine.target == "cpu" ? "" : assembler};
}

/// What two cases of one variant have in common, and so analyse and compile once.
static std::string variantText(const Variant &variant) {
  return fmt::format("{}\n{}\n{}", variant.kernel.hash, settingsText(variant.fixed), variant.keep);
}

/// Shares of the budget: a case that is the first of its variant also compiles for the others.
static std::vector<int> weightsOf(const std::vector<TuneCase> &cases) {
  std::vector<int> weights;
  for (size_t index = 0; index < cases.size(); ++index)
    weights.push_back(index > 0 && variantText(cases[index].variant) == variantText(cases[index - 1].variant) ? 1 : 2);
  return weights;
}

/// What is left of a case, and what goes on with it.
static std::string endedEarly(const CaseResult &result, bool stopped) {
  std::string text =
      fmt::format("{} {}: {}; ", result.key.kernel, result.shape.text(), stopped ? "interrupted" : "the budget ended");
  if (result.notReached > 0)
    text += fmt::format("{} of {} points are left. ", result.notReached,
                        result.notReached + static_cast<int64_t>(result.points.size()));
  text += result.winnerIsEarlier
              ? fmt::format("The winner of an earlier run stays: {}", settingsText(result.winner->point))
          : result.winner ? "The best so far is kept"
                          : "Nothing was measured";
  if (result.notReached > 0)
    text += result.leftOver == 0 ? ". Those have an earlier run's records" : "; --resume goes on with them";
  return text;
}

Expected<std::vector<CaseResult>> Tuner::run(const std::vector<TuneCase> &cases) {
  progress.start(static_cast<int64_t>(cases.size()), options.budgetSeconds);
  TimePoint started = clock();
  TimePoint end =
      started + std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(options.budgetSeconds));
  std::vector<CaseResult> results;
  std::map<Point, Knowledge> known;
  const std::vector<int> weights = weightsOf(cases);
  for (size_t index = 0; index < cases.size(); ++index) {
    if (weights[index] > 1)
      known.clear();
    TimePoint now = clock();
    // A share of what is left, so that no case takes the others' time.
    int ahead = std::accumulate(weights.begin() + static_cast<ptrdiff_t>(index), weights.end(), 0);
    TimePoint deadline = now + std::max(end - now, TimePoint::duration(0)) * weights[index] / ahead;
    double share = 1.0 / static_cast<double>(cases.size());
    CaseRun work(*this, cases[index], known, started, deadline, end, share * static_cast<double>(index), share);
    Expected<CaseResult> result = work.run();
    if (!result)
      return takeError(result);
    const bool stopped = options.stopped && options.stopped();
    if (!result->failure.empty())
      progress.note(fmt::format("{} {}: {}", result->key.kernel, result->shape.text(), result->failure));
    else if (result->notReached > 0 || stopped)
      progress.note(endedEarly(*result, stopped));
    if (!result->comparison.empty())
      progress.note(fmt::format("{} {}: {}", result->key.kernel, result->shape.text(), result->comparison));
    results.push_back(std::move(*result));
    if (stopped)
      break;
  }
  progress.end();
  return results;
}

} // namespace lacuna::autotune
