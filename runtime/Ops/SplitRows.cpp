#include "lacuna/Runtime/SplitRows.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace lacuna::runtime {
namespace {

int64_t ceilDiv(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// What a part costs beside its steps, in steps: the first product and softmax and the last product and stores, which
/// nothing overlaps (docs/performance.md: 1 to 2 steps a row), and the wider store of a partial result.
constexpr int64_t kPartSteps = 2;
/// What the merge costs, in steps of about a microsecond: a second launch, and its reads, for each part.
constexpr double kMergeSteps = 4, kMergeStepsPerPart = 0.25;
/// Shorter rows are not cut; the use of the thread blocks that is good enough; how near to the best rate. That is 0.85
/// in FlashAttention-3, whose rate leaves the merge out; here it is counted.
constexpr int64_t kShortRow = 4;
constexpr double kGoodUse = 0.8, kNearBest = 0.95;

/// How `blocks` of one kind fall into steps: `blocks` a step, or several steps a block.
int64_t stepsFor(int64_t blocks, int64_t keyBlock, int64_t keysPerStep) {
  return keysPerStep > keyBlock ? ceilDiv(blocks, keysPerStep / keyBlock) : blocks * (keyBlock / keysPerStep);
}

/// When the last of `threadBlocks` is done, if each takes the longest program left as it becomes free. `lengths` of
/// equal programs, longest first.
int64_t finishTime(std::vector<int64_t> lengths, int64_t threadBlocks) {
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>> free;
  int64_t last = 0;
  for (int64_t length : lengths) {
    int64_t start = 0;
    if (static_cast<int64_t>(free.size()) == threadBlocks) {
      start = free.top();
      free.pop();
    }
    free.push(start + length);
    last = std::max(last, start + length);
  }
  return last;
}

} // namespace

double splitTime(std::span<const int64_t> steps, int64_t splits, int64_t threadBlocks) {
  const int64_t longest = steps.empty() ? 1 : std::max<int64_t>(1, std::ranges::max(steps));
  const int64_t most = ceilDiv(longest, splits);
  std::vector<int64_t> lengths;
  for (int64_t row : steps)
    for (int64_t part = 0, parts = ceilDiv(row, most); part < parts; ++part)
      lengths.push_back(row * (part + 1) / parts - row * part / parts + kPartSteps);
  const double time = static_cast<double>(finishTime(std::move(lengths), threadBlocks));
  return splits == 1 ? time : time + kMergeSteps + kMergeStepsPerPart * static_cast<double>(splits);
}

int64_t stepsOf(const BlockLists &lists, int64_t row, int64_t keysPerStep) {
  return stepsFor(static_cast<int64_t>(lists.partialBlocks(row).size()), lists.keyBlock, keysPerStep) +
         stepsFor(static_cast<int64_t>(lists.fullBlocks(row).size()), lists.keyBlock, keysPerStep);
}

std::vector<int64_t> programSteps(const BlockLists &lists, const AttentionShape &shape, AttentionTile tile,
                                  int64_t splits) {
  const int64_t perHead = ceilDiv(shape.queries, tile.queries);
  std::vector<int64_t> steps;
  steps.reserve(static_cast<size_t>(perHead * shape.heads * shape.batch * splits));
  for (int64_t part = 0; part < splits; ++part)
    for (int64_t b = 0; b < shape.batch; ++b)
      for (int64_t h = 0; h < shape.heads; ++h)
        for (int64_t i = 0; i < perHead; ++i) {
          const int64_t row = i * tile.queries / lists.queryBlock;
          steps.push_back(stepsOf(lists, lists.row(b, h, row * splits + part), tile.keys));
        }
  return steps;
}

int64_t chooseSplits(std::span<const int64_t> steps, int64_t threadBlocks, int64_t most) {
  int64_t longest = 0, total = 0;
  for (int64_t row : steps) {
    longest = std::max(longest, row);
    total += row;
  }
  threadBlocks = std::max<int64_t>(threadBlocks, 1);
  if (longest <= kShortRow)
    return 1;
  // Many rows, none of which stands out: without the cost of trying them.
  const double share = static_cast<double>(total) / static_cast<double>(threadBlocks);
  if (share >= 4 * static_cast<double>(longest) ||
      share >= kGoodUse * static_cast<double>(finishTime({steps.begin(), steps.end()}, threadBlocks)))
    return 1;
  std::vector<double> times;
  for (int64_t splits = 1; splits <= std::min(most, ceilDiv(longest, kShortRow)); ++splits)
    times.push_back(splitTime(steps, splits, threadBlocks));
  if (times.empty())
    return 1;
  const double best = *std::min_element(times.begin(), times.end());
  auto near = [&](double time) { return kNearBest * time <= best; };
  return 1 + (std::find_if(times.begin(), times.end(), near) - times.begin());
}

int64_t chooseMergeColumns(const AttentionShape &shape, int64_t threadBlocks) {
  constexpr int64_t kRows = 64, kPrograms = 4; // RM; of a thread block
  const int64_t tiles = shape.batch * shape.heads * ceilDiv(shape.queries, kRows);
  for (int64_t columns : {64, 32})
    if (tiles * ceilDiv(shape.valueDim, columns) >= kPrograms * threadBlocks)
      return columns;
  return 16;
}

BlockLists splitRows(const BlockLists &lists, int64_t splits, int64_t keysPerStep) {
  // What is not cut: a step, or a block where that is longer.
  const int64_t unit = std::max<int64_t>(1, keysPerStep / lists.keyBlock);
  const int64_t rows = lists.numLists() * lists.rowBlocks;
  auto partialUnits = [&](int64_t row) { return ceilDiv(lists.split[row] - lists.indptr[row], unit); };
  auto units = [&](int64_t row) { return partialUnits(row) + ceilDiv(lists.indptr[row + 1] - lists.split[row], unit); };
  int64_t longest = 1;
  for (int64_t row = 0; row < rows; ++row)
    longest = std::max(longest, units(row));
  const int64_t most = ceilDiv(longest, splits);

  BlockLists result = lists;
  result.rowBlocks = lists.rowBlocks * splits;
  result.indptr.assign(1, 0);
  result.split.clear();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t parts = ceilDiv(units(row), most);
    for (int64_t part = 0; part < splits; ++part) {
      int64_t end = lists.indptr[row + 1];
      if (part + 1 < parts) {
        const int64_t cut = units(row) * (part + 1) / parts, partial = partialUnits(row);
        end = cut < partial ? lists.indptr[row] + cut * unit : lists.split[row] + (cut - partial) * unit;
      }
      result.split.push_back(static_cast<int32_t>(std::clamp<int64_t>(lists.split[row], result.indptr.back(), end)));
      result.indptr.push_back(static_cast<int32_t>(end));
    }
  }
  return result;
}

} // namespace lacuna::runtime
