#include "lacuna/Runtime/PackHeads.h"

#include <algorithm>
#include <numeric>

namespace lacuna::runtime {
namespace {

/// What packing has to bring: FlashAttention-3's bound for the share of filled rows.
constexpr double kWorthwhile = 0.9;

/// A way to run, weighed.
struct Weighed {
  int64_t programs, splits;
  double time, work; ///< in steps of 128 rows, of the launch and of all programs together
};

Weighed weigh(const ProgramSet &set, PackingMachine machine) {
  const int64_t splits = machine.splits.value_or(
      chooseSplits(set.steps, machine.multiprocessors, std::max<int64_t>(1, machine.mostSplits)));
  const double cost = stepCost(set.rows);
  const auto total = static_cast<double>(std::accumulate(set.steps.begin(), set.steps.end(), int64_t(0)));
  return {static_cast<int64_t>(set.steps.size()), splits, cost * splitTime(set.steps, splits, machine.multiprocessors),
          cost * total};
}

std::string describe(const Weighed &way) {
  return fmt::format("{} program{} in {} part{}, {:.0f} steps", way.programs, way.programs == 1 ? "" : "s", way.splits,
                     way.splits == 1 ? "" : "s", way.time);
}

/// The extents of an attention as its packed programs see them.
AttentionShape packedShape(const AttentionShape &shape, PackedTile tile) {
  AttentionShape programs = shape;
  programs.heads /= tile.heads;
  return programs;
}

PackingChoice noTile(const AttentionShape &shape) {
  const int64_t group = shape.heads / shape.kvHeads;
  return {{},
          group == 1 ? "each head has a KV head of its own"
                     : fmt::format("{} heads a KV head divide no tile into a divisor of the query block", group)};
}

std::optional<PackedTile> tileFor(const AttentionShape &shape, int64_t queryBlock, AttentionTile tile,
                                  const TileLimits &limits) {
  return shape.heads == shape.kvHeads ? std::nullopt : choosePackedTile(shape, queryBlock, tile, limits);
}

} // namespace

double stepCost(int64_t rows) {
  return std::max(0.75, static_cast<double>(rows) / 128);
}

std::vector<int64_t> programSteps(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock,
                                  const AttentionShape &shape, AttentionTile tile) {
  std::vector<int64_t> steps, ofHead;
  for (int64_t begin = 0; begin < shape.queries; begin += tile.queries)
    ofHead.push_back((pattern.rowLength(shape, queryBlock, keyBlock, begin / queryBlock) * keyBlock + tile.keys - 1) /
                     tile.keys);
  for (int64_t head = 0; head < shape.batch * shape.heads; ++head)
    steps.insert(steps.end(), ofHead.begin(), ofHead.end());
  return steps;
}

PackingChoice weighPacking(const ProgramSet &apart, const ProgramSet &packed, PackedTile tile, PackingMachine machine) {
  const Weighed alone = weigh(apart, machine), together = weigh(packed, machine);
  const bool pays = together.time < kWorthwhile * alone.time ||
                    (together.time <= alone.time && together.work < kWorthwhile * alone.work);
  std::string reason = fmt::format("{} heads a tile: {}; apart: {}", tile.heads, describe(together), describe(alone));
  return {pays ? std::optional(tile) : std::nullopt, std::move(reason)};
}

PackingChoice choosePacking(const BlockLists &lists, const std::optional<BlockLists> &grouped,
                            const AttentionShape &shape, AttentionTile tile, PackingMachine machine) {
  const std::optional<PackedTile> packed = tileFor(shape, lists.queryBlock, tile, machine.limits);
  if (!packed)
    return noTile(shape);
  if (!grouped)
    return {{}, "the heads of a KV head have lists of their own"};
  return weighPacking(
      {tile.queries, programSteps(lists, shape, tile)},
      {packed->rows(), programSteps(*grouped, packedShape(shape, *packed), {packed->queries, packed->keys})}, *packed,
      machine);
}

PackingChoice choosePacking(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock, const AttentionShape &shape,
                            AttentionTile tile, PackingMachine machine) {
  const std::optional<PackedTile> packed = tileFor(shape, queryBlock, tile, machine.limits);
  if (!packed)
    return noTile(shape);
  auto steps = [&](const AttentionShape &programs, AttentionTile each) {
    return programSteps(pattern, queryBlock, keyBlock, programs, each);
  };
  return weighPacking({tile.queries, steps(shape, tile)},
                      {packed->rows(), steps(packedShape(shape, *packed), {packed->queries, packed->keys})}, *packed,
                      machine);
}

} // namespace lacuna::runtime
