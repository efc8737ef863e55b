// attention_forward.tile and attention_packed.tile with patterns in place of lists: against float64, and bit for bit
// against the same kernel with lists that name the same blocks.
#include "AttentionCase.h"
#include "TestCase.h"

#include <deque>

namespace lacuna::numeric {

using namespace runtime;

namespace {

/// The mask of `window:LEFT:SINK`.
MaskHook windowMask(const char *name, int64_t left, int64_t sink) {
  return {name,
          fmt::format("j <= i + N - M && (i + N - M - j <= {} || j < {})", left, sink),
          {},
          [left, sink](const AttentionShape &shape, int64_t, int64_t, int64_t i, int64_t j) {
            const int64_t distance = i + shape.keys - shape.queries - j;
            return distance >= 0 && (distance <= left || j < sink);
          }};
}

/// Every mask that has a pattern: those of the hooks, and windows at the edges: smaller than a block, of one key, with
/// sinks that touch or pass the window, with more sinks than keys.
const std::deque<MaskHook> &masks() {
  static const std::deque<MaskHook> all = [] {
    std::deque<MaskHook> made;
    for (const MaskHook &mask : maskHooks())
      if (!patternOf(mask).empty())
        made.push_back(mask);
    for (const auto &[name, left, sink] :
         {std::tuple("window:3:0", 3, 0), std::tuple("window:0:0", 0, 0), std::tuple("window:5:70", 5, 70),
          std::tuple("window:90:40", 90, 40), std::tuple("window:20:100000", 20, 100000)})
      made.push_back(windowMask(name, left, sink));
    return made;
  }();
  return all;
}

/// Of packed tiles; divides every query block.
constexpr int64_t kPackedQueries = 32;

struct Blocks {
  int64_t queryBlock, keyBlock;
  AttentionTile tile;
};

/// Blocks that are tiles; that hold several rows of tiles and several steps; several of which fill a step.
constexpr Blocks kBlocks[] = {{64, 64, {64, 64}}, {128, 96, {64, 32}}, {128, 32, {128, 96}}, {192, 16, {64, 64}}};

/// Queries and keys: equal, odd, fewer and more queries than keys (rows that see nothing), one of either.
constexpr int64_t kLengths[][2] = {{128, 128}, {77, 301}, {300, 119}, {257, 255}, {1, 70}, {130, 1}, {200, 193}};

void addCases(std::vector<TestCase> &cases, const AttentionSpec &spec, SplitMix64 &random) {
  for (const auto &[queries, keys] : kLengths) {
    AttentionCase attention;
    attention.seed = random.next();
    attention.spec = spec;
    attention.shape = {2, 2, 1, queries, keys, spec.headDim, spec.valueDim};
    cases.push_back(
        {fmt::format("pattern/{} {}", cases.size(), attention.describe()), kernelOf(spec),
         [attention](Machine &machine, const JitKernel &kernel) { return runAttention(attention, machine, kernel); }});
  }
}

} // namespace

std::vector<TestCase> patternCases(uint64_t seed) {
  std::vector<TestCase> cases;
  SplitMix64 random(seed, /*stream=*/11);
  size_t number = 0;
  for (const MaskHook &mask : masks())
    for (size_t index = 0; index < 2; ++index, ++number) {
      const Blocks &blocks = kBlocks[number % std::size(kBlocks)];
      AttentionSpec spec{.dtype = number % 3 == 0 ? DType::F16 : DType::BF16,
                         .headDim = 16,
                         .valueDim = 24,
                         .queryBlock = blocks.queryBlock,
                         .keyBlock = blocks.keyBlock,
                         .tile = blocks.tile,
                         .mask = &mask,
                         .score = &scoreHooks()[number % 4],
                         .rows = patternOf(mask)};
      addCases(cases, spec, random);
      if (index > 0)
        continue;
      spec.packed = PackedTile{2, kPackedQueries, spec.tile.keys};
      spec.tile.queries = spec.packed->rows();
      addCases(cases, spec, random);
    }
  return cases;
}

} // namespace lacuna::numeric
