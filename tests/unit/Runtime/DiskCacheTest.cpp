#include "lacuna/Runtime/DiskCache.h"
#include "CacheSamples.h"
#include "ScratchDirectory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

struct Fixture {
  ScratchDirectory scratch;
  DiskCacheOptions options;
  DiskCache open() const {
    Expected<DiskCache> cache = DiskCache::open(scratch / "lacuna", options);
    REQUIRE_MESSAGE(cache, cache.error().message);
    return *cache;
  }
  std::string pathOf(const CacheKey &key) const {
    return scratch / ("lacuna/v1/" + key.hex().substr(0, 2) + "/" + key.hex() + ".lac");
  }
  size_t temporaries() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(scratch / "lacuna/v1/tmp"), {}));
  }
};

void setAge(const std::string &path, int64_t seconds) {
  timespec then{time(nullptr) - seconds, 0};
  timespec times[] = {then, then};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

} // namespace

TEST_CASE("what is put is got, by another object too") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  CHECK(cache.get(sampleKey(1)).error() == MissReason::Absent);
  for (int number : {1, 2})
    CHECK(cache.put(sampleKey(number), sampleEntry(number)));
  for (const DiskCache &each : {cache, fixture.open()})
    for (int number : {1, 2}) {
      auto got = each.get(sampleKey(number));
      REQUIRE(got);
      CHECK(*got == sampleEntry(number));
    }
  DiskCacheStats stats = cache.stats();
  CHECK(stats.hits == 2);
  CHECK(stats.stored == 2);
  CHECK(stats.missesFor(MissReason::Absent) == 1);
  CHECK(fixture.temporaries() == 0);
  struct stat status{};
  REQUIRE(stat(fixture.pathOf(sampleKey(1)).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("a file that is not as it should be is a miss with its reason, and is replaced") {
  Fixture fixture;
  fixture.options.entryLimit = 4096;
  CacheKey key = sampleKey(1);
  std::string path = fixture.pathOf(key), good = encodeEntry(key, sampleEntry(1));
  struct Case {
    MissReason reason;
    std::function<void()> spoil;
  };
  const Case cases[] = {
      {MissReason::Truncated, [&] { REQUIRE(truncate(path.c_str(), 100) == 0); }},
      {MissReason::Truncated, [&] { REQUIRE(truncate(path.c_str(), 0) == 0); }},
      {MissReason::Truncated, [&] { writeFileAt(path, good + "x"); }},
      {MissReason::NotAnEntry, [&] { writeFileAt(path, std::string(200, 'x')); }},
      {MissReason::OtherVersion, [&] { writeFileAt(path, std::string(good).replace(8, 1, "\2")); }},
      {MissReason::Damaged, [&] { writeFileAt(path, std::string(good).replace(100, 1, "\377")); }},
      {MissReason::OtherKey, [&] { writeFileAt(path, encodeEntry(sampleKey(2), sampleEntry(2))); }},
      {MissReason::TooLarge, [&] { REQUIRE(truncate(path.c_str(), 5000) == 0); }},
      {MissReason::WritableByOthers, [&] { REQUIRE(chmod(path.c_str(), 0620) == 0); }},
      {MissReason::WritableByOthers, [&] { REQUIRE(chmod(path.c_str(), 0602) == 0); }},
      {MissReason::NotAFile, [&] { REQUIRE((unlink(path.c_str()) == 0 && mkfifo(path.c_str(), 0600) == 0)); }},
      {MissReason::NotAFile,
       [&] {
         std::string elsewhere = fixture.scratch / "elsewhere";
         writeFileAt(elsewhere, good);
         REQUIRE((unlink(path.c_str()) == 0 && symlink(elsewhere.c_str(), path.c_str()) == 0));
       }},
  };
  for (const Case &each : cases) {
    CAPTURE(missReasonName(each.reason));
    DiskCache cache = fixture.open();
    REQUIRE(cache.put(key, sampleEntry(1)));
    each.spoil();
    CHECK(cache.get(key).error() == each.reason);
    CHECK(cache.stats().missesFor(each.reason) == 1);
    auto obtained = cache.obtain(key, [&]() -> Expected<CacheEntry> { return sampleEntry(1); });
    REQUIRE(obtained);
    CHECK(!obtained->found);
    auto got = cache.get(key);
    REQUIRE(got);
    CHECK(*got == sampleEntry(1));
  }
  CHECK(readFile(fixture.scratch / "elsewhere") == good); // The link was replaced, not what it pointed to.
}

TEST_CASE("of those that ask at once one makes") {
  Fixture fixture;
  std::atomic<int> made{0}, found{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number)
    threads.emplace_back([&] {
      auto cache = DiskCache::open(fixture.scratch / "lacuna", {});
      auto obtained = cache->obtain(sampleKey(1), [&]() -> Expected<CacheEntry> {
        ++made;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return sampleEntry(1);
      });
      found += obtained && obtained->found && obtained->entry == sampleEntry(1);
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(made == 1);
  CHECK(found == 7);
}

TEST_CASE("a lock that is not given back costs a second compilation, no more") {
  Fixture fixture;
  fixture.options.lockTimeout = std::chrono::milliseconds(30);
  DiskCache cache = fixture.open();
  auto outer = cache.obtain(sampleKey(1), [&]() -> Expected<CacheEntry> {
    auto inner = fixture.open().obtain(sampleKey(1), [&]() -> Expected<CacheEntry> { return sampleEntry(1); });
    CHECK(inner.value().found == false);
    auto other = fixture.open().obtain(sampleKey(2), [&]() -> Expected<CacheEntry> { return sampleEntry(2); });
    CHECK(other.value().found == false); // Another key has another lock.
    return sampleEntry(1);
  });
  CHECK(outer.value().found == false);
}

TEST_CASE("a failure to make is the asker's, and stores nothing") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  auto failed =
      cache.obtain(sampleKey(1), [&]() -> Expected<CacheEntry> { return makeError(ErrorCode::CompileFailed, "no"); });
  REQUIRE(!failed);
  CHECK(failed.error().message == "no");
  CHECK(cache.list().empty());
}

TEST_CASE("the entries used longest ago go when the limit is passed, and stale temporary files") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  for (int number = 0; number < 6; ++number) {
    REQUIRE(cache.put(sampleKey(number), sampleEntry(number, 1000)));
    setAge(fixture.pathOf(sampleKey(number)), 1000 - number);
  }
  CHECK(cache.get(sampleKey(0))); // used now
  writeFileAt(fixture.scratch / "lacuna/v1/tmp/old", "x");
  writeFileAt(fixture.scratch / "lacuna/v1/tmp/new", "x");
  setAge(fixture.scratch / "lacuna/v1/tmp/old", 3700);
  uint64_t bytes = 0;
  for (const ListedEntry &entry : cache.list())
    bytes += entry.bytes;
  PruneResult pruned = cache.prune(bytes / 2);
  CHECK(pruned.removed == 3);
  CHECK(pruned.kept == 3);
  CHECK(pruned.keptBytes <= bytes / 2);
  CHECK(pruned.keptBytes + pruned.removedBytes == bytes);
  CHECK(pruned.stale == 1);
  CHECK(std::filesystem::exists(fixture.scratch / "lacuna/v1/tmp/new"));
  for (int number : {0, 4, 5})
    CHECK(cache.get(sampleKey(number)));
  for (int number : {1, 2, 3})
    CHECK(cache.get(sampleKey(number)).error() == MissReason::Absent);
}

TEST_CASE("putting keeps to the limit by itself") {
  Fixture fixture;
  fixture.options.sizeLimit = 20000;
  DiskCache cache = fixture.open();
  for (int number = 0; number < 40; ++number)
    REQUIRE(cache.put(sampleKey(number), sampleEntry(number, 2000)));
  uint64_t bytes = 0;
  for (const ListedEntry &entry : cache.list())
    bytes += entry.bytes;
  CHECK(bytes <= 20000);
  CHECK(bytes > 10000);
  CHECK(cache.stats().evicted > 20);
}

TEST_CASE("a directory that somebody removed is made again") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  std::filesystem::remove_all(fixture.scratch / "lacuna");
  CHECK(cache.get(sampleKey(1)).error() == MissReason::Absent);
  CHECK(cache.put(sampleKey(1), sampleEntry(1)));
  CHECK(cache.get(sampleKey(1)));
}

TEST_CASE("a folder in it that somebody removed is made again") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  REQUIRE(cache.put(sampleKey(1), sampleEntry(1)));
  for (const char *removed : {"lacuna/v1/tmp", "lacuna/v1"}) { // v1/tmp: by a cleaner of temporary files
    CAPTURE(removed);
    std::filesystem::remove_all(fixture.scratch / removed);
    CHECK(cache.put(sampleKey(1), sampleEntry(1)));
    CHECK(cache.get(sampleKey(1)));
    std::filesystem::remove_all(fixture.scratch / removed);
    cache.setNote("tool", removed);
    CHECK(cache.note("tool") == removed);
  }
  CHECK(cache.stats().storeFailures == 0);
}

TEST_CASE("reading by name checks an entry by itself") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  CacheKey key = sampleKey(1);
  REQUIRE(cache.put(key, sampleEntry(1)));
  auto read = cache.read(key.hex());
  REQUIRE(read);
  CHECK(read->key.fields == key.fields);
  std::string other = sampleKey(2).hex();
  std::filesystem::create_directories(std::filesystem::path(fixture.pathOf(sampleKey(2))).parent_path());
  std::filesystem::copy_file(fixture.pathOf(key), fixture.pathOf(sampleKey(2)));
  CHECK(cache.read(other).error() == MissReason::OtherKey);
  CHECK(cache.removeFile(other));
  CHECK(!cache.removeFile(other));
  CHECK(cache.read(other).error() == MissReason::Absent);
}

TEST_CASE("a note is whole or not there") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  CHECK(!cache.note("tool"));
  cache.setNote("tool", "13.0.88");
  CHECK(cache.note("tool") == "13.0.88");
  CHECK(!cache.note("too"));
  cache.setNote("tool", "");
  CHECK(fixture.open().note("tool") == "");
  cache.setNote("tool", "13.1.5");
  std::string path = std::filesystem::directory_iterator(fixture.scratch / "lacuna/v1/notes")->path();
  std::string good = readFile(path);
  for (size_t index = 0; index < good.size(); ++index) {
    std::string bad = good;
    bad[index] ^= 4;
    writeFileAt(path, bad);
    CHECK(!cache.note("tool"));
    writeFileAt(path, good.substr(0, index));
    CHECK(!cache.note("tool"));
  }
  writeFileAt(path, good);
  CHECK(cache.note("tool") == "13.1.5");
}

TEST_CASE("notes are counted, go when nobody reads them, and all at once") {
  Fixture fixture;
  DiskCache cache = fixture.open();
  CHECK(cache.notes().count == 0);
  CHECK(cache.clearNotes() == 0);
  for (const char *name : {"one", "two", "three"})
    cache.setNote(name, "text");
  CHECK(cache.notes().count == 3);
  cache.setNote(DiskCache::kFillersNote, "13.0.88\n");
  CHECK(cache.notes().bytes >= 3 * 4);
  for (const auto &file : std::filesystem::directory_iterator(fixture.scratch / "lacuna/v1/notes"))
    setAge(file.path(), 31 * 24 * 3600);
  CHECK(cache.note("two")); // used now
  CHECK(cache.prune(UINT64_MAX).notes == 2);
  CHECK(cache.note("two"));
  CHECK_FALSE(cache.note("one"));
  CHECK(cache.note(DiskCache::kFillersNote)); // Without it LACUNA_JIT=off finds no kernel.
  CHECK(cache.clearNotes() == 2);
  CHECK(cache.notes().count == 0);
}
