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

BlockLists emptyLists(const AttentionCase &attention) {
  BlockLists lists;
  lists.queryBlock = attention.spec.queryBlock;
  lists.keyBlock = attention.spec.keyBlock;
  lists.rowBlocks = (attention.shape.queries + lists.queryBlock - 1) / lists.queryBlock;
  lists.keyBlocks = (attention.shape.keys + lists.keyBlock - 1) / lists.keyBlock;
  const bool ofBatch = attention.lists != ListKind::Shared && attention.lists != ListKind::PerHead;
  const bool ofHead = attention.lists != ListKind::Shared && attention.lists != ListKind::PerBatch;
  lists.batches = ofBatch ? attention.shape.batch : 1;
  lists.heads = ofHead ? attention.shape.heads : 1;
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
    const int64_t r = row % lists.rowBlocks, h = row / lists.rowBlocks % shape.heads;
    const int64_t b = row / lists.rowBlocks / shape.heads;
    std::vector<int32_t> full;
    for (int64_t c = 0; c < lists.keyBlocks; ++c) {
      bool any = false, all = true;
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
  return pattern->build(attention.shape, spec.queryBlock, spec.keyBlock, attention.seed);
}

} // namespace lacuna::numeric
