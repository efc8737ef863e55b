// The table of specialisations and the cases drawn from them.
#include "AttentionCase.h"
#include "lacuna/Runtime/Pattern.h"

#include <array>
#include <cstdlib>

namespace lacuna::numeric {

using namespace runtime;

namespace {

struct Block {
  int64_t queries, keys;
};
/// Lists' blocks: below, equal to and above the tile, odd multiples of 16, and several query tiles a block.
constexpr Block kBlocks[] = {{128, 128}, {64, 64},  {128, 64},  {64, 16},   {128, 32}, {192, 48},
                             {256, 128}, {64, 256}, {128, 176}, {384, 192}, {64, 80},  {128, 96}};

/// The 16-bit types take turns, so that every feature meets both.
DType dtypeOf(size_t index) {
  return (index + index / 2) % 2 == 0 ? DType::BF16 : DType::F16;
}

AttentionSpec makeSpec(size_t index, int64_t headDim, int64_t valueDim, Block block, size_t mask, size_t score) {
  AttentionSpec spec;
  spec.dtype = dtypeOf(index);
  spec.headDim = headDim;
  spec.valueDim = valueDim;
  spec.queryBlock = block.queries;
  spec.keyBlock = block.keys;
  if (auto tile = chooseTile(headDim, valueDim, block.queries, block.keys, tileLimits()))
    spec.tile = *tile;
  spec.mask = &maskHooks()[mask % maskHooks().size()];
  spec.score = &scoreHooks()[score % scoreHooks().size()];
  spec.anySign = index % 5 == 2;
  return spec;
}

} // namespace

const TileLimits &tileLimits() {
  const char *target = std::getenv("LACUNA_TARGET");
  return target && std::string_view(target) == "sm_80" ? kAmpereTiles : kHopperTiles;
}

std::vector<AttentionSpec> attentionSpecs(uint64_t seed) {
  std::vector<AttentionSpec> specs;
  auto add = [&](int64_t headDim, int64_t valueDim, Block block, size_t mask, size_t score) {
    specs.push_back(makeSpec(specs.size(), headDim, valueDim, block, mask, score));
  };
  constexpr size_t kMasksOfPatterns = 3; // none, causal, window
  SplitMix64 random(seed, /*stream=*/1);
  // Every head dimension, with the patterns' masks.
  for (int64_t dim = 8; dim <= 256; dim += 8)
    add(dim, dim, kBlocks[static_cast<size_t>(dim / 8 + random.below(2)) % std::size(kBlocks)],
        static_cast<size_t>(dim / 8) % kMasksOfPatterns, 0);
  // Every block, at a usual head dimension.
  for (size_t block = 0; block < std::size(kBlocks); ++block)
    add(block % 2 ? 64 : 128, block % 2 ? 64 : 128, kBlocks[block], (block + 1) % kMasksOfPatterns, 0);
  // V of another width than K.
  constexpr std::array<Block, 6> kWidths = {{{64, 128}, {128, 40}, {192, 128}, {16, 256}, {256, 8}, {72, 88}}};
  for (size_t index = 0; index < kWidths.size(); ++index)
    add(kWidths[index].queries, kWidths[index].keys, kBlocks[index], index % kMasksOfPatterns, 0);
  // Every hook.
  for (size_t mask = kMasksOfPatterns; mask < maskHooks().size(); ++mask)
    add(mask % 2 ? 32 : 64, 64, kBlocks[mask % 4], mask, 0);
  for (size_t score = 1; score < scoreHooks().size(); ++score)
    add(score % 2 ? 64 : 128, 64, kBlocks[score % 3], score % 2, score);
  return specs;
}

std::vector<AttentionSpec> packedSpecs() {
  struct Row {
    PackedTile tile; // R, L, BN
    int64_t headDim, valueDim;
    Block block;
    size_t mask, score;
  };
  // Groups of 1 to 64 heads, one and two warpgroups (three for head dimension 64), several tiles a query block; hooks
  // that ask for the head and the query.
  const Row kRows[] = {
      {{2, 32, 64}, 64, 64, {64, 64}, 1, 0},     {{2, 64, 128}, 128, 128, {128, 128}, 2, 0},
      {{4, 16, 64}, 128, 128, {64, 64}, 2, 0},   {{4, 32, 64}, 64, 64, {128, 128}, 1, 2},
      {{8, 8, 64}, 256, 256, {128, 64}, 1, 0},   {{8, 16, 128}, 128, 128, {128, 128}, 1, 0},
      {{8, 8, 128}, 128, 128, {16, 128}, 0, 3},  {{8, 16, 64}, 256, 256, {64, 128}, 2, 0},
      {{16, 4, 128}, 64, 64, {16, 128}, 1, 2},   {{16, 8, 64}, 256, 256, {128, 64}, 0, 0},
      {{16, 4, 128}, 128, 128, {128, 32}, 8, 0}, {{3, 64, 64}, 64, 64, {192, 64}, 1, 4},
      {{6, 32, 48}, 64, 40, {96, 48}, 8, 3},     {{1, 64, 64}, 64, 64, {64, 64}, 1, 0},
      {{64, 1, 64}, 64, 64, {16, 64}, 1, 2},     {{4, 32, 80}, 72, 88, {64, 80}, 7, 4},
      {{2, 32, 64}, 40, 72, {96, 16}, 11, 3},    {{8, 16, 64}, 128, 64, {48, 64}, 9, 2},
  };
  std::vector<AttentionSpec> specs;
  for (const Row &row : kRows) {
    AttentionSpec &spec =
        specs.emplace_back(makeSpec(specs.size(), row.headDim, row.valueDim, row.block, row.mask, row.score));
    spec.tile = {row.tile.rows(), row.tile.keys};
    spec.packed = row.tile;
  }
  return specs;
}

namespace {

constexpr const char *kListNames[] = {"pattern", "random", "uneven", "shared", "per-head", "per-batch", "one", "empty"};
constexpr const char *kDataNames[] = {"normal", "extreme", "offset", "large", "equal", "rising"};
constexpr const char *kScaleNames[] = {"usual", "one", "tiny", "zero", "negative", "subnormal"};
constexpr const char *kStrideNames[] = {"contiguous", "gaps", "token-major"};

/// Lengths that are likely to break something: 1, around multiples of the tile, anything odd.
int64_t drawLength(SplitMix64 &random) {
  constexpr int64_t kEdges[] = {1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 192, 255, 256, 257, 320};
  if (random.below(3) == 0)
    return kEdges[random.below(std::size(kEdges))];
  return 1 + static_cast<int64_t>(random.below(330));
}

ScaleKind drawScale(SplitMix64 &random, bool anySign) {
  if (anySign && random.below(2) == 0) {
    constexpr ScaleKind kOthers[] = {ScaleKind::Negative, ScaleKind::Zero};
    return kOthers[random.below(2)];
  }
  constexpr ScaleKind kKinds[] = {ScaleKind::One, ScaleKind::Tiny, ScaleKind::Subnormal};
  return random.below(5) == 0 ? kKinds[random.below(std::size(kKinds))] : ScaleKind::Usual;
}

} // namespace

AttentionCase makeAttentionCase(const AttentionSpec &spec, uint64_t seed) {
  SplitMix64 random(seed, /*stream=*/2);
  AttentionCase result;
  result.seed = seed;
  result.spec = spec;
  AttentionShape &shape = result.shape;
  constexpr int64_t kGroups[][2] = {{1, 1}, {2, 1}, {4, 2}, {6, 2}, {3, 3}, {4, 1}, {2, 2}};
  const auto &heads = kGroups[random.below(std::size(kGroups))];
  shape.batch = 1 + static_cast<int64_t>(random.below(3) == 0);
  shape.heads = heads[0];
  shape.kvHeads = heads[1];
  shape.queries = drawLength(random);
  if (spec.packed) { // few queries, which is what packing is for
    constexpr int64_t kQueries[] = {1, 3, 17, 64, 100};
    shape.heads = shape.kvHeads * spec.packed->heads;
    shape.queries = kQueries[random.below(std::size(kQueries))];
  }
  shape.keys = random.below(3) == 0 ? shape.queries : drawLength(random);
  shape.headDim = spec.headDim;
  shape.valueDim = spec.valueDim;
  // The pattern's own lists half of the time; without a mask, random ones are a pattern too.
  if (random.below(2) == 0)
    result.lists = static_cast<ListKind>(2 + random.below(6));
  else if (spec.mask->body.empty() && random.below(2) == 0)
    result.lists = ListKind::Random;
  if (!spec.rows.empty()) // the pattern says what the lists would
    result.lists = ListKind::Pattern;
  result.data = random.below(2) == 0 ? DataKind::Normal : static_cast<DataKind>(random.below(std::size(kDataNames)));
  // A hook makes other scores of them, for which float32 itself may be too coarse.
  if (spec.score->score && (result.data == DataKind::Extreme || result.data == DataKind::Offset))
    result.data = DataKind::Normal;
  result.scale = drawScale(random, spec.anySign);
  result.strides = static_cast<StrideKind>(random.below(3));
  if (random.below(10) == 0)
    result.nanQueryRow = static_cast<int64_t>(random.below(static_cast<uint64_t>(shape.queries)));
  if (random.below(40) == 0)
    result.launches = 20;
  return result;
}

const char *listKindName(ListKind kind) {
  return kListNames[static_cast<int>(kind)];
}

std::string AttentionCase::describe() const {
  const std::string packed =
      spec.packed ? fmt::format(" R={} L={}", spec.packed->heads, spec.packed->queries) : std::string();
  std::string knobs;
  for (const auto &[name, value] : spec.knobs)
    knobs += fmt::format(" {}={}", name, value);
  return fmt::format(
      "{}{} D={} DV={} QB={} KB={} BM={} BN={}{} mask={} score={} B={} H={} G={} M={} N={} {}={} data={} "
      "scale={} strides={}{}{} seed={}",
      dtypeName(spec.dtype), packed, spec.headDim, spec.valueDim, spec.queryBlock, spec.keyBlock, spec.tile.queries,
      spec.tile.keys, knobs, spec.mask->name, spec.score->name, shape.batch, shape.heads, shape.kvHeads, shape.queries,
      shape.keys, spec.rows.empty() ? "lists" : "rows", spec.rows.empty() ? listKindName(lists) : spec.rows,
      kDataNames[static_cast<int>(data)], kScaleNames[static_cast<int>(scale)], kStrideNames[static_cast<int>(strides)],
      nanQueryRow >= 0 ? fmt::format(" nan-row={}", nanQueryRow) : "",
      launches > 1 ? fmt::format(" launches={}", launches) : "", seed);
}

std::map<std::string, std::string> paramsOf(const AttentionSpec &spec) {
  std::map<std::string, std::string> params = {{"T", std::string(dtypeName(spec.dtype))}};
  const std::pair<const char *, int64_t> numbers[] = {{"D", spec.headDim},       {"DV", spec.valueDim},
                                                      {"QB", spec.queryBlock},   {"KB", spec.keyBlock},
                                                      {"BM", spec.tile.queries}, {"BN", spec.tile.keys}};
  for (const auto &[name, value] : numbers)
    params[name] = fmt::format("{}", value);
  if (spec.packed) {
    params.erase("BM");
    params["R"] = fmt::format("{}", spec.packed->heads);
    params["L"] = fmt::format("{}", spec.packed->queries);
  }
  params.insert(spec.knobs.begin(), spec.knobs.end());
  params.insert(spec.mask->params.begin(), spec.mask->params.end());
  params.insert(spec.score->params.begin(), spec.score->params.end());
  return params;
}

std::map<std::string, std::string> hooksOf(const AttentionSpec &spec) {
  std::map<std::string, std::string> hooks;
  if (!spec.mask->body.empty())
    hooks["keep"] = spec.mask->body;
  if (!spec.score->body.empty())
    hooks["score"] = spec.score->body;
  if (!spec.rows.empty())
    hooks["rows"] = spec.rows;
  return hooks;
}

std::string patternOf(const MaskHook &mask) {
  const std::pair<const char *, const char *> library[] = {{"none", "dense"},
                                                           {"causal", "causal"},
                                                           {"library-causal", "causal"},
                                                           {"library-window", "sliding_window"},
                                                           {"library-symmetric", "symmetric_window"},
                                                           {"library-chunked", "chunked"}};
  for (const auto &[name, pattern] : library)
    if (std::string_view(mask.name) == name)
      return pattern;
  const Expected<Pattern> pattern = Pattern::parse(mask.name);
  return pattern ? pattern->rowsHook() : "";
}

} // namespace lacuna::numeric
