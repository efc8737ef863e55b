#include "lacuna/Runtime/CacheKey.h"

#include <doctest/doctest.h>

#include <set>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("SHA-256 and XXH3 are the published ones") {
  Sha256 digest = sha256("abc"); // FIPS 180-4, appendix
  CHECK(toHex(digest.data(), digest.size()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Checksum checksum = checksum128(""); // xxHash's own test vectors
  CHECK(toHex(checksum.data(), checksum.size()) == "99aa06d3014798d86001c324468d497f");
  CHECK(hash64("") == 0x2d06800538d394c2);
}

TEST_CASE("different fields never give the same bytes") {
  std::set<std::string> seen;
  auto add = [&](const CacheKeyBuilder &builder) { CHECK(seen.insert(builder.finish().hex()).second); };
  add(CacheKeyBuilder());
  add(CacheKeyBuilder().text("a", ""));
  add(CacheKeyBuilder().text("", "a"));
  add(CacheKeyBuilder().text("ab", "c"));
  add(CacheKeyBuilder().text("a", "bc"));
  add(CacheKeyBuilder().text("a", "b").text("c", ""));
  add(CacheKeyBuilder().text("a", "").text("b", "c"));
  add(CacheKeyBuilder().text("a", std::string("b\0", 2)));
  add(CacheKeyBuilder().flag("a", false));
  add(CacheKeyBuilder().flag("a", true));
  add(CacheKeyBuilder().text("a", std::string("\1", 1)));
  add(CacheKeyBuilder().number("a", 1));
  add(CacheKeyBuilder().number("a", -1));
  add(CacheKeyBuilder().text("a", std::string("\1\0\0\0\0\0\0\0", 8)));
  add(CacheKeyBuilder().table("a", {{"b", "c"}}));
  add(CacheKeyBuilder().table("a", {{"b", "c"}, {"d", ""}}));
  // A field whose value holds the bytes of another field.
  add(CacheKeyBuilder().text("a", CacheKeyBuilder().text("b", "c").bytes()));
}

TEST_CASE("a key's fields are read back, and what differs is told") {
  auto key = [](int64_t number, bool flag) {
    return CacheKeyBuilder().text("source", "x\ny").number("n", number).flag("f", flag).table("p", {{"D", "64"}});
  };
  auto fields = readKeyFields(key(-5, true).bytes());
  REQUIRE(fields);
  CHECK(*fields == std::vector<KeyField>{{"source", "x\ny"}, {"n", "-5"}, {"f", "true"}, {"p.D", "64"}});
  auto other = readKeyFields(key(-5, false).text("more", "1").bytes());
  REQUIRE(other);
  CHECK(compareKeyFields(*fields, *fields).empty());
  auto differences = compareKeyFields(*fields, *other);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].name == "f");
  CHECK(differences[0].left == "true");
  CHECK(differences[0].right == "false");
  CHECK(differences[1].name == "more");
  CHECK(!differences[1].left);
  CHECK(differences[1].right == "1");
  auto reverse = compareKeyFields(*other, *fields);
  REQUIRE(reverse.size() == 2);
  CHECK(!reverse[1].right);
}

TEST_CASE("fields that are cut off or damaged are refused, at every byte") {
  std::string bytes = CacheKeyBuilder().text("source", "text").number("n", 3).flag("f", true).bytes();
  std::set<size_t> whole = {0, CacheKeyBuilder().text("source", "text").bytes().size(),
                            CacheKeyBuilder().text("source", "text").number("n", 3).bytes().size(), bytes.size()};
  for (size_t length = 0; length <= bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(readKeyFields(bytes.substr(0, length)).has_value() == (whole.count(length) > 0));
  }
  bytes.front() = 'x';
  CHECK(readKeyFields(bytes).error().code == ErrorCode::ParseError);
  std::string flag = CacheKeyBuilder().flag("f", true).bytes();
  flag.back() = 2;
  CHECK(!readKeyFields(flag));
}
