#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/LaunchTimes.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::Call;
using fake::FakeDriver;

TEST_CASE("as many times as were asked for, with one event more") {
  FakeDriver driver;
  Device device = driver.open();
  Stream stream = Stream::create(device).value();
  int calls = 0;
  Expected<std::vector<double>> times = timeLaunches(stream, 4, [&]() -> Expected<void> {
    ++calls;
    return {};
  });
  REQUIRE(times);
  CHECK(*times == std::vector<double>(4, 1.5)); // what the fake says of any two events
  CHECK(calls == 4);
  CHECK(driver.state.count(Call::cuEventRecord) == 5);
  CHECK(driver.state.count(Call::cuStreamSynchronize) == 1);
}

TEST_CASE("the first failure ends the timing, and its error is passed on") {
  FakeDriver driver;
  Device device = driver.open();
  Stream stream = Stream::create(device).value();
  int calls = 0;
  Expected<std::vector<double>> times = timeLaunches(stream, 4, [&]() -> Expected<void> {
    return ++calls < 3 ? Expected<void>() : makeError(ErrorCode::Internal, "the third");
  });
  CHECK(times.error().message == "the third");
  CHECK(calls == 3);
}

TEST_CASE("the median of even and odd counts") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
}
