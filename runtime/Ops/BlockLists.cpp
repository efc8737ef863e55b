#include "lacuna/Runtime/BlockLists.h"

#include <algorithm>

namespace lacuna::runtime {
namespace {

/// Where a CSR row is, for messages.
std::string place(const BlockLists &lists, int64_t row) {
  int64_t list = row / lists.rowBlocks;
  return fmt::format("row block {} of list {} (batch {}, head {})", row % lists.rowBlocks, list, list / lists.heads,
                     list % lists.heads);
}

Expected<void> checkPart(const BlockLists &lists, int64_t row, std::span<const int32_t> part, const char *name) {
  for (size_t at = 0; at < part.size(); ++at) {
    if (part[at] < 0 || part[at] >= lists.keyBlocks)
      return makeError(ErrorCode::InvalidArgument, "{} names the {} key block {}; 0 to {} are there", place(lists, row),
                       name, part[at], lists.keyBlocks - 1);
    if (at > 0 && part[at] <= part[at - 1])
      return makeError(ErrorCode::InvalidArgument,
                       "{} names the {} key block {} after {}; each part must be ascending without repeats, so sort it",
                       place(lists, row), name, part[at], part[at - 1]);
  }
  return {};
}

/// Both parts are ascending: a block in both would count twice.
Expected<void> checkDisjoint(const BlockLists &lists, int64_t row) {
  std::span<const int32_t> partial = lists.partialBlocks(row), full = lists.fullBlocks(row);
  for (size_t p = 0, f = 0; p < partial.size() && f < full.size();) {
    if (partial[p] == full[f])
      return makeError(ErrorCode::InvalidArgument, "{} names key block {} both as partial and as full; keep one",
                       place(lists, row), partial[p]);
    partial[p] < full[f] ? ++p : ++f;
  }
  return {};
}

} // namespace

std::span<const int32_t> BlockLists::partialBlocks(int64_t row) const {
  return {indices.data() + indptr[row], indices.data() + split[row]};
}

std::span<const int32_t> BlockLists::fullBlocks(int64_t row) const {
  return {indices.data() + split[row], indices.data() + indptr[row + 1]};
}

BlockListView BlockLists::view() const {
  return {indptr.data(), split.data(), indices.data(), batches, heads, rowBlocks, static_cast<int64_t>(indices.size())};
}

Expected<void> BlockLists::check(const AttentionShape &shape) const {
  if (Expected<void> done = checkListBlock(queryBlock, keyBlock); !done)
    return done;
  if ((batches != 1 && batches != shape.batch) || (heads != 1 && heads != shape.heads))
    return makeError(ErrorCode::InvalidArgument,
                     "there are {} x {} lists for batch {} and {} heads; each extent must be the "
                     "operator's or 1",
                     batches, heads, shape.batch, shape.heads);
  int64_t wantedRows = (shape.queries + queryBlock - 1) / queryBlock,
          wantedKeys = (shape.keys + keyBlock - 1) / keyBlock;
  if (rowBlocks != wantedRows || keyBlocks != wantedKeys)
    return makeError(ErrorCode::InvalidArgument,
                     "the lists cover {} x {} blocks of {}x{}, and {} queries and {} keys need {} x {}", rowBlocks,
                     keyBlocks, queryBlock, keyBlock, shape.queries, shape.keys, wantedRows, wantedKeys);
  int64_t rows = numLists() * rowBlocks, entries = static_cast<int64_t>(indices.size());
  if (static_cast<int64_t>(split.size()) != rows || static_cast<int64_t>(indptr.size()) != rows + 1)
    return makeError(ErrorCode::InvalidArgument,
                     "indptr has {} and split {} entries; {} lists of {} row blocks need {} and {}", indptr.size(),
                     split.size(), numLists(), rowBlocks, rows + 1, rows);
  if (indptr.front() != 0 || indptr.back() != entries)
    return makeError(ErrorCode::InvalidArgument,
                     "indptr goes from {} to {}; it must go from 0 to the {} entries of indices", indptr.front(),
                     indptr.back(), entries);
  for (int64_t row = 0; row < rows; ++row) {
    if (indptr[row] < 0 || indptr[row + 1] < indptr[row] || indptr[row + 1] > entries || split[row] < indptr[row] ||
        split[row] > indptr[row + 1])
      return makeError(
          ErrorCode::InvalidArgument,
          "{} spans entries {} to {} with split {} of {} entries; it must hold 0 <= indptr <= split <= next "
          "indptr",
          place(*this, row), indptr[row], indptr[row + 1], split[row], entries);
    if (Expected<void> done = checkPart(*this, row, partialBlocks(row), "partial"); !done)
      return done;
    if (Expected<void> done = checkPart(*this, row, fullBlocks(row), "full"); !done)
      return done;
    if (Expected<void> done = checkDisjoint(*this, row); !done)
      return done;
  }
  return {};
}

BlockCounts BlockLists::count(const AttentionShape &shape) const {
  BlockCounts counts;
  for (size_t row = 0; row < split.size(); ++row) {
    counts.partial += split[row] - indptr[row];
    counts.full += indptr[row + 1] - split[row];
  }
  int64_t heads = shape.batch * shape.heads, repeats = heads / numLists();
  counts.partial *= repeats;
  counts.full *= repeats;
  counts.density = static_cast<double>(counts.partial + counts.full) /
                   (static_cast<double>(heads) * static_cast<double>(rowBlocks) * static_cast<double>(keyBlocks));
  return counts;
}

/// Appends CSR row `row` of `from`.
static void appendRow(BlockLists &to, const BlockLists &from, int64_t row) {
  const std::span<const int32_t> partial = from.partialBlocks(row), full = from.fullBlocks(row);
  to.indices.insert(to.indices.end(), partial.begin(), partial.end());
  to.split.push_back(static_cast<int32_t>(to.indices.size()));
  to.indices.insert(to.indices.end(), full.begin(), full.end());
  to.indptr.push_back(static_cast<int32_t>(to.indices.size()));
}

/// Whether two CSR rows name the same blocks, the same of them partial.
static bool equalRows(const BlockLists &lists, int64_t a, int64_t b) {
  return std::ranges::equal(lists.partialBlocks(a), lists.partialBlocks(b)) &&
         std::ranges::equal(lists.fullBlocks(a), lists.fullBlocks(b));
}

std::optional<BlockLists> BlockLists::withRowsPaired() const {
  if (2 * queryBlock > 1024 || rowBlocks < 2)
    return std::nullopt;
  BlockLists paired;
  paired.batches = batches, paired.heads = heads;
  paired.rowBlocks = (rowBlocks + 1) / 2, paired.keyBlocks = keyBlocks;
  paired.queryBlock = 2 * queryBlock, paired.keyBlock = keyBlock;
  for (int64_t list = 0; list < numLists(); ++list)
    for (int64_t r = 0; r < rowBlocks; r += 2) {
      const int64_t first = list * rowBlocks + r;
      if (r + 1 < rowBlocks && !equalRows(*this, first, first + 1))
        return std::nullopt;
      appendRow(paired, *this, first);
    }
  return paired;
}

std::optional<BlockLists> BlockLists::withHeadsGrouped(int64_t group) const {
  if (heads == 1)
    return *this;
  BlockLists grouped;
  grouped.batches = batches, grouped.heads = heads / group;
  grouped.rowBlocks = rowBlocks, grouped.keyBlocks = keyBlocks;
  grouped.queryBlock = queryBlock, grouped.keyBlock = keyBlock;
  for (int64_t list = 0; list < numLists(); list += group)
    for (int64_t r = 0; r < rowBlocks; ++r) {
      const int64_t first = list * rowBlocks + r;
      for (int64_t other = 1; other < group; ++other)
        if (!equalRows(*this, first, first + other * rowBlocks))
          return std::nullopt;
      appendRow(grouped, *this, first);
    }
  return grouped;
}

double BlockLists::executedFlops(const AttentionShape &shape) const {
  BlockCounts counts = count(shape);
  return 2.0 * static_cast<double>(shape.headDim + shape.valueDim) * static_cast<double>(queryBlock * keyBlock) *
         static_cast<double>(counts.partial + counts.full);
}

Expected<BlockLists> blockListsFromCsr(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock,
                                       std::vector<int32_t> indptr, std::vector<int32_t> split,
                                       std::vector<int32_t> indices) {
  if (Expected<void> done = checkListBlock(queryBlock, keyBlock); !done)
    return takeError(done);
  BlockLists lists;
  lists.queryBlock = queryBlock;
  lists.keyBlock = keyBlock;
  lists.rowBlocks = (shape.queries + queryBlock - 1) / queryBlock;
  lists.keyBlocks = (shape.keys + keyBlock - 1) / keyBlock;
  int64_t rows = static_cast<int64_t>(split.size());
  if (rows == shape.batch * shape.heads * lists.rowBlocks) {
    lists.batches = shape.batch;
    lists.heads = shape.heads;
  } else if (rows == shape.heads * lists.rowBlocks) {
    lists.heads = shape.heads;
  } else if (rows != lists.rowBlocks) {
    return makeError(
        ErrorCode::InvalidArgument,
        "split has {} entries; with {} row blocks of {} queries it must have {} (one list), {} (one a head) or {} "
        "(one a batch and head)",
        rows, lists.rowBlocks, queryBlock, lists.rowBlocks, shape.heads * lists.rowBlocks,
        shape.batch * shape.heads * lists.rowBlocks);
  }
  lists.indptr = std::move(indptr);
  lists.split = std::move(split);
  lists.indices = std::move(indices);
  if (Expected<void> done = lists.check(shape); !done)
    return takeError(done);
  return lists;
}

} // namespace lacuna::runtime
