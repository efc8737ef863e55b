// R4. Bytes that change, go missing or are swapped are found, nothing breaks, and the entry is replaced.
#include "Figures.h"
#include "Runtime/CacheSamples.h"
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Runtime/DiskCache.h"

#include <random>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// Changes `bytes` in one of several ways; never to what it was.
std::string spoil(const std::string &bytes, std::mt19937_64 &random) {
  std::string changed = bytes;
  auto position = [&](size_t size) { return static_cast<size_t>(random() % size); };
  do
    switch (random() % 6) {
    case 0: // a bit
      changed[position(changed.size())] ^= static_cast<char>(1 << random() % 8);
      break;
    case 1: // a byte
      changed[position(changed.size())] = static_cast<char>(random());
      break;
    case 2: // cut off
      changed.resize(position(changed.size()));
      break;
    case 3: { // a hole, as of a block that was not written
      size_t begin = position(changed.size());
      std::fill_n(changed.begin() + static_cast<ptrdiff_t>(begin), std::min<size_t>(4096, changed.size() - begin), 0);
      break;
    }
    case 4: { // two stretches swapped
      size_t length = 1 + position(changed.size() / 4), a = position(changed.size() - length),
             b = position(changed.size() - length);
      std::string first = changed.substr(a, length), second = changed.substr(b, length);
      changed.replace(a, length, second).replace(b, length, first);
      break;
    }
    case 5: // bytes put in
      changed.insert(position(changed.size()), std::string(1 + random() % 100, static_cast<char>(random())));
      break;
    }
  while (changed == bytes || changed.empty());
  return changed;
}

} // namespace

TEST_CASE("R4: flips, cuts and swaps of large entries are all found") {
  const int rounds = fullFigures() ? 10000 : 2000;
  std::mt19937_64 random(4);
  const std::string bytes = encodeEntry(sampleKey(2), sampleEntry(2, 60000));
  for (int round = 0; round < rounds; ++round) {
    std::string changed = spoil(bytes, random);
    if (decodeEntry(changed, sampleKey(2)) || decodeAnyEntry(changed))
      FAIL_CHECK("round " << round << ": not noticed");
  }
  CHECK(decodeEntry(bytes, sampleKey(2)));
}

TEST_CASE("R4: on disk, what is spoilt is a miss and is replaced") {
  std::mt19937_64 random(5);
  ScratchDirectory scratch;
  Expected<DiskCache> cache = DiskCache::open(scratch / "lacuna", {});
  REQUIRE(cache);
  CacheKey key = sampleKey(1);
  REQUIRE(cache->put(key, sampleEntry(1, 60000)));
  std::string path = scratch / ("lacuna/v1/" + key.hex().substr(0, 2) + "/" + key.hex() + ".lac");
  const std::string good = readFile(path);
  const int rounds = fullFigures() ? 1000 : 100;
  for (int round = 0; round < rounds; ++round) {
    writeFileAt(path, spoil(good, random));
    auto obtained = cache->obtain(key, []() -> Expected<CacheEntry> { return sampleEntry(1, 60000); });
    REQUIRE(obtained);
    CHECK(!obtained->found);
    REQUIRE(readFile(path) == good);
  }
  CHECK(cache->stats().hits == 0);
}
