#include "lacuna/Runtime/BestTile.h"

#include <algorithm>
#include <iterator>

namespace lacuna::runtime {
namespace {

struct Row {
  int64_t width; ///< of the head dimensions, at most
  AttentionTile dense, causal, window;
};

/// docs/performance.md has the figures. Windows were not measured: the mask of one takes registers, and with the widest
/// tiles ptxas spills.
constexpr Row kTiles[] = {
    {64, {192, 128}, {192, 128}, {128, 128}},
    {128, {128, 176}, {128, 176}, {128, 128}},
    {256, {128, 80}, {128, 80}, {128, 64}},
};

} // namespace

AttentionTile bestAttentionTile(int64_t headDim, int64_t valueDim, const Pattern &pattern, const TileLimits &limits) {
  if (!pattern.isFormula())
    return {128, 128};
  const int64_t width = std::max(headDim, valueDim);
  if (limits != kHopperTiles)
    return {width <= 128 || limits.tallWide ? 128 : 64, width <= 64    ? limits.narrow
                                                        : width <= 128 ? limits.middle
                                                                       : limits.wide};
  const Row *row = std::find_if(std::begin(kTiles), std::prev(std::end(kTiles)),
                                [&](const Row &candidate) { return width <= candidate.width; });
  return pattern.kind == Pattern::Kind::Dense    ? row->dense
         : pattern.kind == Pattern::Kind::Causal ? row->causal
                                                 : row->window;
}

} // namespace lacuna::runtime
