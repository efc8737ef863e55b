#include "lacuna/Runtime/AttentionShape.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("every tile that is chosen is legal, and every multiple of 64 has one") {
  for (int64_t headDim = 8; headDim <= 256; headDim += 8)
    for (int64_t queryBlock = 16; queryBlock <= 1024; queryBlock += 16)
      for (int64_t keyBlock = 16; keyBlock <= 1024; keyBlock += 16) {
        Expected<AttentionTile> tile = chooseTile(headDim, headDim, queryBlock, keyBlock);
        REQUIRE(tile.has_value() == (queryBlock % 64 == 0));
        if (!tile)
          continue;
        bool known = tile->queries == 64 || tile->queries == 128 || tile->queries == 192;
        REQUIRE(known);
        REQUIRE(queryBlock % tile->queries == 0);
        REQUIRE(tile->keys % 16 == 0);
        REQUIRE(tile->keys >= 16);
        REQUIRE(tile->keys <= 256);
        bool fits = keyBlock % tile->keys == 0 || tile->keys % keyBlock == 0;
        REQUIRE(fits);
        int64_t padded = (headDim + 63) / 64 * 64;
        REQUIRE(2 * (tile->queries * padded + 4 * tile->keys * padded) <= 227 * 1024);
      }
}

TEST_CASE("the tiles of common blocks") {
  CHECK(*chooseTile(128, 128, 128, 128) == AttentionTile{128, 128});
  CHECK(*chooseTile(64, 64, 128, 128) == AttentionTile{128, 128});
  CHECK(*chooseTile(256, 256, 128, 128) == AttentionTile{128, 64});
  CHECK(*chooseTile(256, 256, 128, 80) == AttentionTile{128, 80});
  CHECK(*chooseTile(128, 128, 128, 176) == AttentionTile{128, 176});
  CHECK(*chooseTile(128, 128, 64, 64) == AttentionTile{64, 128});
  CHECK(*chooseTile(64, 64, 192, 96) == AttentionTile{192, 96});
  CHECK(*chooseTile(128, 128, 192, 48) == AttentionTile{64, 96});
  CHECK(*chooseTile(64, 256, 128, 128) == AttentionTile{128, 64});
}

TEST_CASE("the packed tile that costs least") {
  auto packed = [](int64_t heads, int64_t kvHeads, int64_t queries, int64_t headDim, int64_t queryBlock) {
    AttentionShape shape{1, heads, kvHeads, queries, 1000, headDim, headDim};
    return choosePackedTile(shape, queryBlock, {128, 96});
  };
  CHECK(*packed(64, 8, 1, 128, 128) == PackedTile{8, 8, 96});
  CHECK(*packed(64, 8, 16, 128, 128) == PackedTile{8, 16, 96}); // both are full: the larger one
  CHECK(*packed(8, 1, 9, 64, 384) == PackedTile{8, 16, 96});    // 1 step, against 1.5 of 192 rows or two of 64
  CHECK(*packed(8, 1, 24, 64, 384) == PackedTile{8, 24, 96});
  CHECK(*packed(8, 1, 24, 128, 384) == PackedTile{8, 16, 96}); // 192 rows only for head dimensions up to 64
  CHECK(*packed(3, 1, 50, 64, 192) == PackedTile{3, 64, 96});
  CHECK_FALSE(packed(3, 1, 50, 128, 192)); // 3 divides only 192

  CHECK_FALSE(packed(5, 1, 50, 64, 128));
  CHECK(*packed(64, 1, 1, 128, 64) == PackedTile{64, 1, 96});
  CHECK_FALSE(packed(256, 1, 1, 128, 64));
}

TEST_CASE("blocks and extents that are refused") {
  CHECK(chooseTile(128, 128, 96, 128).error().message ==
        "the list's query block is 96, and no kernel tile (64, 128 or 192 rows) divides it; give a multiple of 64");
  CHECK(chooseTile(128, 128, 128, 24).error().message ==
        "a list block of 128x24 was given; both must be multiples of 16 from 16 to 1024");
  CHECK(chooseTile(128, 512, 128, 128).error().message ==
        "head dimensions 128 and 512 were given; both must be 1 to 256");

  auto problem = [](auto spoil) {
    AttentionShape shape;
    spoil(shape);
    Expected<void> checked = shape.check();
    REQUIRE(!checked);
    return checked.error().message;
  };
  CHECK(AttentionShape().check());
  CHECK(problem([](AttentionShape &s) { s.queries = 0; }) == "queries is 0; give 1 to 2147479552");
  CHECK(problem([](AttentionShape &s) { s.keys = (int64_t(1) << 31) - 4095; }) ==
        "keys is 2147479553; give 1 to 2147479552");
  CHECK(problem([](AttentionShape &s) { s.heads = 6, s.kvHeads = 4; }) ==
        "6 heads cannot share 4 KV heads evenly; give a number of KV heads that divides the heads");
  CHECK(problem([](AttentionShape &s) { s.headDim = 100; }) == "head-dim is 100; give a multiple of 8 up to 256");
  CHECK(problem([](AttentionShape &s) { s.valueDim = 264; }) == "value-dim is 264; give a multiple of 8 up to 256");
  CHECK(problem([](AttentionShape &s) { s.batch = s.heads = s.queries = 1 << 30; }).find("more than 2^48 elements") !=
        std::string::npos);
}

TEST_CASE("chooseTile: on sm_80 every tile fits 99 KiB, with one stage at least") {
  for (int64_t headDim = 8; headDim <= 256; headDim += 8)
    for (int64_t queryBlock : {64, 128, 192, 256})
      for (int64_t keyBlock : {16, 48, 64, 80, 128, 176, 256}) {
        CAPTURE(headDim);
        CAPTURE(queryBlock);
        CAPTURE(keyBlock);
        Expected<AttentionTile> tile = chooseTile(headDim, headDim, queryBlock, keyBlock, kAmpereTiles);
        REQUIRE_MESSAGE(tile.has_value(), tile.error().render());
        const int64_t padded = (headDim + 63) / 64 * 64;
        CHECK(2 * padded * (tile->queries + 2 * tile->keys) <= 99 * 1024);
        CHECK(queryBlock % tile->queries == 0);
        CHECK((keyBlock % tile->keys == 0 || tile->keys % keyBlock == 0));
      }
  CHECK(*chooseTile(64, 64, 128, 128, kAmpereTiles) == AttentionTile{128, 128});
  CHECK(*chooseTile(128, 128, 128, 128, kAmpereTiles) == AttentionTile{128, 64});
  CHECK(*chooseTile(256, 256, 128, 128, kAmpereTiles) == AttentionTile{64, 32});
  CHECK(*chooseTile(64, 64, 192, 128, kAmpereTiles) == AttentionTile{192, 64});
}

TEST_CASE("choosePackedTile: wide heads take 64 rows on sm_80") {
  AttentionShape shape{1, 16, 2, 40, 512, 256, 256};
  std::optional<PackedTile> packed = choosePackedTile(shape, 64, {64, 32}, kAmpereTiles);
  REQUIRE(packed);
  CHECK(*packed == PackedTile{8, 8, 32});
}
