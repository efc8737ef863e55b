//===- BlockLists.h - Which blocks of the score matrix count ----*- C++ -*-===//
//
// The score matrix [queries, keys] of a head is cut into blocks of queryBlock x keyBlock. A list names, for each row of
// blocks, the blocks that count: first the partial ones, where the mask must be asked for each element, then the full
// ones. A block that no list names never touches the result. All lists lie in one CSR, in the order batch, head, row
// block:
//
//   row R = (b * heads + h) * rowBlocks + r      (b or h taken as 0 where batches or heads is 1)
//   indices[indptr[R] .. split[R])    partial blocks of R, ascending and unique
//   indices[split[R] .. indptr[R+1])  full blocks of R, ascending and unique
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_BLOCKLISTS_H
#define LACUNA_RUNTIME_BLOCKLISTS_H

#include "lacuna/Runtime/Arguments.h"
#include "lacuna/Runtime/AttentionShape.h"

#include <optional>
#include <span>
#include <vector>

namespace lacuna::runtime {

/// How many blocks a launch runs, each head of each batch counted.
struct BlockCounts {
  int64_t partial = 0, full = 0;
  double density = 0; ///< of all blocks
};

/// Block lists in host memory. Thread safety: a plain value.
struct BlockLists {
  int64_t batches = 1, heads = 1; ///< extents of the lists: the operator's, or 1 where shared
  int64_t rowBlocks = 0, keyBlocks = 0;
  int64_t queryBlock = 0, keyBlock = 0;
  std::vector<int32_t> indptr = {0}, split, indices;

  int64_t numLists() const { return batches * heads; }
  /// The CSR row of row block `r` of head `h` in batch `b`.
  int64_t row(int64_t b, int64_t h, int64_t r) const {
    return ((batches == 1 ? 0 : b) * heads + (heads == 1 ? 0 : h)) * rowBlocks + r;
  }
  std::span<const int32_t> partialBlocks(int64_t row) const;
  std::span<const int32_t> fullBlocks(int64_t row) const;

  /// A view of this host memory, for a CPU kernel.
  BlockListView view() const;

  /// Checks everything the top of this file says, and that the extents fit `shape`. Errors: InvalidArgument, naming the
  /// list, the row and the entry.
  Expected<void> check(const AttentionShape &shape) const;

  /// Counts the blocks as a launch of `shape` runs them. The lists must pass check().
  BlockCounts count(const AttentionShape &shape) const;

  /// The same blocks with rows twice as high, where each row (but an odd last one) has the same partial and full blocks
  /// as the next: a kernel then reads a block of keys once for both. Nothing where a pair differs or rows would pass
  /// 1024. The lists must pass check().
  std::optional<BlockLists> withRowsPaired() const;

  /// One list for each `group` neighbouring heads, where theirs are equal: a kernel then may take these heads together.
  /// Lists that all heads share stay as they are. Nothing where two heads of a group differ. The lists must pass
  /// check(), and `group` divide the operator's heads.
  std::optional<BlockLists> withHeadsGrouped(int64_t group) const;

  /// Floating-point operations over the listed blocks, each counted whole.
  double executedFlops(const AttentionShape &shape) const;
};

/// Makes lists of a caller's CSR arrays; the number of lists (1, heads or batch * heads) follows from `split`.
/// Errors: InvalidArgument as BlockLists::check.
Expected<BlockLists> blockListsFromCsr(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock,
                                       std::vector<int32_t> indptr, std::vector<int32_t> split,
                                       std::vector<int32_t> indices);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_BLOCKLISTS_H
