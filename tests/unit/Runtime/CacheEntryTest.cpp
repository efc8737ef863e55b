#include "CacheSamples.h"

#include <doctest/doctest.h>

#include <random>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("an entry is read back, with and without its key") {
  for (int number : {1, 2}) {
    CacheEntry entry = sampleEntry(number, 1000);
    CacheKey key = sampleKey(number);
    std::string bytes = encodeEntry(key, entry);
    CHECK(bytes == encodeEntry(key, entry));
    auto read = decodeEntry(bytes, key);
    REQUIRE(read);
    CHECK(*read == entry);
    auto any = decodeAnyEntry(bytes);
    REQUIRE(any);
    CHECK(any->entry == entry);
    CHECK(any->key.hex() == key.hex());
    CHECK(any->key.fields == key.fields);
    auto other = decodeEntry(bytes, sampleKey(3));
    REQUIRE(!other);
    CHECK(other.error() == EntryFault::OtherKey);
  }
}

TEST_CASE("every bit of a small entry that flips is found") {
  const std::string bytes = encodeEntry(sampleKey(2), sampleEntry(2));
  std::string flipped = bytes;
  for (size_t index = 0; index < bytes.size(); ++index)
    for (int bit = 0; bit < 8; ++bit) {
      flipped[index] = static_cast<char>(bytes[index] ^ (1 << bit));
      if (decodeEntry(flipped, sampleKey(2)) || decodeAnyEntry(flipped))
        FAIL_CHECK(fmt::format("byte {}, bit {} was not noticed", index, bit));
      flipped[index] = bytes[index];
    }
  CHECK(decodeEntry(flipped, sampleKey(2)));
}

TEST_CASE("every length but the right one is found") {
  const std::string bytes = encodeEntry(sampleKey(1), sampleEntry(1));
  for (size_t length = 0; length < bytes.size(); ++length)
    CHECK(!decodeEntry(bytes.substr(0, length), sampleKey(1)));
  for (const char *more : {"x", "0123456789abcdef"}) {
    auto longer = decodeEntry(bytes + more, sampleKey(1));
    REQUIRE(!longer);
    CHECK(longer.error() == EntryFault::Truncated);
  }
}

TEST_CASE("each fault has its name") {
  CacheKey key = sampleKey(2);
  const std::string bytes = encodeEntry(key, sampleEntry(2));
  auto faultOf = [&](std::string changed) { return decodeEntry(changed, key).error(); };
  CHECK(faultOf("") == EntryFault::Truncated);
  CHECK(faultOf("text\r\n text and more") == EntryFault::NotAnEntry);
  CHECK(faultOf(std::string(bytes).replace(8, 1, "\2")) == EntryFault::OtherVersion);
  CHECK(faultOf(std::string(bytes).replace(bytes.size() / 2, 1, "\377")) == EntryFault::Damaged);
  // Sizes that would wrap around.
  CHECK(faultOf(std::string(bytes).replace(72, 8, std::string(8, '\377'))) == EntryFault::Truncated);
  // Under a checksum that fits: parts that do not belong together.
  auto wrong = [&](auto change) {
    CacheEntry entry = sampleEntry(2);
    change(entry);
    return decodeEntry(encodeEntry(key, entry), key).error();
  };
  CHECK(wrong([](CacheEntry &entry) { entry.image.clear(); }) == EntryFault::BadContents);
  CHECK(wrong([](CacheEntry &entry) { entry.isCubin = false; }) == EntryFault::BadContents);
  CHECK(wrong([](CacheEntry &entry) { entry.image = "PTX"; }) == EntryFault::BadContents);
  CacheKey forged = key;
  forged.digest[0] ^= 1;
  CHECK(decodeAnyEntry(encodeEntry(forged, sampleEntry(2))).error() == EntryFault::OtherKey);
  CacheKey noFields{sha256("?"), "?"};
  CHECK(decodeAnyEntry(encodeEntry(noFields, sampleEntry(2))).error() == EntryFault::BadContents);
}
