#include "lacuna/Runtime/Pattern.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

AttentionShape shapeOf(int64_t queries, int64_t keys, int64_t batch = 1, int64_t heads = 1) {
  AttentionShape shape;
  shape.batch = batch;
  shape.heads = heads;
  shape.queries = queries;
  shape.keys = keys;
  return shape;
}

BlockLists build(const char *pattern, const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock,
                 uint64_t seed = 1) {
  Expected<Pattern> parsed = Pattern::parse(pattern);
  REQUIRE(parsed);
  Expected<BlockLists> lists = parsed->build(shape, queryBlock, keyBlock, seed);
  REQUIRE(lists);
  Expected<void> checked = lists->check(shape);
  REQUIRE_MESSAGE(checked, checked.error().message);
  return std::move(*lists);
}

/// Each block's class by asking every element.
void compareWithPredicate(const char *text, const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock) {
  CAPTURE(text);
  CAPTURE(shape.queries);
  CAPTURE(shape.keys);
  Pattern pattern = *Pattern::parse(text);
  BlockLists lists = build(text, shape, queryBlock, keyBlock);
  for (int64_t r = 0; r < lists.rowBlocks; ++r)
    for (int64_t c = 0; c < lists.keyBlocks; ++c) {
      int64_t seen = 0, all = 0;
      for (int64_t i = r * queryBlock; i < std::min(shape.queries, (r + 1) * queryBlock); ++i)
        for (int64_t j = c * keyBlock; j < std::min(shape.keys, (c + 1) * keyBlock); ++j, ++all)
          seen += pattern.keeps(shape, i, j);
      auto partial = lists.partialBlocks(r), full = lists.fullBlocks(r);
      bool isPartial = std::count(partial.begin(), partial.end(), c), isFull = std::count(full.begin(), full.end(), c);
      REQUIRE(isFull == (seen == all));
      REQUIRE(isPartial == (seen > 0 && seen < all));
    }
}

} // namespace

TEST_CASE("lists agree with the predicate, element by element") {
  const char *patterns[] = {"dense",        "causal",         "window:0",    "window:5",
                            "window:37",    "window:100",     "window:0:1",  "window:20:3",
                            "window:16:32", "window:200:500", "window:0:17", "window:2147483647:2147483647"};
  const std::pair<int64_t, int64_t> lengths[] = {{1, 1},     {1, 97},    {97, 1},   {64, 64},
                                                 {100, 130}, {130, 100}, {33, 200}, {200, 33}};
  for (const char *pattern : patterns)
    for (auto [queries, keys] : lengths) {
      compareWithPredicate(pattern, shapeOf(queries, keys), 16, 16);
      compareWithPredicate(pattern, shapeOf(queries, keys), 32, 16);
      compareWithPredicate(pattern, shapeOf(queries, keys), 16, 48);
    }
}

TEST_CASE("the predicates say what the patterns mean") {
  AttentionShape shape = shapeOf(4, 6); // query i is aligned with key i + 2
  Pattern window = *Pattern::parse("window:1:1");
  CHECK(window.keeps(shape, 0, 2));
  CHECK(window.keeps(shape, 0, 1));
  CHECK(window.keeps(shape, 0, 0));
  CHECK(window.keeps(shape, 3, 4));
  CHECK(!window.keeps(shape, 3, 3));
  CHECK(!window.keeps(shape, 0, 3));
  CHECK(window.keepHook() == "j <= i + N - M && (i + N - M - j <= 1 || j < 1)");
  CHECK(Pattern::parse("causal")->keepHook() == "j <= i + N - M");
  CHECK(Pattern::parse("dense")->keepHook().empty());
}

TEST_CASE("random: density, at least one block a row, own lists, reproducible") {
  AttentionShape shape = shapeOf(1000, 2000, 3, 4);
  BlockLists lists = build("random:0.3", shape, 16, 16);
  CHECK(lists.batches == 3);
  CHECK(lists.heads == 4);
  BlockCounts counts = lists.count(shape);
  CHECK(counts.partial == 0);
  CHECK(counts.density == doctest::Approx(0.3).epsilon(0.01));
  CHECK(build("random:0.3", shape, 16, 16).indices == lists.indices);
  CHECK(build("random:0.3", shape, 16, 16, 2).indices != lists.indices);
  auto first = lists.fullBlocks(0), second = lists.fullBlocks(lists.row(0, 1, 0));
  CHECK(!std::equal(first.begin(), first.end(), second.begin(), second.end()));

  BlockLists sparse = build("random:0.0001", shape, 16, 16);
  for (size_t row = 0; row < sparse.split.size(); ++row)
    REQUIRE(sparse.indptr[row + 1] - sparse.indptr[row] == 1);
  CHECK(build("random:1", shape, 16, 16).count(shape).density == 1);

  std::map<int32_t, int> uses; // each block is as likely as any other
  for (int32_t index : sparse.indices)
    ++uses[index];
  CHECK(uses.size() > 120);
}

TEST_CASE("counts and operations cover all heads, blocks whole") {
  AttentionShape shape = shapeOf(100, 100, 2, 3);
  shape.headDim = 64;
  shape.valueDim = 32;
  BlockLists lists = build("causal", shape, 32, 32);
  BlockCounts counts = lists.count(shape);
  CHECK(counts.partial == 6 * 4);
  CHECK(counts.full == 6 * 6);
  CHECK(counts.density == doctest::Approx(10.0 / 16));
  CHECK(lists.executedFlops(shape) == 2.0 * 96 * 32 * 32 * 60);
  CHECK(shape.denseFlops() == 2.0 * 96 * 6 * 100 * 100);
}

TEST_CASE("patterns that are not understood") {
  for (const char *text : {"", "Dense", "dense:1", "causal:", "window", "window:", "window:-1",
                           "window:1:", "window:1:x", "window:1:2:3", "window:99999999999", "random", "random:0",
                           "random:1.5", "random:x", "random:nan", "lists", "lists:", "block"}) {
    CAPTURE(text);
    Expected<Pattern> pattern = Pattern::parse(text);
    REQUIRE(!pattern);
    CHECK(pattern.error().message.find(
              "give dense, causal, window:LEFT[:SINK], random:DENSITY[:shared] or lists:DIR") != std::string::npos);
  }
  CHECK(Pattern::parse("lists:a/b")->directory == "a/b");
  Expected<BlockLists> lists = Pattern::parse("lists:x")->build(shapeOf(16, 16), 16, 16, 1);
  REQUIRE(!lists);
  CHECK(lists.error().message == "the lists of 'x' are read from files, not built from a pattern");
}

TEST_CASE("a caller's lists are checked entry by entry") {
  AttentionShape shape = shapeOf(40, 80, 2, 3); // 3 row blocks and 5 key blocks of 16
  auto make = [&](const std::vector<int32_t> &indptr, const std::vector<int32_t> &split,
                  const std::vector<int32_t> &indices) {
    return blockListsFromCsr(shape, 16, 16, indptr, split, indices);
  };
  auto problem = [&](const std::vector<int32_t> &indptr, const std::vector<int32_t> &split,
                     const std::vector<int32_t> &indices) {
    Expected<BlockLists> lists = make(indptr, split, indices);
    REQUIRE(!lists);
    return lists.error().message;
  };
  REQUIRE(make({0, 2, 2, 5}, {1, 2, 5}, {3, 1, 0, 2, 4}));
  CHECK(make({0, 0, 0, 0}, {0, 0, 0}, {}));
  CHECK(make(std::vector<int32_t>(10), std::vector<int32_t>(9), {})->heads == 3);
  CHECK(make(std::vector<int32_t>(19), std::vector<int32_t>(18), {})->batches == 2);

  CHECK(problem({0, 0, 0}, {0, 0}, {}) ==
        "split has 2 entries; with 3 row blocks of 16 queries it must have 3 (one list), 9 "
        "(one a head) or 18 (one a batch and head)");
  CHECK(problem({0, 0, 0}, {0, 0, 0}, {}) == "indptr has 3 and split 3 entries; 1 lists of 3 row blocks need 4 and 3");
  CHECK(problem({1, 1, 1, 1}, {1, 1, 1}, {0}) ==
        "indptr goes from 1 to 1; it must go from 0 to the 1 entries of indices");
  CHECK(problem({0, 2, 1, 2}, {0, 2, 1}, {0, 1}) == "row block 1 of list 0 (batch 0, head 0) spans entries 2 to 1 with "
                                                    "split 2 of 2 entries; it must hold 0 <= indptr <= "
                                                    "split <= next indptr");
  CHECK(problem({0, 1, 1, 1}, {2, 1, 1}, {0}).find("with split 2") != std::string::npos);
  CHECK(problem({0, 5, 1, 1}, {0, 1, 1}, {0}).find("spans entries 0 to 5") != std::string::npos);
  CHECK(problem({0, 1, 1, 1}, {1, 1, 1}, {5}) ==
        "row block 0 of list 0 (batch 0, head 0) names the partial key block 5; 0 to 4 are there");
  CHECK(problem({0, 1, 1, 1}, {0, 1, 1}, {-1}).find("names the full key block -1") != std::string::npos);
  CHECK(
      problem({0, 2, 2, 2}, {0, 2, 2}, {3, 3}) ==
      "row block 0 of list 0 (batch 0, head 0) names the full key block 3 after 3; each part must be ascending without "
      "repeats, so sort it");
  CHECK(problem({0, 2, 2, 2}, {2, 2, 2}, {3, 1}).find("names the partial key block 1 after 3") != std::string::npos);
  CHECK(problem({0, 3, 3, 3}, {1, 3, 3}, {2, 1, 2}) ==
        "row block 0 of list 0 (batch 0, head 0) names key block 2 both as partial and as full; keep one");

  BlockLists lists = *make({0, 2, 2, 5}, {1, 2, 5}, {3, 1, 0, 2, 4});
  lists.batches = 5;
  CHECK(lists.check(shape).error().message ==
        "there are 5 x 1 lists for batch 2 and 3 heads; each extent must be the operator's or 1");
  CHECK(make({0, 2, 2, 5}, {1, 2, 5}, {3, 1, 0, 2, 4})->check(shapeOf(60, 80)).error().message ==
        "the lists cover 3 x 5 blocks of 16x16, and 60 queries and 80 keys need 4 x 5");
  CHECK(blockListsFromCsr(shape, 24, 16, {0}, {}, {}).error().message ==
        "a list block of 24x16 was given; both must be multiples of 16 from 16 to 1024");
}

TEST_CASE("equal neighbouring rows are paired, and only they") {
  AttentionShape shape = shapeOf(5 * 64, 640, 1, 2);
  BlockLists lists;
  lists.heads = 2, lists.rowBlocks = 5, lists.keyBlocks = 10, lists.queryBlock = lists.keyBlock = 64;
  lists.indptr = {0}, lists.split = {}, lists.indices = {};
  auto row = [&](std::vector<int32_t> partial, std::vector<int32_t> full) {
    lists.indices.insert(lists.indices.end(), partial.begin(), partial.end());
    lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
    lists.indices.insert(lists.indices.end(), full.begin(), full.end());
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  };
  for (int head = 0; head < 2; ++head) {
    row({3}, {1, 2}), row({3}, {1, 2});
    row({}, {}), row({}, {});
    row({}, {head});
  }
  REQUIRE(lists.check(shape));
  std::optional<BlockLists> paired = lists.withRowsPaired();
  REQUIRE(paired);
  CHECK(paired->check(shape));
  CHECK(paired->queryBlock == 128);
  CHECK(paired->rowBlocks == 3);
  CHECK(paired->indptr == std::vector<int32_t>{0, 3, 3, 4, 7, 7, 8});
  CHECK(paired->split == std::vector<int32_t>{1, 3, 3, 5, 7, 7});
  CHECK(paired->indices == std::vector<int32_t>{3, 1, 2, 0, 3, 1, 2, 1});
  // The same blocks, but one of them partial in one row only.
  lists.split[0] = 2;
  CHECK(!lists.withRowsPaired());
}

TEST_CASE("heads of a group with equal lists have one for all of them, and only they") {
  AttentionShape shape = shapeOf(2 * 64, 640, 2, 4);
  BlockLists lists;
  lists.batches = 2, lists.heads = 4;
  lists.rowBlocks = 2, lists.keyBlocks = 10, lists.queryBlock = lists.keyBlock = 64;
  for (int32_t list = 0; list < 8; ++list) // groups of two heads: 0 0 1 1, and 2 2 3 3 of the second batch
    for (int32_t row = 0; row < 2; ++row) {
      lists.indices.push_back(list / 2);
      lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
      lists.indices.insert(lists.indices.end(), {row + 5, 9});
      lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
    }
  REQUIRE(lists.check(shape));
  std::optional<BlockLists> grouped = lists.withHeadsGrouped(2);
  REQUIRE(grouped);
  AttentionShape groups = shape;
  groups.heads = 2;
  CHECK(grouped->check(groups));
  CHECK(grouped->split == std::vector<int32_t>{1, 4, 7, 10, 13, 16, 19, 22});
  CHECK(grouped->indices ==
        std::vector<int32_t>{0, 5, 9, 0, 6, 9, 1, 5, 9, 1, 6, 9, 2, 5, 9, 2, 6, 9, 3, 5, 9, 3, 6, 9});
  CHECK_FALSE(lists.withHeadsGrouped(4)); // groups differ
  CHECK(lists.withHeadsGrouped(1)->indices == lists.indices);
  BlockLists other = lists;
  other.split.back() += 1; // the same blocks, but one of them partial in one head only
  REQUIRE(other.check(shape));
  CHECK_FALSE(other.withHeadsGrouped(2));
  other = lists;
  other.indices.back() = 8;
  CHECK_FALSE(other.withHeadsGrouped(2));
  // Shared lists serve any group.
  BlockLists shared = *Pattern::parse("causal")->build(shape, 64, 64, 1);
  CHECK(shared.withHeadsGrouped(4)->indices == shared.indices);
}

TEST_CASE("random lists that heads share: one a batch") {
  const AttentionShape shape = shapeOf(300, 900, 2, 4);
  const Pattern pattern = *Pattern::parse("random:0.3:shared");
  CHECK(pattern.shared);
  CHECK(pattern.density == 0.3);
  const BlockLists lists = *pattern.build(shape, 64, 64, 1);
  CHECK(lists.check(shape));
  CHECK(lists.batches == 2);
  CHECK(lists.heads == 1);
  for (const char *wrong : {"random:shared", "random::shared", "random:0.3:", "random:0.3:shared:shared"})
    CHECK_FALSE(Pattern::parse(wrong));
}
