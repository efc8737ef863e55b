#include "lacuna/Runtime/ProgramOrder.h"

#include <algorithm>
#include <numeric>

namespace lacuna::runtime {

/// `length`: how many blocks a program runs; with `splits` above 1 one without any is left out.
template <class Length>
static std::vector<int32_t> orderPrograms(const AttentionShape &shape, int64_t rows, int64_t cacheBytes,
                                          int64_t threadBlocks, int64_t splits, Length length) {
  const int64_t perHead = (shape.queries + rows - 1) / rows, group = shape.heads / shape.kvHeads;
  const int64_t headBytes = 2 * shape.keys * (shape.headDim + shape.valueDim);
  // Sections of about the same number of head groups: a short one at the end would leave thread blocks with nothing to
  // do.
  const int64_t groups = shape.batch * shape.kvHeads,
                most = std::max<int64_t>(1, cacheBytes / std::max<int64_t>(1, headBytes));
  const int64_t sections = (groups + most - 1) / most;
  const int64_t programs = perHead * shape.heads * shape.batch;
  auto sectionOf = [&](int32_t program) { return program % programs / (group * perHead) * sections / groups; };
  std::vector<int32_t> order(static_cast<size_t>(programs * splits));
  std::iota(order.begin(), order.end(), 0);
  if (splits > 1) { // the parts of a section lie apart
    std::erase_if(order, [&](int32_t program) { return length(program) == 0; });
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return sectionOf(a) < sectionOf(b); });
  }
  auto longer = [&](int32_t a, int32_t b) { return length(a) > length(b); };
  // A row that takes longer than a thread block's share of a section would be waited for at the end: those start first
  // of all.
  int64_t blocks = 0;
  for (int32_t program : order)
    blocks += length(program);
  const double share = static_cast<double>(blocks) / static_cast<double>(sections * threadBlocks);
  auto rest = std::stable_partition(order.begin(), order.end(),
                                    [&](int32_t program) { return static_cast<double>(length(program)) > share; });
  std::stable_sort(order.begin(), rest, longer);
  while (rest != order.end()) {
    const int64_t current = sectionOf(*rest);
    auto end = std::find_if(rest, order.end(), [&](int32_t program) { return sectionOf(program) != current; });
    std::stable_sort(rest, end, longer);
    rest = end;
  }
  return order;
}

std::vector<int32_t> longestFirst(const BlockLists &lists, const AttentionShape &shape, int64_t rows,
                                  int64_t cacheBytes, int64_t threadBlocks, int64_t splits) {
  const int64_t perHead = (shape.queries + rows - 1) / rows, programs = perHead * shape.heads * shape.batch;
  return orderPrograms(shape, rows, cacheBytes, threadBlocks, splits, [&](int32_t program) -> int64_t {
    int64_t list = program % programs / perHead, tile = program % perHead, part = program / programs;
    int64_t row = lists.row(list / shape.heads, list % shape.heads, tile * rows / lists.queryBlock * splits + part);
    return lists.indptr[row + 1] - lists.indptr[row];
  });
}

std::vector<int32_t> longestFirst(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock,
                                  const AttentionShape &shape, int64_t rows, int64_t cacheBytes, int64_t threadBlocks) {
  const int64_t perHead = (shape.queries + rows - 1) / rows;
  std::vector<int64_t> lengths; // of the programs of one head
  for (int64_t tile = 0; tile < perHead; ++tile)
    lengths.push_back(pattern.rowLength(shape, queryBlock, keyBlock, tile * rows / queryBlock));
  return orderPrograms(shape, rows, cacheBytes, threadBlocks, /*splits=*/1,
                       [&](int32_t program) { return lengths[static_cast<size_t>(program % perHead)]; });
}

} // namespace lacuna::runtime
