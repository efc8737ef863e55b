#include "lacuna/Runtime/SplitRows.h"

#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/ProgramOrder.h"
#include "lacuna/Runtime/Random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// One list; row r has the partial blocks and then the full ones of rows[r].
BlockLists listsOf(const std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> &rows, int64_t keyBlock,
                   int64_t keyBlocks) {
  BlockLists lists;
  lists.queryBlock = 64, lists.keyBlock = keyBlock;
  lists.rowBlocks = static_cast<int64_t>(rows.size()), lists.keyBlocks = keyBlocks;
  for (const auto &[partial, full] : rows) {
    lists.indices.insert(lists.indices.end(), partial.begin(), partial.end());
    lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
    lists.indices.insert(lists.indices.end(), full.begin(), full.end());
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  }
  return lists;
}

std::vector<int32_t> numbers(std::span<const int32_t> part) {
  return {part.begin(), part.end()};
}

/// Rows of random length, some empty.
BlockLists randomLists(uint64_t seed, int64_t keyBlock) {
  SplitMix64 random(seed, 0);
  std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> rows(1 + random.below(6));
  for (auto &[partial, full] : rows) {
    const uint64_t density = random.below(4);
    for (int32_t block = 0; block < 40; ++block)
      if (random.below(3) < density)
        (random.below(2) ? partial : full).push_back(block);
  }
  return listsOf(rows, keyBlock, 40);
}

} // namespace

TEST_CASE("splitRows: the parts of a row are its blocks in order, partial and full kept apart") {
  const BlockLists lists = listsOf({{{0, 2, 5}, {1, 7, 8, 9}}, {{}, {3}}, {{}, {}}}, 128, 10);
  const BlockLists cut = splitRows(lists, 2, 128);
  CHECK(cut.rowBlocks == 6);
  CHECK(cut.indices == lists.indices);
  // 7 steps, so at most 4 a part: 3 and 4.
  CHECK(numbers(cut.partialBlocks(0)) == std::vector<int32_t>{0, 2, 5});
  CHECK(numbers(cut.fullBlocks(0)).empty());
  CHECK(numbers(cut.partialBlocks(1)).empty());
  CHECK(numbers(cut.fullBlocks(1)) == std::vector<int32_t>{1, 7, 8, 9});
  // Short rows are one part; what is behind is empty.
  CHECK(numbers(cut.fullBlocks(2)) == std::vector<int32_t>{3});
  for (int64_t row : {3, 4, 5})
    CHECK(stepsOf(cut, row, 128) == 0);
  // A part may hold the end of the partial and the begin of the full blocks.
  const BlockLists three = splitRows(lists, 3, 128);
  CHECK(numbers(three.partialBlocks(1)) == std::vector<int32_t>{5});
  CHECK(numbers(three.fullBlocks(1)) == std::vector<int32_t>{1});
}

TEST_CASE("splitRows: every block exactly once, no part longer than the longest row's share, none much shorter") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const int64_t keyBlock = seed % 3 == 0 ? 16 : seed % 3 == 1 ? 128 : 512, keys = 128;
    const int64_t splits = 1 + static_cast<int64_t>(seed % 9);
    const BlockLists lists = randomLists(seed, keyBlock);
    const BlockLists cut = splitRows(lists, splits, keys);
    CAPTURE(seed);
    REQUIRE(cut.rowBlocks == lists.rowBlocks * splits);
    REQUIRE(cut.indptr.size() == static_cast<size_t>(cut.rowBlocks) + 1);
    const int64_t unit = std::max<int64_t>(1, keyBlock / keys); // steps of what is not cut
    int64_t longest = 0;
    for (int64_t row = 0; row < lists.rowBlocks; ++row)
      longest = std::max(longest, stepsOf(lists, row, keys) / unit);
    for (int64_t row = 0; row < lists.rowBlocks; ++row) {
      std::vector<int32_t> partial, full;
      int64_t steps = 0, shortest = longest, most = 0;
      bool ended = false;
      for (int64_t part = 0; part < splits; ++part) {
        const int64_t at = row * splits + part, length = stepsOf(cut, at, keys) / unit;
        auto p = numbers(cut.partialBlocks(at)), f = numbers(cut.fullBlocks(at));
        partial.insert(partial.end(), p.begin(), p.end());
        full.insert(full.end(), f.begin(), f.end());
        REQUIRE(length <= (longest + splits - 1) / splits);
        REQUIRE_FALSE((ended && length > 0)); // empty parts come last
        ended |= length == 0;
        steps += length;
        most = std::max(most, length);
        if (length > 0)
          shortest = std::min(shortest, length);
      }
      REQUIRE(partial == numbers(lists.partialBlocks(row)));
      REQUIRE(full == numbers(lists.fullBlocks(row)));
      REQUIRE(steps == stepsOf(lists, row, keys) / unit); // no step is torn
      REQUIRE((most == 0 || most - shortest <= 1));
    }
  }
}

TEST_CASE("stepsOf counts partial and full blocks for themselves") {
  const BlockLists lists = listsOf({{{0, 2, 5}, {1, 7}}}, 32, 10);
  CHECK(stepsOf(lists, 0, 32) == 5);
  CHECK(stepsOf(lists, 0, 16) == 10);
  CHECK(stepsOf(lists, 0, 64) == 3);
  CHECK(stepsOf(lists, 0, 128) == 2);
}

TEST_CASE("programSteps: programs as the grid numbers them, the part outermost") {
  AttentionShape shape{.batch = 1, .heads = 2, .kvHeads = 1, .queries = 100, .keys = 40 * 64};
  BlockLists lists = listsOf({{{}, {0, 1, 2, 3, 4}}, {{7}, {}}}, 64, 40);
  CHECK(programSteps(lists, shape, {64, 64}) == std::vector<int64_t>{5, 1, 5, 1});
  CHECK(programSteps(splitRows(lists, 2, 64), shape, {64, 64}, 2) == std::vector<int64_t>{2, 1, 2, 1, 3, 0, 3, 0});
}

TEST_CASE("chooseSplits: enough programs, and short rows, stay whole") {
  auto choose = [](int64_t programs, int64_t steps, int64_t blocks = 132, int64_t most = kMostSplits) {
    return chooseSplits(std::vector<int64_t>(static_cast<size_t>(programs), steps), blocks, most);
  };
  CHECK(choose(0, 0) == 1);
  CHECK(choose(8, 4) == 1);
  CHECK(choose(132, 1000) == 1);
  CHECK(choose(106, 1000) == 1); // 80 %
  CHECK(choose(264, 1000) == 1);
  CHECK(choose(1320000, 1000) == 1);
  SUBCASE("few long rows fill the GPU") {
    CHECK(choose(8, 1024) == 16); // 8 x 16 = 128 of 132
    CHECK(choose(66, 1024) == 2);
    CHECK(choose(1, 8192) > 20);
    CHECK(choose(1, 8192) <= kMostSplits);
  }
  SUBCASE("a part keeps some steps") {
    CHECK(choose(1, 16) <= 4);
    CHECK(choose(8, 16) <= 4);
  }
  SUBCASE("a wave that is nearly empty is split away") {
    CHECK(choose(133, 1024) > 1);
  }
  SUBCASE("no more than allowed") {
    CHECK(choose(1, 8192, 132, 3) == 3);
    CHECK(choose(1, 8192, 132, 1) == 1);
    CHECK(choose(1, 8192, 132, 0) == 1);
    CHECK(choose(1, 8192, 1) == 1);
  }
}

TEST_CASE("chooseSplits: one very long row among short ones is cut to about a thread block's share") {
  std::vector<int64_t> steps(500, 20);
  steps.push_back(2000);
  const int64_t splits = chooseSplits(steps, 132);
  CHECK(2000 / splits <= 150); // all of it is 12,000 steps: 91 a thread block
  CHECK(splits > 1);
  steps.back() = 60;
  CHECK(chooseSplits(steps, 132) == 1);
}

TEST_CASE("longestFirst of parts: every one with blocks once, the longest first within a section") {
  AttentionShape shape{.batch = 2, .heads = 4, .kvHeads = 2, .queries = 300, .keys = 40 * 64};
  Pattern pattern = *Pattern::parse("random:0.2");
  BlockLists lists = *pattern.build(shape, 64, 64, 7);
  lists.indptr[1] = lists.indptr[0]; // an empty row
  lists.split[0] = lists.indptr[0];
  for (int64_t cacheBytes : {int64_t(1) << 40, int64_t(1)}) {
    const int64_t splits = 3;
    const BlockLists cut = splitRows(lists, splits, 64);
    const std::vector<int64_t> steps = programSteps(cut, shape, {64, 64}, splits);
    const std::vector<int32_t> order = longestFirst(cut, shape, 64, cacheBytes, 1, splits);
    const std::set<int32_t> seen(order.begin(), order.end());
    CHECK(seen.size() == order.size());
    int64_t withBlocks = 0;
    for (size_t program = 0; program < steps.size(); ++program) {
      withBlocks += steps[program] > 0;
      CHECK(seen.contains(static_cast<int32_t>(program)) == (steps[program] > 0));
    }
    CHECK(static_cast<int64_t>(order.size()) == withBlocks);
    const int64_t perPart = static_cast<int64_t>(steps.size()) / splits, perGroup = perPart / 4;
    for (size_t at = 1; at < order.size(); ++at) {
      auto group = [&](int32_t program) { return cacheBytes == 1 ? program % perPart / perGroup : 0; };
      CHECK(group(order[at - 1]) <= group(order[at]));
      if (group(order[at - 1]) == group(order[at]))
        CHECK(steps[static_cast<size_t>(order[at - 1])] >= steps[static_cast<size_t>(order[at])]);
    }
  }
}

TEST_CASE("chooseMergeColumns: narrow tiles for few rows") {
  CHECK(chooseMergeColumns({1, 8, 8, 128, 4096, 128, 128}, 132) == 16);
  CHECK(chooseMergeColumns({1, 16, 16, 32768, 32768, 128, 128}, 132) == 64);
  CHECK(chooseMergeColumns({1, 8, 8, 1100, 32768, 128, 128}, 132) == 32);
}
