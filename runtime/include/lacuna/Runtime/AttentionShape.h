//===- AttentionShape.h - The extents of an attention operator --*- C++ -*-===//

#ifndef LACUNA_RUNTIME_ATTENTIONSHAPE_H
#define LACUNA_RUNTIME_ATTENTIONSHAPE_H

#include "lacuna/Runtime/Error.h"

#include <cstdint>
#include <optional>

namespace lacuna::runtime {

/// q [batch, heads, queries, headDim], k [batch, kvHeads, keys, headDim], v [batch, kvHeads, keys, valueDim],
/// o [batch, heads, queries, valueDim], lse [batch, heads, queries]; query head h reads KV head h / (heads / kvHeads).
struct AttentionShape {
  int64_t batch = 1, heads = 1, kvHeads = 1;
  int64_t queries = 1, keys = 1;
  int64_t headDim = 64, valueDim = 64;

  /// Errors: InvalidArgument, by name: extents of at least 1 and below 2^31, heads % kvHeads == 0, head dimensions that
  /// are multiples of 8 up to 256, tensors below 2^48 elements.
  Expected<void> check() const;

  /// Floating-point operations of the two products over all queries and keys.
  double denseFlops() const {
    return 2.0 * static_cast<double>(headDim + valueDim) * static_cast<double>(batch) * static_cast<double>(heads) *
           static_cast<double>(queries) * static_cast<double>(keys);
  }
};

/// The tile of the attention kernel: `queries` rows (BM) by `keys` columns (BN).
struct AttentionTile {
  int64_t queries = 0, keys = 0;
  bool operator==(const AttentionTile &) const = default;
};

/// What the attention kernel's tiles must fit: shared memory, with `stages` stages of K and V, and registers, which say
/// how wide tiles may be.
struct TileLimits {
  int64_t sharedBytes, stages;
  int64_t narrow, middle, wide; ///< keys at most, for head dimensions up to 64, 128 and 256
  int64_t tallest;              ///< keys at most of a tile of 192 rows, for head dimensions up to 64
  bool tallWide;                ///< whether head dimensions above 128 have tiles of 128 rows
  bool exact;                   ///< whether a block of 176 keys (80 above 128 columns) is a tile, too
  bool operator==(const TileLimits &) const = default;
};

/// sm_90a: 227 KiB.
inline constexpr TileLimits kHopperTiles{227 * 1024, 2, 128, 128, 64, 128, true, true};
/// sm_80, on every GPU since Ampere: 99 KiB, and fewer registers a thread.
inline constexpr TileLimits kAmpereTiles{99 * 1024, 2, 128, 64, 32, 64, false, false};

/// The tile for lists of queryBlock x keyBlock: one that divides the list's block or, along keys, holds several, and
/// fits `limits`. Head dimensions above 128 take narrower tiles. Errors: InvalidArgument for blocks that are not
/// multiples of 16 from 16 to 1024, or a query block that no tile divides.
Expected<AttentionTile> chooseTile(int64_t headDim, int64_t valueDim, int64_t queryBlock, int64_t keyBlock,
                                   const TileLimits &limits = kHopperTiles);

/// A tile whose rows are those of several heads: `heads` (R) heads of a group by `queries` (L) rows, `keys` columns
/// (BN).
struct PackedTile {
  int64_t heads = 0, queries = 0, keys = 0;
  int64_t rows() const { return heads * queries; }
  bool operator==(const PackedTile &) const = default;
};

/// The packed tile whose programs cost least (stepCost, PackHeads.h), beside the tile that chooseTile gave for the same
/// lists and `limits`; of equal ones the largest. Nothing where no tile of 64 or 128 rows (or 192 for head dimensions
/// up to 64) has as many for each head, or their number does not divide the lists' query block.
std::optional<PackedTile> choosePackedTile(const AttentionShape &shape, int64_t queryBlock, AttentionTile tile,
                                           const TileLimits &limits = kHopperTiles);

/// Checks a list's block. Errors: as chooseTile.
Expected<void> checkListBlock(int64_t queryBlock, int64_t keyBlock);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_ATTENTIONSHAPE_H
