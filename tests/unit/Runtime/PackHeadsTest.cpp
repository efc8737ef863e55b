#include "lacuna/Runtime/PackHeads.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

const Pattern kDense = *Pattern::parse("dense");

/// Whether a formula's heads are packed, in blocks of 128x128 and tiles of 128x128.
bool packs(const AttentionShape &shape, PackingMachine machine, const Pattern &pattern = kDense) {
  return choosePacking(pattern, 128, 128, shape, {128, 128}, machine).tile.has_value();
}

} // namespace

TEST_CASE("the steps of a formula's programs are those of its lists") {
  const AttentionShape shape{2, 4, 2, 300, 1000, 128, 128};
  for (const char *text : {"dense", "causal", "window:200:64"}) {
    const Pattern pattern = *Pattern::parse(text);
    CAPTURE(text);
    const AttentionTile tile{128, 128};
    CHECK(programSteps(pattern, 128, 128, shape, tile) ==
          programSteps(*pattern.build(shape, 128, 128, 1), shape, tile));
  }
  // Two blocks of 64 keys fill a step.
  CHECK(programSteps(kDense, 64, 64, {1, 1, 1, 100, 640, 64, 64}, {64, 128}) == std::vector<int64_t>{5, 5});
}

TEST_CASE("in one part and one after the other, packing pays where it fills tiles") {
  auto pays = [](int64_t queries) {
    return packs({1, 64, 8, queries, 10000, 128, 128}, {.multiprocessors = 1, .splits = 1});
  };
  CHECK(pays(1));
  CHECK(pays(16));
  CHECK(pays(112));       // 0.875 of the rows of 128 against all of them
  CHECK_FALSE(pays(128)); // all against all
  CHECK(pays(200));       // 0.78 against 0.96
  CHECK_FALSE(pays(16384));
  CHECK_FALSE(packs({1, 8, 8, 1, 10000, 128, 128}, {.splits = 1})); // a KV head each
  CHECK_FALSE(packs({1, 5, 1, 1, 10000, 128, 128}, {.splits = 1})); // 5 divides no tile
}

TEST_CASE("few packed programs run in as many parts as fill the GPU") {
  const AttentionShape decode{1, 64, 8, 16, 32768, 128, 128};
  const PackingChoice choice = choosePacking(kDense, 128, 128, decode, {128, 128}, {.multiprocessors = 132});
  REQUIRE(choice.tile);
  CHECK(*choice.tile == PackedTile{8, 16, 128});
  CHECK(choice.reason == "8 heads a tile: 8 programs in 16 parts, 26 steps; apart: 64 programs in 2 parts, 134 steps");
  CHECK(packs({1, 64, 8, 1, 32768, 128, 128}, {.multiprocessors = 132}));
  // Where parts are not allowed, both wait for one program, and the packed ones are fewer.
  CHECK(packs(decode, {.multiprocessors = 132, .splits = 1}));
  CHECK(packs(decode, {.multiprocessors = 132, .mostSplits = 0}));
  // 128 rows either way.
  CHECK_FALSE(packs({1, 32, 8, 16384, 16384, 128, 128}, {.multiprocessors = 132}, *Pattern::parse("causal")));
}

TEST_CASE("blocks of 64 rows: heads with one list fill tiles of 128") {
  const AttentionShape shape{1, 16, 8, 32768, 32768, 128, 128};
  const BlockLists shared = *Pattern::parse("random:0.1:shared")->build(shape, 64, 64, 1);
  const PackingMachine gpu{.multiprocessors = 132};
  PackingChoice choice = choosePacking(shared, shared.withHeadsGrouped(2), shape, {64, 128}, gpu);
  REQUIRE(choice.tile);
  CHECK(*choice.tile == PackedTile{2, 64, 128});
  // Lists of their own, a KV head of their own, or tiles of 128 rows anyway: nothing to gain.
  choice = choosePacking(shared, std::nullopt, shape, {64, 128}, gpu);
  CHECK_FALSE(choice.tile);
  CHECK(choice.reason == "the heads of a KV head have lists of their own");
  AttentionShape own = shape;
  own.kvHeads = 16;
  choice = choosePacking(shared, shared, own, {64, 128}, gpu);
  CHECK_FALSE(choice.tile);
  CHECK(choice.reason == "each head has a KV head of its own");
  const BlockLists high = *Pattern::parse("random:0.1:shared")->build(shape, 128, 128, 1);
  CHECK_FALSE(choosePacking(high, high.withHeadsGrouped(2), shape, {128, 128}, gpu).tile);
}
