#include "TestKernel.h"

#include "lacuna/Autotune/Exchange.h"

#include <sqlite3.h>

using namespace lacuna;
using namespace lacuna::autotune;

static std::string refusal(std::string_view text) {
  auto records = recordsFromJson("r.json", text);
  REQUIRE_FALSE(records);
  return records.error().message;
}

TEST_CASE("Exchange: export and import give the same records") {
  auto database = Database::open("");
  REQUIRE(database);
  REQUIRE(database->put(test::pointRecord("128")));
  PointRecord failed = test::pointRecord("16", PointRecord::Status::Failed);
  failed.kind = "crash";
  failed.reason = "signal 11";
  REQUIRE(database->put(failed));
  REQUIRE(database->put(test::winnerRecord("128")));
  auto exported = exportRecords(*database);
  REQUIRE(exported);
  std::string json = recordsToJson(*exported);
  auto read = recordsFromJson("r.json", json);
  REQUIRE(read);
  CHECK(read->points == exported->points);
  CHECK(read->winners == exported->winners);
  CHECK(recordsToJson(*read) == json);

  auto other = Database::open("");
  REQUIRE(other);
  auto counts = mergeRecords(*other, *read);
  REQUIRE(counts);
  CHECK(counts->taken == 3);
  CHECK(counts->kept == 0);
  CHECK(recordsToJson(*exportRecords(*other)) == json);
}

TEST_CASE("Exchange: of two records of one thing the newer one stays, whichever side has it") {
  auto database = Database::open("");
  REQUIRE(database);
  WinnerRecord present = test::winnerRecord("128"), newer = test::winnerRecord("64"), older = test::winnerRecord("16");
  newer.time = present.time + 1;
  older.time = present.time - 1;
  REQUIRE(database->put(present));
  auto counts = mergeRecords(*database, {{older, newer, older}, {}});
  REQUIRE(counts);
  CHECK(counts->taken == 1);
  CHECK(counts->kept == 2);
  auto winners = database->allWinners();
  REQUIRE(winners->size() == 1);
  CHECK(winners->front() == newer);
}

TEST_CASE("Exchange: texts that are no records are refused with what is wrong") {
  CHECK(refusal("{").find("holds no tuning records") != std::string::npos);
  CHECK(refusal("[]").find("holds no tuning records") != std::string::npos);
  CHECK(refusal(R"({"format":"lacuna-tuning","version":9})").find("has version 9") != std::string::npos);
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"winners":3})") == "r.json: 'winners' is no list");
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"winners":[3]})") == "r.json: winner 1 is no object");
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"winners":[{"machine":"a"}]})") ==
        "r.json: winner 1 lacks 'kernel'");
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"winners":[{"kernel":"k","machine":"a","shape":"M=1",)"
                R"("point":"x"}]})")
            .find("winner 1 has a 'point' where 'x'") != std::string::npos);
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"points":[{"kernel":"k","machine":"a","shape":"M=1",)"
                R"("point":"a=1","status":"odd"}]})")
            .find("the status 'odd'") != std::string::npos);
  CHECK(refusal(R"({"format":"lacuna-tuning","version":1,"points":[{"kernel":"k","machine":"a","shape":"M=1",)"
                R"("point":"a=1","status":"lost","us":"fast"}]})")
            .find("'us' that is no number") != std::string::npos);
  auto withNumber = [](const char *number) {
    return fmt::format(R"({{"format":"lacuna-tuning","version":1,"points":[{{"kernel":"k","machine":"a","shape":"M=1",)"
                       R"("point":"a=1","status":"lost",{}}}]}})",
                       number);
  };
  CHECK(refusal(withNumber(R"("time":1e300)")).find("has the 'time' 1e+300; it must be whole seconds") !=
        std::string::npos);
  CHECK(refusal(withNumber(R"("time":1.5)")).find("has the 'time' 1.5") != std::string::npos);
  CHECK(refusal(withNumber(R"("time":-5)")).find("has the 'time' -5; it must be 0 or more") != std::string::npos);
  for (const char *name : {"us", "preset_us", "predicted", "spread"})
    CHECK(refusal(withNumber(fmt::format("\"{}\":-5", name).c_str())) ==
          fmt::format("r.json: point 1 has the '{}' -5; it must be 0 or more", name));
  CHECK(recordsFromJson("r.json", withNumber(R"("us":3.5,"time":1700000000)")));
}

TEST_CASE("Exchange: a merge that fails half way leaves the database as it was") {
  test::ScratchFile scratch;
  auto database = Database::open(scratch.path());
  REQUIRE(database);
  sqlite3 *handle = nullptr;
  REQUIRE(sqlite3_open(scratch.path().c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle,
                     "CREATE TRIGGER full BEFORE INSERT ON point WHEN NEW.point LIKE '%BN=64%' BEGIN "
                     "SELECT RAISE(FAIL, 'no space'); END",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
  Records records{{test::winnerRecord("128")}, {test::pointRecord("128"), test::pointRecord("64")}};
  auto counts = mergeRecords(*database, records);
  REQUIRE_FALSE(counts);
  CHECK(counts.error().message.find("no space") != std::string::npos);
  CHECK(database->allWinners()->empty());
  CHECK(database->allPoints()->empty());
  CHECK(database->put(test::pointRecord("128"))); // and it goes on
}
