// Block lists of the attention cases.
#include "AttentionCase.h"
#include "lacuna/Runtime/Pattern.h"

#include <algorithm>

namespace lacuna::numeric {

using namespace runtime;

namespace {

/// Rows of very different lengths: some empty, some complete, most in between; partial and full by chance.
void addUnevenRow(BlockLists &lists, SplitMix64 &random) {
  const uint64_t kind = random.below(5);
  const double density = kind == 0 ? 0 : kind == 1 ? 1 : random.uniform();
  std::vector<int32_t> full;
  for (int64_t block = 0; block < lists.keyBlocks; ++block) {
    if (random.uniform() >= density)
      continue;
    if (random.below(2) == 0)
      full.push_back(static_cast<int32_t>(block));
    else
      lists.indices.push_back(static_cast<int32_t>(block));
  }
  lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
  lists.indices.insert(lists.indices.end(), full.begin(), full.end());
  lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
}

/// Heads that have lists of their own: the heads, or the KV heads of a packed kernel.
int64_t listHeads(const AttentionCase &attention) {
  return attention.spec.packed ? attention.shape.kvHeads : attention.shape.heads;
}

BlockLists emptyLists(const AttentionCase &attention) {
  BlockLists lists;
  lists.queryBlock = attention.spec.queryBlock;
  lists.keyBlock = attention.spec.keyBlock;
  lists.rowBlocks = (attention.shape.queries + lists.queryBlock - 1) / lists.queryBlock;
  lists.keyBlocks = (attention.shape.keys + lists.keyBlock - 1) / lists.keyBlock;
  const bool ofBatch = attention.lists != ListKind::Shared && attention.lists != ListKind::PerHead;
  const bool ofHead = attention.lists != ListKind::Shared && attention.lists != ListKind::PerBatch;
  lists.batches = ofBatch ? attention.shape.batch : 1;
  lists.heads = ofHead ? listHeads(attention) : 1;
  return lists;
}

BlockLists unevenLists(const AttentionCase &attention, SplitMix64 &random) {
  BlockLists lists = emptyLists(attention);
  const int64_t rows = lists.numLists() * lists.rowBlocks;
  const int64_t chosen = static_cast<int64_t>(random.below(static_cast<uint64_t>(rows)));
  for (int64_t row = 0; row < rows; ++row) {
    if (attention.lists != ListKind::OneEntry && attention.lists != ListKind::Empty) {
      addUnevenRow(lists, random);
      continue;
    }
    const bool partial = random.below(2) == 0, has = attention.lists == ListKind::OneEntry && row == chosen;
    if (has)
      lists.indices.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(lists.keyBlocks))));
    lists.split.push_back(static_cast<int32_t>(lists.indices.size() - (has && !partial)));
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  }
  return lists;
}

/// The blocks that the mask needs, found by asking it for every element.
BlockLists listsOfMask(const AttentionCase &attention) {
  const AttentionShape &shape = attention.shape;
  AttentionCase shared = attention;
  shared.lists = ListKind::Uneven; // a mask may depend on batch and head
  BlockLists lists = emptyLists(shared);
  for (int64_t row = 0; row < lists.numLists() * lists.rowBlocks; ++row) {
    const int64_t r = row % lists.rowBlocks, list = row / lists.rowBlocks % lists.heads;
    const int64_t b = row / lists.rowBlocks / lists.heads, group = shape.heads / lists.heads;
    std::vector<int32_t> full;
    for (int64_t c = 0; c < lists.keyBlocks; ++c) {
      bool any = false, all = true;
      for (int64_t h = list * group; h < (list + 1) * group; ++h)
        for (int64_t i = r * lists.queryBlock; i < std::min(shape.queries, (r + 1) * lists.queryBlock); ++i)
          for (int64_t j = c * lists.keyBlock; j < std::min(shape.keys, (c + 1) * lists.keyBlock); ++j) {
            const bool keeps = attention.spec.mask->keeps(shape, b, h, i, j);
            any |= keeps;
            all &= keeps;
          }
      if (any)
        (all ? full : lists.indices).push_back(static_cast<int32_t>(c));
    }
    lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
    lists.indices.insert(lists.indices.end(), full.begin(), full.end());
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  }
  return lists;
}

} // namespace

Expected<BlockLists> makeLists(const AttentionCase &attention) {
  SplitMix64 random(attention.seed, /*stream=*/3);
  const AttentionSpec &spec = attention.spec;
  if (attention.lists != ListKind::Pattern && attention.lists != ListKind::Random)
    return unevenLists(attention, random);
  const std::string name = spec.mask->name;
  const bool builtIn = name == "none" || name == "causal" || name.starts_with("window");
  if (attention.lists == ListKind::Pattern && !builtIn)
    return listsOfMask(attention);
  auto pattern = Pattern::parse(attention.lists == ListKind::Random ? "random:0.4" : name == "none" ? "dense" : name);
  if (!pattern)
    return takeError(pattern);
  AttentionShape shape = attention.shape;
  shape.heads = listHeads(attention);
  return pattern->build(shape, spec.queryBlock, spec.keyBlock, attention.seed);
}

BlockLists listsOfHeads(const AttentionShape &shape, const BlockLists &lists) {
  if (lists.heads == 1 || lists.heads == shape.heads)
    return lists;
  BlockLists result = lists;
  result.heads = shape.heads;
  result.indptr = {0};
  result.split.clear();
  result.indices.clear();
  const int64_t group = shape.heads / lists.heads;
  for (int64_t b = 0; b < lists.batches; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t r = 0; r < lists.rowBlocks; ++r) {
        const int64_t row = lists.row(b, h / group, r);
        const auto partial = lists.partialBlocks(row), full = lists.fullBlocks(row);
        result.indices.insert(result.indices.end(), partial.begin(), partial.end());
        result.split.push_back(static_cast<int32_t>(result.indices.size()));
        result.indices.insert(result.indices.end(), full.begin(), full.end());
        result.indptr.push_back(static_cast<int32_t>(result.indices.size()));
      }
  return result;
}

} // namespace lacuna::numeric
