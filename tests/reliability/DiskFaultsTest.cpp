// R5 and R6. A disk that is full or cannot be written, and paths that somebody else prepared: the kernel is made all
// the same, one warning says why it is not stored, and nothing is written elsewhere.
#include "Worker.h"

#include <cerrno>
#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

WorkerFixture::Environment failing(const char *kind, int code) {
  return {{"LACUNA_FAULT_KIND", kind}, {"LACUNA_FAULT_CALL", "0"}, {"LACUNA_FAULT_ACTION", std::to_string(code)}};
}

size_t filesIn(const std::string &directory) {
  size_t count = 0;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(directory))
    count += entry.is_regular_file() && entry.path().filename() != "locks";
  return count;
}

} // namespace

TEST_CASE("R5: each call that writes fails, on a full disk, a broken one and a read-only one") {
  for (int code : {ENOSPC, EIO, EROFS, EDQUOT})
    for (const char *kind : {"create", "mkdir", "write", "fsync", "rename"}) {
      CAPTURE(kind);
      CAPTURE(code);
      WorkerFixture fixture;
      fixture.keys = 5;
      CHECK(fixture.run(1, failing(kind, code)) == 0);
      CHECK(fixture.warnings() == 1);
      CHECK(fixture.made().size() == 5);
      if (std::filesystem::exists(fixture.directory))
        CHECK(filesIn(fixture.directory) == 0); // The temporary file went too.
      // With the disk mended, the cache works.
      CHECK(fixture.run(2) == 0);
      CHECK(fixture.run(3) == 0);
      for (const auto &[key, count] : fixture.made())
        CHECK(count == 2);
    }
}

TEST_CASE("R5: what is stored is found where nothing can be written any more") {
  WorkerFixture fixture;
  fixture.keys = 3;
  REQUIRE(fixture.run(1) == 0);
  for (const char *kind : {"create", "mkdir", "write", "all"})
    CHECK(fixture.run(2, failing(kind, EROFS)) == 0);
  for (const auto &[key, count] : fixture.made())
    CHECK(count == 1);
  CHECK(fixture.errors() == "");
}

TEST_CASE("R5: a limit on file sizes is no end of the process") {
  WorkerFixture fixture;
  fixture.bytes = 20000;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit limit{10000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  pid_t worker = fixture.start(1);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(WorkerFixture::wait(worker) == 0);
  CHECK(fixture.warnings() == 1);
  CHECK(fixture.errors().find("limit on file sizes") != std::string::npos);
}

TEST_CASE("R6: a directory of another user's, or that others write, is not used") {
  WorkerFixture fixture;
  REQUIRE(fixture.run(1) == 0);
  // What root owns is trusted: there the directory is given away, elsewhere the worker takes itself for another.
  const uid_t owner = geteuid() == 0 ? 4321 : geteuid(), reader = geteuid() == 0 ? 0 : geteuid() + 1;
  WorkerFixture::Environment asOther = {{"LACUNA_FAULT_EUID", std::to_string(reader)}};
  if (geteuid() == 0)
    REQUIRE(chown(fixture.directory.c_str(), owner, 0) == 0);
  CHECK(fixture.run(2, asOther) == 0);
  CHECK(fixture.warnings() == 1);
  CHECK(fixture.errors().find(fmt::format("it belongs to user {}, not to {}", owner, reader)) != std::string::npos);
  CHECK(fixture.made()[0] == 2);
}

TEST_CASE("R6: links, FIFOs and files in the place of the cache's directories: nothing is written through them") {
  const std::string hex = sampleKey(0).hex();
  for (const std::string &place :
       {std::string(), std::string("/v1"), std::string("/v1/tmp"), "/v1/" + hex.substr(0, 2), std::string("/v1/locks")})
    for (const char *kind : {"link", "fifo", "file", "writable"}) {
      CAPTURE(place);
      CAPTURE(kind);
      WorkerFixture fixture;
      REQUIRE(mkdir((fixture.scratch / "elsewhere").c_str(), 0700) == 0);
      std::string path = fixture.directory + place, above = std::filesystem::path(path).parent_path();
      std::filesystem::create_directories(above);
      for (std::string made = above; made.size() >= fixture.directory.size();
           made = std::filesystem::path(made).parent_path())
        REQUIRE(chmod(made.c_str(), 0700) == 0);
      std::string_view what = kind;
      if (what == "link")
        REQUIRE(symlink((fixture.scratch / "elsewhere").c_str(), path.c_str()) == 0);
      if (what == "fifo")
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
      if (what == "file")
        writeFileAt(path, "");
      if (what == "writable")
        REQUIRE((mkdir(path.c_str(), 0700) == 0 && chmod(path.c_str(), 0777) == 0));
      CHECK(fixture.run(1) == 0);
      CHECK(fixture.made()[0] == 1);
      CHECK(filesIn(fixture.scratch / "elsewhere") == 0);
      // Without locks the cache works, as they only save work; a file is what they are.
      CHECK(fixture.warnings() == (place == "/v1/locks" ? 0 : 1));
    }
}

TEST_CASE("R6: a link in the place of an entry or a temporary file is not followed") {
  WorkerFixture fixture;
  const std::string hex = sampleKey(0).hex(), shard = fixture.directory + "/v1/" + hex.substr(0, 2);
  REQUIRE(fixture.run(1) == 0);
  std::string entry = shard + "/" + hex + ".lac", target = fixture.scratch / "target";
  std::filesystem::rename(entry, target);
  const std::string before = readFile(target);
  REQUIRE(symlink(target.c_str(), entry.c_str()) == 0);
  CHECK(fixture.run(2) == 0);
  CHECK(fixture.made()[0] == 2); // A good entry behind a link is a miss all the same.
  CHECK(readFile(target) == before);
  CHECK(std::filesystem::symlink_status(entry).type() == std::filesystem::file_type::regular);
}
