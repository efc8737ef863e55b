// The tuner with a workshop of tables and a clock that moves by what is timed.
#include "TestKernel.h"

#include "lacuna/Autotune/Tuner.h"

#include <set>

using namespace lacuna;
using namespace lacuna::autotune;

namespace {

using Status = PointRecord::Status;

/// Facts and times of each point of the test kernel; what it was asked.
struct FakeWorkshop : Workshop {
  std::map<std::string, Expected<Facts>> facts;
  std::map<std::string, double> microseconds;
  std::set<std::string> crashing, uncompilable;
  double secondsToAnalyze = 0, secondsToCompile = 0, secondsOfTurn = 0;
  void pass(double seconds) {
    now += std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(seconds));
  }
  TimePoint now{};
  std::vector<std::string> analyzed, compiled, timed;
  int opened = 0;

  FakeWorkshop() {
    for (const char *bm : {"64", "128", "192"})
      for (const char *bn : {"64", "128", "256"}) {
        std::string text = fmt::format("BM={} BN={}", bm, bn);
        Facts fact{.sharedBytes = 100000, .registersNeeded = 100, .registersPresent = 240, .predictedFraction = 0.9};
        facts.emplace(text, fact);
        microseconds[text] = 1000;
      }
  }
  Clock clock() {
    return [this] { return now; };
  }
  void analyze(const Variant &, const std::vector<Point> &points, TimePoint,
               const std::function<void(size_t, Expected<Facts>)> &sink) override {
    for (size_t index = 0; index < points.size(); ++index) {
      analyzed.push_back(settingsText(points[index]));
      pass(secondsToAnalyze);
      sink(index, facts.at(settingsText(points[index])));
    }
  }
  void compile(const Variant &, const std::vector<Point> &points, TimePoint deadline,
               const std::function<void(size_t, Expected<Json>)> &sink) override {
    for (size_t index = 0; index < points.size() && now < deadline; ++index) {
      std::string text = settingsText(points[index]);
      compiled.push_back(text);
      pass(secondsToCompile);
      if (uncompilable.contains(text))
        sink(index, makeError(ErrorCode::ToolFailed, "did not end in time and was stopped"));
      else
        sink(index, Json::object());
    }
  }
  struct FakeBench : Bench {
    explicit FakeBench(FakeWorkshop &shop) : shop(shop) {}
    Expected<std::vector<double>> time(const Candidate &candidate, int launches) override {
      std::string text = settingsText(candidate.point);
      shop.timed.push_back(text);
      if (shop.crashing.contains(text))
        return makeError(ErrorCode::ToolFailed, "the process was ended by signal 11");
      double each = shop.microseconds.at(text);
      shop.pass(shop.secondsOfTurn + 1e-6 * each * (launches + 1));
      return std::vector<double>(static_cast<size_t>(launches), each);
    }
    FakeWorkshop &shop;
  };
  Expected<std::unique_ptr<Bench>> open(const Variant &, const Shape &, Candidate) override {
    ++opened;
    return std::make_unique<FakeBench>(*this);
  }
};

struct Notes : Progress {
  void start(int64_t, double) override {}
  void update(const ProgressState &state) override { fractions.push_back(state.fraction); }
  void point(const PointRecord &record) override { points.push_back(settingsText(record.point)); }
  void winner(const WinnerRecord &) override { ++winners; }
  void note(const std::string &text) override { notes.push_back(text); }
  void end() override { ++ends; }
  std::vector<double> fractions;
  std::vector<std::string> points, notes;
  int winners = 0, ends = 0;
};

TuneCase caseOf(std::string_view shape) {
  KernelDescription kernel = test::attentionLike();
  auto parsed = parseShape(shape, kernel);
  REQUIRE(parsed);
  Variant variant{kernel, parsed->fixedParams(kernel), parsed->keepHook(), test::h200()};
  return {std::move(variant), std::move(*parsed), {{"BM", "128"}, {"BN", "128"}}};
}

struct Bed {
  FakeWorkshop shop;
  Notes notes;
  Database database = std::move(*Database::open(""));
  TuneOptions options;

  std::vector<CaseResult> run(const std::vector<TuneCase> &cases) {
    auto results = Tuner(shop, database, notes, options, shop.clock()).run(cases);
    REQUIRE(results);
    return std::move(*results);
  }
  const PointRecord &recordOf(const CaseResult &result, const std::string &point) {
    for (const PointRecord &record : result.points)
      if (settingsText(record.point) == point)
        return record;
    FAIL("no record of ", point);
    return result.points.front();
  }
};

} // namespace

TEST_CASE("Tuner: the fastest point wins, every point has a record, the progress only grows") {
  Bed bed;
  bed.shop.microseconds["BM=192 BN=128"] = 900;
  auto results = bed.run({caseOf("M=4096")});
  REQUIRE(results.size() == 1);
  REQUIRE(results[0].winner);
  CHECK(settingsText(results[0].winner->point) == "BM=192 BN=128");
  CHECK(results[0].winner->microseconds == 900);
  CHECK(results[0].winner->presetMicroseconds == 1000);
  CHECK(results[0].points.size() == 9);
  CHECK(results[0].notReached == 0);
  CHECK(bed.database.allPoints()->size() == 9);
  CHECK(bed.database.allWinners()->size() == 1);
  CHECK(std::is_sorted(bed.notes.fractions.begin(), bed.notes.fractions.end()));
  CHECK(bed.notes.fractions.back() <= 1);
  CHECK(bed.notes.ends == 1);
  CHECK(bed.shop.opened == 1);
}

TEST_CASE("Tuner: where nothing is faster the default wins") {
  Bed bed;
  for (auto &[point, microseconds] : bed.shop.microseconds)
    microseconds = point == "BM=128 BN=128" ? 1000 : 1001;
  auto results = bed.run({caseOf("M=4096")});
  CHECK(settingsText(results[0].winner->point) == "BM=128 BN=128");
}

TEST_CASE("Tuner: what is pruned is never compiled, and says why") {
  Bed bed;
  bed.shop.facts.at("BM=64 BN=256")->sharedBytes = 240000;
  bed.shop.facts.at("BM=128 BN=256")->registersNeeded = 300;
  bed.shop.facts.at("BM=192 BN=256") = makeError(ErrorCode::InvalidArgument, "f:1:1: error: the params break this");
  bed.shop.facts.at("BM=64 BN=64")->predictedFraction = 0.2;
  auto results = bed.run({caseOf("M=4096")});
  const CaseResult &result = results[0];
  CHECK(bed.recordOf(result, "BM=64 BN=256").kind == "shared memory");
  CHECK(bed.recordOf(result, "BM=128 BN=256").kind == "registers");
  CHECK(bed.recordOf(result, "BM=192 BN=256").kind == "constraint");
  CHECK(bed.recordOf(result, "BM=64 BN=64").kind == "cost model");
  for (const char *point : {"BM=64 BN=256", "BM=128 BN=256", "BM=192 BN=256", "BM=64 BN=64"}) {
    CHECK(bed.recordOf(result, point).status == Status::Dropped);
    CHECK(std::find(bed.shop.compiled.begin(), bed.shop.compiled.end(), point) == bed.shop.compiled.end());
  }
  CHECK(bed.shop.compiled.front() == "BM=128 BN=128"); // the default first
}

TEST_CASE("Tuner: a crash or a hang costs that candidate only") {
  Bed bed;
  bed.shop.uncompilable = {"BM=64 BN=64"};
  bed.shop.crashing = {"BM=192 BN=64"};
  bed.shop.microseconds["BM=64 BN=128"] = 800;
  auto results = bed.run({caseOf("M=4096")});
  CHECK(bed.recordOf(results[0], "BM=64 BN=64").status == Status::Failed);
  CHECK(bed.recordOf(results[0], "BM=64 BN=64").kind == "crash");
  CHECK(bed.recordOf(results[0], "BM=192 BN=64").status == Status::Failed);
  CHECK(bed.recordOf(results[0], "BM=192 BN=64").reason == "the process was ended by signal 11");
  CHECK(settingsText(results[0].winner->point) == "BM=64 BN=128");
  CHECK(results[0].points.size() == 9);
}

TEST_CASE("Tuner: a default that cannot run is replaced by the best prediction") {
  Bed bed;
  bed.shop.uncompilable = {"BM=128 BN=128"};
  bed.shop.facts.at("BM=192 BN=128")->predictedFraction = 1;
  auto results = bed.run({caseOf("M=4096")});
  REQUIRE(results[0].winner);
  CHECK(settingsText(results[0].preset) == "BM=192 BN=128");
}

TEST_CASE("Tuner: a budget too small keeps the best so far and counts what is left") {
  Bed bed;
  bed.options.budgetSeconds = 10;
  bed.shop.secondsToCompile = 1.5; // six tenths of the budget are for compiling: four points
  auto results = bed.run({caseOf("M=4096")});
  REQUIRE(results[0].winner);
  CHECK(results[0].notReached == 5);
  REQUIRE(bed.notes.notes.size() == 1);
  CHECK(bed.notes.notes[0].find("the budget ended; 5 of 9 points are left. The best so far is kept") !=
        std::string::npos);

  bed.options.resume = true;
  bed.options.budgetSeconds = 100;
  bed.shop.secondsToCompile = 0;
  bed.shop.timed.clear();
  bed.shop.microseconds["BM=192 BN=256"] = 700;
  results = bed.run({caseOf("M=4096")});
  CHECK(results[0].resumed == 4);
  CHECK(results[0].notReached == 0);
  CHECK(results[0].points.size() == 9);
  CHECK(settingsText(results[0].winner->point) == "BM=192 BN=256");
}

TEST_CASE("Tuner: a budget that is over before anything was timed still times the default") {
  Bed bed;
  bed.options.budgetSeconds = 1;
  bed.shop.secondsToCompile = 5;
  auto results = bed.run({caseOf("M=4096")});
  REQUIRE(results[0].winner);
  CHECK(settingsText(results[0].winner->point) == "BM=128 BN=128");
  CHECK(results[0].notReached == 8);
}

TEST_CASE("Tuner: resumed, what is known is not done again; without, everything is") {
  Bed bed;
  bed.run({caseOf("M=4096")});
  size_t before = bed.shop.timed.size();
  bed.options.resume = true;
  auto again = bed.run({caseOf("M=4096")});
  CHECK(again[0].resumed == 9);
  CHECK(bed.shop.timed.size() == before);
  CHECK(again[0].winner);
  bed.options.resume = false;
  auto anew = bed.run({caseOf("M=4096")});
  CHECK(anew[0].resumed == 0);
  CHECK(bed.shop.timed.size() > before);
}

TEST_CASE("Tuner: shapes of one variant share analysis and compilation; another shape's records stay") {
  Bed bed;
  auto results = bed.run({caseOf("M=4096"), caseOf("M=8192"), caseOf("M=4096 pattern=causal")});
  CHECK(results.size() == 3);
  CHECK(bed.shop.analyzed.size() == 18);
  CHECK(bed.shop.compiled.size() == 18);
  CHECK(bed.database.allWinners()->size() == 3);
  CHECK(bed.shop.opened == 3);
}

TEST_CASE("Tuner: a new candidate is measured beside the default; the old ones are not measured again") {
  Bed bed;
  bed.run({caseOf("M=4096")});
  bed.shop.timed.clear();
  bed.options.resume = true;
  TuneCase wider = caseOf("M=4096");
  wider.variant.kernel.knobs[1].values.push_back("512");
  for (const char *bm : {"64", "128", "192"}) {
    bed.shop.facts.emplace(fmt::format("BM={} BN=512", bm), Facts{.predictedFraction = 0.9});
    bed.shop.microseconds[fmt::format("BM={} BN=512", bm)] = 600;
  }
  bed.options.finalists = 1;
  auto results = bed.run({wider});
  CHECK(results[0].resumed == 9);
  CHECK(results[0].winner->point.at("BN") == "512");
  std::set<std::string> timed(bed.shop.timed.begin(), bed.shop.timed.end());
  CHECK(timed == std::set<std::string>{"BM=128 BN=128", "BM=64 BN=512", "BM=128 BN=512", "BM=192 BN=512"});
}

TEST_CASE("Tuner: a run that begins anew and is ended early keeps the earlier records and the better-found winner") {
  Bed bed;
  bed.shop.microseconds["BM=192 BN=256"] = 700;
  bed.run({caseOf("M=4096")});
  const std::vector<PointRecord> before = *bed.database.allPoints();
  REQUIRE(before.size() == 9);
  bed.options.budgetSeconds = 1; // The default alone is compiled and timed.
  bed.shop.secondsToCompile = 5;
  auto results = bed.run({caseOf("M=4096")});
  CHECK(results[0].notReached == 8);
  CHECK(results[0].leftOver == 0);
  CHECK(bed.database.allPoints()->size() == 9);
  REQUIRE(bed.database.allWinners()->size() == 1);
  CHECK(settingsText(bed.database.allWinners()->front().point) == "BM=192 BN=256");
  REQUIRE(results[0].winner);
  CHECK(results[0].winnerIsEarlier);
  CHECK(settingsText(results[0].winner->point) == "BM=192 BN=256");
  REQUIRE_FALSE(bed.notes.notes.empty());
  CHECK(bed.notes.notes.back().find("The winner of an earlier run stays: BM=192 BN=256. Those have an earlier run's") !=
        std::string::npos);

  // One that is further ahead of the default takes its place, and so does any that was found among all points.
  bed.options.budgetSeconds = 10;
  bed.shop.secondsToCompile = 2; // The default, what won before, and one more.
  bed.shop.microseconds["BM=192 BN=256"] = 1100;
  results = bed.run({caseOf("M=4096")});
  CHECK(results[0].notReached > 0);
  CHECK_FALSE(results[0].winnerIsEarlier); // The earlier one was timed again, and lost.
  CHECK(bed.database.allWinners()->front().point != before.back().point);
  bed.options.budgetSeconds = 1000;
  bed.shop.microseconds["BM=64 BN=64"] = 950;
  results = bed.run({caseOf("M=4096")});
  CHECK(results[0].notReached == 0);
  CHECK(settingsText(bed.database.allWinners()->front().point) == "BM=64 BN=64");
}

TEST_CASE("Tuner: what was measured after the last decision is decided on when a run is resumed") {
  Bed bed;
  bed.shop.microseconds["BM=192 BN=256"] = 700;
  bed.run({caseOf("M=4096")});
  // As a run leaves it that was killed before its decision.
  PointRecord later = bed.database.allPoints()->front();
  later.microseconds = 600;
  later.time += 10;
  REQUIRE(bed.database.put(later));
  bed.shop.microseconds[settingsText(later.point)] = 600;
  bed.options.resume = true;
  auto results = bed.run({caseOf("M=4096")});
  REQUIRE(results[0].winner);
  CHECK(results[0].winner->point == later.point);
}

TEST_CASE("Tuner: where no point can run the case has failed, with the reasons") {
  Bed bed;
  for (auto &[point, facts] : bed.shop.facts)
    facts = makeError(ErrorCode::InvalidArgument, "f:1:1: error: the params break this");
  auto results = bed.run({caseOf("M=4096")});
  CHECK_FALSE(results[0].winner);
  CHECK(results[0].failure.starts_with("none of 9 points could be measured: 9 dropped (constraint), such as: the "
                                       "params break this"));
  REQUIRE_FALSE(bed.notes.notes.empty());
  CHECK(bed.notes.notes.back().find("none of 9 points") != std::string::npos);
}

TEST_CASE("Tuner: an analysis that was not done in time is a failure of that moment, and a resumed run tries again") {
  Bed bed;
  const auto facts = bed.shop.facts;
  for (auto &[point, fact] : bed.shop.facts)
    fact = makeError(ErrorCode::ToolFailed, "did not end in time and was stopped");
  auto results = bed.run({caseOf("M=4096")});
  CHECK(results[0].failure.find("9 failed (crash), such as: the analysis: did not end in time") != std::string::npos);
  CHECK(bed.recordOf(results[0], "BM=64 BN=64").status == Status::Failed);
  bed.shop.facts = facts;
  bed.shop.microseconds["BM=64 BN=64"] = 500;
  bed.options.resume = true;
  results = bed.run({caseOf("M=4096")});
  CHECK(results[0].failure.empty());
  CHECK(results[0].resumed == 0);
  CHECK(bed.recordOf(results[0], "BM=64 BN=64").status == Status::Measured);
  CHECK(settingsText(results[0].winner->point) == "BM=64 BN=64");
}

TEST_CASE("Tuner: a run that is stopped keeps the best so far, and holds nothing against what it gave up") {
  Bed bed;
  bed.options.stopped = [&] { return bed.shop.timed.size() >= 9; }; // In the first batch's second round.
  bed.shop.microseconds["BM=64 BN=64"] = 800;
  auto results = bed.run({caseOf("M=4096"), caseOf("M=8192")});
  REQUIRE(results.size() == 1); // The second case is not begun.
  REQUIRE(results[0].winner);
  CHECK(results[0].notReached > 0);
  for (const PointRecord &record : results[0].points)
    CHECK(record.status != Status::Failed);
  CHECK(bed.database.allWinners()->size() == 1);
  REQUIRE_FALSE(bed.notes.notes.empty());
  CHECK(bed.notes.notes.back().find(": interrupted; ") != std::string::npos);
  CHECK(bed.notes.ends == 1);

  Bed early; // Before anything: no point is a failure.
  early.options.stopped = [] { return true; };
  results = early.run({caseOf("M=4096")});
  CHECK(results[0].notReached == 9);
  CHECK(results[0].failure.empty());
  CHECK(early.database.allPoints()->empty());
}

TEST_CASE("Tuner: an exhaustive run measures what the model would leave out, to the end, and says what that cost") {
  Bed bed;
  bed.shop.facts.at("BM=64 BN=64")->predictedFraction = 0.1; // The model is wrong: it is the fastest.
  bed.shop.microseconds["BM=64 BN=64"] = 900;
  bed.shop.microseconds["BM=192 BN=64"] = 950;
  bed.shop.microseconds["BM=192 BN=256"] = 5000;
  auto results = bed.run({caseOf("M=4096")});
  CHECK(settingsText(results[0].winner->point) == "BM=192 BN=64");
  CHECK(bed.recordOf(results[0], "BM=192 BN=256").status == Status::Lost);
  CHECK(results[0].comparison.empty());
  bed.options.exhaustive = true;
  results = bed.run({caseOf("M=4096")});
  CHECK(settingsText(results[0].winner->point) == "BM=64 BN=64");
  for (const PointRecord &record : results[0].points)
    CHECK(record.status == Status::Measured);
  CHECK(results[0].comparison == "the earlier winner BM=192 BN=64 takes 950.0 us, the best of all 9 points BM=64 BN=64 "
                                 "900.0 us: it is 5.6 % behind");
  REQUIRE_FALSE(bed.notes.notes.empty());
  CHECK(bed.notes.notes.back().find("5.6 % behind") != std::string::npos);
}

TEST_CASE("Tuner: the space of attention's size on two masks ends in 60 s where 16 cores compile") {
  // 288 points, as attention_forward has for one head dimension, of which half can run, and no loser is clear.
  Bed bed;
  std::vector<TuneCase> cases = {caseOf("M=16384 pattern=dense"), caseOf("M=16384 pattern=causal")};
  std::vector<std::string> columns;
  for (int columnsOfTile = 16; columnsOfTile <= 1536; columnsOfTile += 16)
    columns.push_back(std::to_string(columnsOfTile));
  for (TuneCase &each : cases)
    each.variant.kernel.knobs[1].values = columns;
  Facts fits{.sharedBytes = 100000, .registersNeeded = 100, .registersPresent = 240, .predictedFraction = 0.9};
  for (const char *bm : {"64", "128", "192"})
    for (size_t index = 0; index < columns.size(); ++index) {
      std::string text = fmt::format("BM={} BN={}", bm, columns[index]);
      bed.shop.facts.insert_or_assign(text,
                                      index % 2 == 0 && columns[index] != "128" ? Facts{.sharedBytes = 300000} : fits);
      bed.shop.microseconds[text] = 1000;
    }
  bed.options.budgetSeconds = 60;
  bed.shop.secondsToAnalyze = 0.1 / 16;
  bed.shop.secondsToCompile = 0.6 / 16;
  bed.shop.secondsOfTurn = 0.03 - 0.006; // With its launches, 30 ms.
  const TimePoint begin = bed.shop.now;
  auto results = bed.run(cases);
  CHECK(bed.shop.now - begin < std::chrono::seconds(60));
  for (const CaseResult &result : results) {
    CHECK(result.notReached == 0);
    CHECK(result.points.size() == 288);
    CHECK(result.winner);
  }
}
