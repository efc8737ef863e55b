#include "lacuna/Runtime/CacheDirectory.h"
#include "CacheSamples.h"
#include "ScratchDirectory.h"
#include "lacuna/Runtime/DiskCache.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// Opens and closes a cache directory; what is wrong with it, or "".
std::string fault(const std::string &path, bool create = true) {
  Expected<int> opened = openCacheDirectory(path, create);
  if (!opened)
    return opened.error().message;
  close(*opened);
  return "";
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

int modeOf(const std::string &path) {
  struct stat status{};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

} // namespace

TEST_CASE("the directory is LACUNA_CACHE_DIR, then XDG's, then the home's") {
  ScopedVariable xdg("XDG_CACHE_HOME", "/x"), home("HOME", "/h");
  Knobs knobs;
  knobs.cacheDirectory = "/c/d/";
  CHECK(chooseCacheDirectory(knobs).value() == "/c/d");
  knobs.cacheDirectory = "";
  CHECK(chooseCacheDirectory(knobs).value() == "/x/lacuna");
  CHECK(userCacheDirectory().value() == "/x/lacuna");
  ScopedVariable noXdg("XDG_CACHE_HOME", nullptr);
  CHECK(chooseCacheDirectory(knobs).value() == "/h/.cache/lacuna");
  ScopedVariable noHome("HOME", nullptr);
  Expected<std::string> none = chooseCacheDirectory(knobs);
  REQUIRE(!none);
  CHECK(none.error().code == ErrorCode::Unavailable);
  CHECK(contains(none.error().message, "HOME is not set; set LACUNA_CACHE_DIR"));
}

TEST_CASE("a path that depends on where one stands, or climbs, is refused") {
  Knobs knobs;
  for (const char *path : {"cache", "./cache", "/", "//", "/a/../b", "/a/..", "../b", "/../b"}) {
    CAPTURE(path);
    knobs.cacheDirectory = path;
    Expected<std::string> chosen = chooseCacheDirectory(knobs);
    REQUIRE(!chosen);
    CHECK(chosen.error().code == ErrorCode::InvalidArgument);
    CHECK(contains(chosen.error().message, "from LACUNA_CACHE_DIR"));
    CHECK(contains(chosen.error().message, "give an absolute path without '..'"));
  }
  knobs.cacheDirectory = "/a..b/..c";
  CHECK(chooseCacheDirectory(knobs));
}

TEST_CASE("what is missing is made for this user alone") {
  ScratchDirectory scratch;
  CHECK(contains(fault(scratch / "a/b/lacuna", /*create=*/false), "there is no cache directory"));
  CHECK(fault(scratch / "a/b/lacuna") == "");
  for (const char *made : {"a", "a/b", "a/b/lacuna"})
    CHECK(modeOf(scratch / made) == 0700);
  CHECK(fault(scratch / "a/b/lacuna", /*create=*/false) == "");
}

TEST_CASE("a directory that others may have a say in is refused, with the reason") {
  ScratchDirectory scratch;
  REQUIRE(mkdir((scratch / "real").c_str(), 0700) == 0);
  REQUIRE(symlink((scratch / "real").c_str(), (scratch / "link").c_str()) == 0);
  CHECK(contains(fault(scratch / "link"), "it is a link"));
  CHECK(fault(scratch / "link/lacuna") == ""); // A link above, such as a moved home, is no fault.
  REQUIRE(symlink((scratch / "nowhere").c_str(), (scratch / "dangling").c_str()) == 0);
  CHECK(contains(fault(scratch / "dangling"), "it is a link"));
  CHECK(!std::filesystem::exists(scratch / "nowhere"));

  writeFileAt(scratch / "file", "x");
  CHECK(contains(fault(scratch / "file"), "is not a directory"));
  CHECK(contains(fault(scratch / "file/lacuna"), "Not a directory"));
  REQUIRE(mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK(contains(fault(scratch / "fifo"), "is not a directory"));

  for (mode_t mode : {0720, 0702, 0777}) {
    REQUIRE(chmod((scratch / "real").c_str(), mode) == 0);
    CHECK(contains(fault(scratch / "real"), "can be written by others"));
  }
  REQUIRE(mkdir((scratch / "open").c_str(), 0700) == 0);
  REQUIRE(mkdir((scratch / "open/above").c_str(), 0700) == 0);
  REQUIRE(chmod((scratch / "open").c_str(), 0777) == 0);
  CHECK(contains(fault(scratch / "open/lacuna"), "open can be written by everyone"));
  CHECK(contains(fault(scratch / "open/above/lacuna"), "open can be written by everyone"));
  REQUIRE(chmod((scratch / "open").c_str(), 01777) == 0); // as /tmp
  CHECK(fault(scratch / "open/lacuna") == "");
}

TEST_CASE("LACUNA_CACHE takes three words") {
  Knobs knobs;
  CHECK(cacheModeOf(knobs).value() == CacheMode::Disk);
  knobs.cache = "memory";
  CHECK(cacheModeOf(knobs).value() == CacheMode::Memory);
  knobs.cache = "off";
  CHECK(cacheModeOf(knobs).value() == CacheMode::Off);
  knobs.cache = "yes";
  CHECK(cacheModeOf(knobs).error().message == "LACUNA_CACHE=yes: give disk, memory or off");
}

TEST_CASE("a cache that root filled serves every user; one of another user serves nobody else") {
  if (geteuid() != 0)
    return; // Only root can make files of others.
  ScratchDirectory scratch;
  const std::string cache = scratch / "cache";
  Expected<DiskCache> filled = DiskCache::open(cache, {});
  REQUIRE(filled);
  REQUIRE(filled->put(sampleKey(1), sampleEntry(1, 100)));
  namespace fs = std::filesystem;
  constexpr fs::perms kReadable = fs::perms::group_read | fs::perms::others_read;
  fs::permissions(scratch.path, fs::perms(0755));
  fs::permissions(cache, fs::perms(0755));
  for (const auto &entry : fs::recursive_directory_iterator(cache))
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0755) : kReadable, fs::perm_options::add);
  constexpr uid_t kServer = 1234, kOther = 4321;
  auto found = [&] {
    REQUIRE(seteuid(kServer) == 0);
    auto opened = DiskCache::open(cache, {});
    const bool is = opened && opened->get(sampleKey(1));
    REQUIRE(seteuid(0) == 0);
    return is;
  };
  CHECK(found());
  REQUIRE(chown((cache + "/v1").c_str(), kOther, 0) == 0);
  CHECK(!found());
}
