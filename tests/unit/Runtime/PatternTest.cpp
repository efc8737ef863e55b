// Patterns as formulas: how long their rows are, what a kernel is compiled with, their tiles and their order.
#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/BestTile.h"
#include "lacuna/Runtime/ProgramOrder.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

Pattern parse(const char *text) {
  Expected<Pattern> pattern = Pattern::parse(text);
  REQUIRE_MESSAGE(pattern.has_value(), text);
  return *pattern;
}

constexpr const char *kFormulas[] = {
    "dense",         "causal",        "window:0",       "window:40:5",
    "window:100:70", "window:5:1000", "window:700:300", "window:2147483647:2147483647"};

AttentionShape shapeOf(int64_t queries, int64_t keys) {
  return {.batch = 2, .heads = 4, .kvHeads = 2, .queries = queries, .keys = keys, .headDim = 64, .valueDim = 64};
}

} // namespace

TEST_CASE("a row of a formula is as long as its list") {
  for (const char *text : kFormulas)
    for (const auto &[queries, keys] : {std::pair(300, 300), {77, 901}, {500, 131}, {1, 64}, {260, 1}})
      for (const auto &[queryBlock, keyBlock] : {std::pair(64, 64), {128, 16}, {16, 176}, {192, 48}}) {
        const Pattern pattern = parse(text);
        const AttentionShape shape = shapeOf(queries, keys);
        const auto lists = pattern.build(shape, queryBlock, keyBlock, 1);
        REQUIRE(lists.has_value());
        CHECK(pattern.entries(shape, queryBlock, keyBlock) == static_cast<double>(lists->indices.size()));
        for (int64_t row = 0; row < lists->rowBlocks; ++row) {
          CAPTURE(text);
          CAPTURE(queries);
          CAPTURE(keys);
          CAPTURE(row);
          CHECK(pattern.rowLength(shape, queryBlock, keyBlock, row) == lists->indptr[row + 1] - lists->indptr[row]);
        }
      }
}

TEST_CASE("lists that are too many are refused before any is made") {
  const AttentionShape shape = {.queries = 12'000'000, .keys = 12'000'000, .headDim = 8, .valueDim = 8};
  for (const char *text : {"causal", "dense", "random:0.9", "window:11000000"}) { // by trying: minutes, and 8 GiB
    const auto lists = parse(text).build(shape, 128, 128, 1);
    REQUIRE_FALSE(lists.has_value());
    CHECK(lists.error().code == ErrorCode::ResourceExhausted);
    CHECK(lists.error().message.find("give more than 2147483647 list entries") != std::string::npos);
  }
}

TEST_CASE("the order of a formula is that of its lists") {
  for (const char *text : kFormulas) {
    CAPTURE(text);
    const Pattern pattern = parse(text);
    const AttentionShape shape = shapeOf(900, 1100);
    const auto lists = pattern.build(shape, 128, 64, 1);
    REQUIRE(lists.has_value());
    for (int64_t rows : {64, 128})
      for (int64_t cacheBytes : {0, 1 << 19})
        CHECK(longestFirst(pattern, 128, 64, shape, rows, cacheBytes, 7) ==
              longestFirst(*lists, shape, rows, cacheBytes, 7));
  }
}

TEST_CASE("what a kernel is compiled with") {
  CHECK(parse("dense").rowsHook() == "dense");
  CHECK(parse("causal").rowsHook() == "causal");
  CHECK(parse("window:9").rowsHook() == "some max(first + N - M, 0) - 9 .. last + N - M + 1 "
                                        "all max(min(last, M - 1) + N - M, 0) - 9 .. first + N - M + 1");
  CHECK(parse("window:9:4")
            .rowsHook()
            .starts_with("some 0 .. min(4, last + N - M + 1) all 0 .. min(4, first + N - M + 1), "
                         "some max("));
  CHECK(parse("random:0.5").rowsHook().empty());
  CHECK(parse("lists:there").rowsHook().empty());
  CHECK(parse("window:9").isFormula());
  CHECK_FALSE(parse("random:0.5").isFormula());
  CHECK_FALSE(parse("lists:there").isFormula());
}

TEST_CASE("the best tile by head dimension and pattern") {
  auto best = [](int64_t headDim, int64_t valueDim, const char *text) {
    return bestAttentionTile(headDim, valueDim, parse(text));
  };
  CHECK(best(64, 64, "dense") == AttentionTile{192, 128});
  CHECK(best(64, 64, "causal") == AttentionTile{192, 128});
  CHECK(best(128, 128, "dense") == AttentionTile{128, 176});
  CHECK(best(128, 128, "causal") == AttentionTile{128, 176});
  CHECK(best(256, 256, "dense") == AttentionTile{128, 80});
  CHECK(best(256, 256, "causal") == AttentionTile{128, 80});
  CHECK(best(64, 64, "window:8") == AttentionTile{128, 128});
  CHECK(best(256, 256, "window:8:2") == AttentionTile{128, 64});
  // The next wider row; lists in memory.
  CHECK(best(40, 80, "dense") == AttentionTile{128, 176});
  CHECK(best(136, 8, "causal") == AttentionTile{128, 80});
  CHECK(best(128, 128, "window:100:4") == AttentionTile{128, 128});
  CHECK(best(64, 64, "random:0.1") == AttentionTile{128, 128});
  CHECK(best(64, 64, "lists:there") == AttentionTile{128, 128});
  // A block of these extents is run with this very tile.
  for (int64_t headDim : {8, 64, 72, 128, 136, 256})
    for (const char *text : {"dense", "causal", "window:8"}) {
      const AttentionTile tile = best(headDim, headDim, text);
      const auto chosen = chooseTile(headDim, headDim, tile.queries, tile.keys);
      REQUIRE(chosen.has_value());
      CHECK(*chosen == tile);
    }
}
