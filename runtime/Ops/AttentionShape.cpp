#include "lacuna/Runtime/AttentionShape.h"

#include "lacuna/Runtime/PackHeads.h"

#include <algorithm>
#include <utility>

namespace lacuna::runtime {
namespace {

constexpr int64_t kMaxExtent = (int64_t(1) << 31) - 4096; // as a launch allows (LaunchSignature.h)
constexpr int64_t kMaxElements = int64_t(1) << 48;
constexpr int64_t kMaxHeadDim = 256;

/// Shared memory of a tile: Q once, K and V in stages, rows padded to the 64 elements of a swizzle span.
int64_t sharedBytes(AttentionTile tile, int64_t headDim, int64_t valueDim, int64_t stages) {
  int64_t paddedHead = (headDim + 63) / 64 * 64, paddedValue = (valueDim + 63) / 64 * 64;
  return 2 * (tile.queries * paddedHead + stages * tile.keys * (paddedHead + paddedValue));
}

} // namespace

Expected<void> AttentionShape::check() const {
  const std::pair<const char *, int64_t> extents[] = {{"batch", batch},       {"heads", heads}, {"kv-heads", kvHeads},
                                                      {"queries", queries},   {"keys", keys},   {"head-dim", headDim},
                                                      {"value-dim", valueDim}};
  for (const auto &[name, extent] : extents)
    if (extent < 1 || extent > kMaxExtent)
      return makeError(ErrorCode::InvalidArgument, "{} is {}; give 1 to {}", name, extent, kMaxExtent);
  if (heads % kvHeads != 0)
    return makeError(ErrorCode::InvalidArgument,
                     "{} heads cannot share {} KV heads evenly; give a number of KV heads that divides the heads",
                     heads, kvHeads);
  const std::pair<const char *, int64_t> widths[] = {{"head-dim", headDim}, {"value-dim", valueDim}};
  for (const auto &[name, width] : widths)
    if (width % 8 != 0 || width > kMaxHeadDim)
      return makeError(ErrorCode::InvalidArgument, "{} is {}; give a multiple of 8 up to {}", name, width, kMaxHeadDim);
  int64_t rows = 0, elements = 0, lists = 0;
  if (__builtin_mul_overflow(batch, heads, &lists) || __builtin_mul_overflow(lists, std::max(queries, keys), &rows) ||
      __builtin_mul_overflow(rows, std::max(headDim, valueDim), &elements) || elements > kMaxElements)
    return makeError(ErrorCode::InvalidArgument,
                     "batch {} x heads {} x length {} x head-dim {} is more than 2^48 elements; make it smaller", batch,
                     heads, std::max(queries, keys), std::max(headDim, valueDim));
  return {};
}

Expected<void> checkListBlock(int64_t queryBlock, int64_t keyBlock) {
  for (int64_t block : {queryBlock, keyBlock})
    if (block < 16 || block > 1024 || block % 16 != 0)
      return makeError(ErrorCode::InvalidArgument,
                       "a list block of {}x{} was given; both must be multiples of 16 from 16 to "
                       "1024",
                       queryBlock, keyBlock);
  return {};
}

Expected<AttentionTile> chooseTile(int64_t headDim, int64_t valueDim, int64_t queryBlock, int64_t keyBlock,
                                   const TileLimits &limits) {
  if (Expected<void> done = checkListBlock(queryBlock, keyBlock); !done)
    return takeError(done);
  const int64_t width = std::max(headDim, valueDim);
  if (headDim < 1 || valueDim < 1 || width > kMaxHeadDim)
    return makeError(ErrorCode::InvalidArgument, "head dimensions {} and {} were given; both must be 1 to {}", headDim,
                     valueDim, kMaxHeadDim);
  AttentionTile tile;
  if (queryBlock % 128 == 0 && (width <= 128 || limits.tallWide))
    tile.queries = 128;
  else if (queryBlock % 192 == 0 && width <= 64)
    tile.queries = 192;
  else if (queryBlock % 64 == 0)
    tile.queries = 64;
  else
    return makeError(
        ErrorCode::InvalidArgument,
        "the list's query block is {}, and no kernel tile (64, 128 or 192 rows) divides it; give a multiple of 64",
        queryBlock);
  // One tile a block where the block itself is a good width; else the widest that divides it or holds whole blocks.
  const int64_t exact = width <= 128 ? 176 : 80;
  int64_t widest = width <= 64 ? limits.narrow : width <= 128 ? limits.middle : limits.wide;
  if (tile.queries == 192)
    widest = limits.tallest;
  if (keyBlock == exact && limits.exact)
    tile.keys = exact;
  for (int64_t keys = widest; tile.keys == 0; keys -= 16) // 16 always divides
    if (keyBlock % keys == 0 || keys % keyBlock == 0)
      tile.keys = keys;
  if (int64_t needed = sharedBytes(tile, headDim, valueDim, limits.stages); needed > limits.sharedBytes)
    return makeError(
        ErrorCode::ResourceExhausted,
        "a tile of {}x{} with head dimensions {} and {} needs {} bytes of shared memory, and {} are there; give "
        "a smaller list block",
        tile.queries, tile.keys, headDim, valueDim, needed, limits.sharedBytes);
  return tile;
}

std::optional<PackedTile> choosePackedTile(const AttentionShape &shape, int64_t queryBlock, AttentionTile tile,
                                           const TileLimits &limits) {
  const int64_t heads = shape.heads / shape.kvHeads;
  // What the tiles of one group of heads cost.
  auto cost = [&](PackedTile tile) {
    return static_cast<double>((shape.queries + tile.queries - 1) / tile.queries) * stepCost(tile.rows());
  };
  std::optional<PackedTile> best;
  for (int64_t rows : {192, 128, 64}) {
    const int64_t width = std::max(shape.headDim, shape.valueDim);
    const bool fits = rows == 64 || (rows == 128 && (width <= 128 || limits.tallWide)) ||
                      (rows == 192 && width <= 64 && tile.keys <= limits.tallest);
    if (!fits || rows % heads != 0 || queryBlock % (rows / heads) != 0)
      continue;
    if (const PackedTile packed{heads, rows / heads, tile.keys}; !best || cost(packed) < cost(*best))
      best = packed;
  }
  return best;
}

} // namespace lacuna::runtime
