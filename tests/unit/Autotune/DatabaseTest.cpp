#include "TestKernel.h"

#include "lacuna/Autotune/Database.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::autotune;
using lacuna::autotune::test::ScratchFile;

/// Runs SQL on a file behind the database's back.
static void execute(const std::string &path, const char *sql, sqlite3 **keep = nullptr) {
  sqlite3 *handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  if (keep)
    *keep = handle;
  else
    sqlite3_close(handle);
}

TEST_CASE("Database: records come back as they were put, the last of one point") {
  ScratchFile scratch;
  PointRecord first = test::pointRecord("128"), second = test::pointRecord("64", PointRecord::Status::Dropped);
  second.kind = "shared memory";
  second.reason = "too much, 'quoted' and \"so\"";
  {
    auto database = Database::open(scratch.path("new/dir/tuning.db"));
    REQUIRE(database);
    REQUIRE(database->put(first));
    REQUIRE(database->put(second));
    first.microseconds = 11;
    REQUIRE(database->put(first));
    REQUIRE(database->put(test::winnerRecord("128")));
  }
  auto database = Database::open(scratch.path("new/dir/tuning.db"));
  REQUIRE(database);
  auto points = database->points(first.key, first.shape);
  REQUIRE(points);
  REQUIRE(points->size() == 2);
  CHECK((*points)[0] == first);
  CHECK((*points)[1] == second);
  auto winners = database->winners("attention_forward", "NVIDIA H200");
  REQUIRE(winners);
  REQUIRE(winners->size() == 1);
  CHECK(winners->front() == test::winnerRecord("128"));
  CHECK(database->winners("attention_forward", "another")->empty());
  RecordKey other = first.key;
  other.hash = "h2";
  CHECK(database->points(other, first.shape)->empty());
}

TEST_CASE("Database: a newer form is refused and left as it is") {
  ScratchFile scratch;
  REQUIRE(Database::open(scratch.path()));
  execute(scratch.path(), "PRAGMA user_version=7");
  auto database = Database::open(scratch.path());
  REQUIRE_FALSE(database);
  CHECK(database.error().code == ErrorCode::Incompatible);
  CHECK(database.error().message.find("has form 7, and this version of Lacuna reads form 1") != std::string::npos);
  execute(scratch.path(), "PRAGMA user_version=1");
  CHECK(Database::open(scratch.path()));
}

TEST_CASE("Database: a database of something else is refused") {
  ScratchFile scratch;
  execute(scratch.path(), "CREATE TABLE mine(a)");
  auto database = Database::open(scratch.path());
  REQUIRE_FALSE(database);
  CHECK(database.error().code == ErrorCode::Incompatible);
}

TEST_CASE("Database: a damaged file is named, with what to do") {
  ScratchFile scratch;
  SUBCASE("no database at all") {
    std::ofstream(scratch.path()) << std::string(5000, 'x');
  }
  SUBCASE("pages overwritten") {
    {
      auto database = Database::open(scratch.path());
      REQUIRE(database);
      for (int index = 0; index < 300; ++index)
        REQUIRE(database->put(test::pointRecord(std::to_string(index))));
    }
    std::fstream file(scratch.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(3 * 4096, 'y');
  }
  auto database = Database::open(scratch.path());
  REQUIRE_FALSE(database);
  CHECK(database.error().code == ErrorCode::VerifyError);
  CHECK(database.error().message.find("it is damaged") != std::string::npos);
  CHECK(database.error().message.find("Move it away") != std::string::npos);
}

TEST_CASE("Database: bytes that changed, are gone or were put in: an error that names the file, or records") {
  ScratchFile scratch;
  const std::string path = scratch.path("tuning.db"), bad = scratch.path("bad.db");
  {
    auto database = Database::open(path);
    REQUIRE(database);
    for (const char *rows : {"64", "128", "192"}) {
      REQUIRE(database->put(test::pointRecord(rows)));
      REQUIRE(database->put(test::winnerRecord(rows)));
    }
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(stream)), {});
  REQUIRE(good.size() > 4096);
  std::mt19937_64 random(15);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    std::string changed = good;
    for (uint64_t count = 1 + random() % 8; count > 0; --count) {
      const size_t at = random() % changed.size();
      switch (random() % 4) {
      case 0:
        changed[at] = static_cast<char>(random());
        break;
      case 1: // a hole, as of a block that was not written
        std::fill_n(changed.begin() + static_cast<ptrdiff_t>(at), std::min<size_t>(512, changed.size() - at), 0);
        break;
      case 2:
        changed.resize(at + 1);
        break;
      case 3:
        changed[random() % 100] = static_cast<char>(random()); // the header
        break;
      }
    }
    for (const char *suffix : {"-wal", "-shm", "-journal"})
      std::filesystem::remove(bad + suffix);
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << changed;
    std::optional<Error> error;
    if (auto database = Database::openToRead(bad); !database)
      error = database.error();
    else if (auto winners = database->allWinners(); !winners)
      error = winners.error();
    else if (auto points = database->allPoints(); !points)
      error = points.error();
    if (auto writer = Database::open(bad); writer && !error)
      if (auto put = writer->put(test::winnerRecord("128")); !put)
        error = put.error();
    if (!error)
      continue; // What lies between records is nobody's, and text is text.
    ++refused;
    CHECK(error->code != ErrorCode::Internal);
    CHECK_MESSAGE(error->message.find("bad.db") != std::string::npos, error->message);
  }
  CHECK(refused > 100);
}

TEST_CASE("Database: a locked file is told after a while") {
  ScratchFile scratch;
  REQUIRE(Database::open(scratch.path()));
  sqlite3 *holder = nullptr;
  execute(scratch.path(), "BEGIN EXCLUSIVE", &holder);
  auto database = Database::open(scratch.path(), std::chrono::milliseconds(50));
  REQUIRE_FALSE(database);
  CHECK(database.error().code == ErrorCode::Unavailable);
  CHECK(database.error().message.find("another process holds its lock") != std::string::npos);
  sqlite3_close(holder);
  CHECK(Database::open(scratch.path()));
}

TEST_CASE("Database: a path that cannot be is refused with the path") {
  auto database = Database::open("/proc/none/tuning.db");
  REQUIRE_FALSE(database);
  CHECK(database.error().code == ErrorCode::Unavailable);
  CHECK(database.error().message.find("/proc/none") != std::string::npos);
  CHECK(Database::openToRead("/nonexistent/tuning.db").error().code == ErrorCode::NotFound);
}

TEST_CASE("Database: two writers take turns") {
  ScratchFile scratch;
  auto a = Database::open(scratch.path()), b = Database::open(scratch.path());
  REQUIRE(a);
  REQUIRE(b);
  REQUIRE(a->put(test::pointRecord("16")));
  REQUIRE(b->put(test::pointRecord("32")));
  CHECK(a->allPoints()->size() == 2);
}

namespace {

/// A folder that this process cannot write, also where root runs the tests.
class ReadOnly {
public:
  explicit ReadOnly(const std::string &folder) : folder(folder) {
    chmod(folder.c_str(), 0555);
    if (geteuid() == 0)
      lowered = seteuid(65534) == 0;
  }
  ~ReadOnly() {
    if (lowered)
      CHECK(seteuid(0) == 0);
    chmod(folder.c_str(), 0755);
  }

private:
  std::string folder;
  bool lowered = false;
};

} // namespace

TEST_CASE("Database: in a folder that cannot be written its records are still read") {
  ScratchFile scratch;
  const char *name = nullptr;
  SUBCASE("a plain name") {
    name = "tuning.db";
  }
  SUBCASE("a name that a URI must escape") {
    name = "tun?i%ng #1.db";
  }
  {
    auto database = Database::open(scratch.path(name));
    REQUIRE(database);
    REQUIRE(database->put(test::winnerRecord("128")));
  }
  ReadOnly readOnly(scratch.scratch.path);
  REQUIRE(access(scratch.scratch.path.c_str(), R_OK) == 0);
  auto database = Database::openToRead(scratch.path(name));
  REQUIRE_MESSAGE(database, database.error().message);
  auto winners = database->allWinners();
  REQUIRE_MESSAGE(winners, winners.error().message);
  CHECK(winners->size() == 1);
  CHECK_FALSE(database->put(test::winnerRecord("64")));
}

TEST_CASE("Database: its place follows the rules of the cache's directory") {
  using runtime::ScopedVariable;
  ScopedVariable unnamed("LACUNA_TUNING", nullptr), home("HOME", "/h"), cache("XDG_CACHE_HOME", "/x");
  CHECK(userDatabasePath() == "/x/lacuna/tuning.db");
  {
    ScopedVariable none("XDG_CACHE_HOME", nullptr);
    CHECK(userDatabasePath() == "/h/.cache/lacuna/tuning.db");
  }
  ScopedVariable relative("XDG_CACHE_HOME", "relative"); // Refused, as by the cache: not silently passed over.
  CHECK_FALSE(userDatabasePath());
  ScopedVariable named("LACUNA_TUNING", "/mine.db");
  CHECK(userDatabasePath() == "/mine.db");
}
