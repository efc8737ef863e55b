#include "lacuna/Autotune/Measurer.h"

#include <doctest/doctest.h>

#include <string>

using namespace lacuna;
using namespace lacuna::autotune;

namespace {

/// Candidates with fixed times on a clock that moves by what is timed.
struct FakeTimer : LaunchTimer {
  explicit FakeTimer(std::vector<double> microseconds) : microseconds(std::move(microseconds)) {}
  Expected<std::vector<double>> time(size_t index, int launches) override {
    order.push_back(index);
    launchesOf.push_back(launches);
    if (index == failing)
      return makeError(ErrorCode::ToolFailed, "the process was ended by signal 11");
    double each = microseconds[index] * drift;
    now += std::chrono::microseconds(static_cast<int64_t>(each * (launches + 1)));
    drift *= driftPerTurn;
    return std::vector<double>(static_cast<size_t>(launches), each);
  }
  Clock clock() {
    return [this] { return now; };
  }
  TimePoint in(double seconds) { return now + std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)); }
  std::vector<double> microseconds;
  size_t failing = 1000;
  double drift = 1, driftPerTurn = 1;
  TimePoint now{};
  std::vector<size_t> order;
  std::vector<int> launchesOf;
};

using Status = Measurement::Status;

} // namespace

TEST_CASE("Measurer: rounds alternate, the default leads each, the others rotate") {
  FakeTimer timer({100, 98, 97, 96});
  auto results = measure(timer, 4, {.rounds = 3}, timer.clock(), timer.in(100));
  CHECK(timer.order == std::vector<size_t>{0, 1, 2, 3, 0, 2, 3, 1, 0, 3, 1, 2});
  for (const Measurement &result : results) {
    CHECK(result.status == Status::Measured);
    CHECK(result.turns.size() == 3);
  }
  CHECK(results[3].ratio == doctest::Approx(0.96));
  CHECK(timer.launchesOf.front() == 1);
  CHECK(timer.launchesOf.back() == 20);
}

TEST_CASE("Measurer: clear losers leave early, near ones stay") {
  FakeTimer timer({100, 140, 112, 104, 90});
  auto results = measure(timer, 5, {.rounds = 4}, timer.clock(), timer.in(100));
  CHECK(results[1].status == Status::Lost);
  CHECK(results[1].turns.size() == 1);
  CHECK(results[1].reason == "56 % slower than the best after 1 round");
  CHECK(results[2].status == Status::Lost);
  CHECK(results[2].turns.size() == 2);
  CHECK(results[3].status == Status::Lost);
  CHECK(results[3].turns.size() == 2);
  CHECK(results[4].status == Status::Measured);
  CHECK(results[0].status == Status::Measured); // The default stays though it is slow.
  CHECK(results[0].turns.size() == 4);
}

TEST_CASE("Measurer: an earlier batch's leader counts too") {
  FakeTimer timer({100, 95});
  auto results = measure(timer, 2, {.rounds = 3, .bestRatio = 0.7}, timer.clock(), timer.in(100));
  CHECK(results[1].status == Status::Lost);
}

TEST_CASE("Measurer: a drifting clock leaves ratios alone") {
  FakeTimer timer({100, 95, 105});
  timer.driftPerTurn = 1.01;
  auto results = measure(timer, 3, {.rounds = 9}, timer.clock(), timer.in(100));
  CHECK(results[1].ratio == doctest::Approx(0.95).epsilon(0.03));
  CHECK(results[1].ratio < 1);
}

TEST_CASE("Measurer: a candidate that fails is out, the others go on") {
  FakeTimer timer({100, 1, 90});
  timer.failing = 1;
  auto results = measure(timer, 3, {.rounds = 3}, timer.clock(), timer.in(100));
  CHECK(results[1].status == Status::Failed);
  CHECK(results[1].reason == "the process was ended by signal 11");
  CHECK(results[2].status == Status::Measured);
  CHECK(results[2].turns.size() == 3);
  CHECK(results[2].ratio == doctest::Approx(0.9));
}

TEST_CASE("Measurer: where the default fails, the first that works is what ratios are to") {
  FakeTimer timer({100, 50, 55});
  timer.failing = 0;
  auto results = measure(timer, 3, {.rounds = 3}, timer.clock(), timer.in(100));
  CHECK(results[0].status == Status::Failed);
  CHECK(results[1].ratio == doctest::Approx(1));
  CHECK(results[2].status == Status::Lost);
}

TEST_CASE("Measurer: when time is up, what was not reached says so; the default has one turn") {
  FakeTimer timer({1e6, 1e6, 1e6});
  auto results = measure(timer, 3, {.rounds = 3}, timer.clock(), timer.in(3));
  CHECK(results[0].status == Status::Measured);
  CHECK(results[1].status == Status::Measured);
  CHECK(results[2].status == Status::NotReached);
  FakeTimer late({100, 100});
  results = measure(late, 2, {.rounds = 3}, late.clock(), late.in(-1));
  CHECK(results[0].status == Status::Measured);
  CHECK(results[1].status == Status::NotReached);
}
