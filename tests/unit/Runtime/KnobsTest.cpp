#include "lacuna/Runtime/Knobs.h"
#include "ScratchDirectory.h"
#include "lacuna/Runtime/Driver.h"
#include "lacuna/Runtime/Log.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("knobs come from the environment, empty means the default") {
  ScopedVariable threads("LACUNA_THREADS", "3"), ptxas("LACUNA_PTXAS", "/opt/ptxas"), driver("LACUNA_DRIVER", "");
  Expected<Knobs> knobs = Knobs::fromEnvironment();
  REQUIRE(knobs);
  CHECK(knobs->threads == 3);
  CHECK(knobs->ptxas == "/opt/ptxas");
  CHECK(knobs->driver == "libcuda.so.1");
}

TEST_CASE("a knob of the wrong type is refused by name") {
  for (const char *text : {"x", "-1", "3 ", "1e3", "99999999999"}) {
    ScopedVariable threads("LACUNA_THREADS", text);
    Expected<Knobs> knobs = Knobs::fromEnvironment();
    REQUIRE(!knobs);
    CHECK(knobs.error().message == fmt::format("LACUNA_THREADS={}: give a whole number from 0 to 2147483647", text));
  }
}

TEST_CASE("the table lists every knob") {
  bool found = false;
  for (const KnobInfo &knob : knobTable()) {
    CHECK(knob.environment.substr(0, 7) == "LACUNA_");
    CHECK(!knob.help.empty());
    found |= knob.environment == "LACUNA_THREADS" && knob.type == "int" && knob.fallback == "0";
  }
  CHECK(found);
}

TEST_CASE("LACUNA_LOG chooses by level and category") {
  Expected<LogFilter> filter = LogFilter::parse("warn,driver=debug,cache=off");
  REQUIRE(filter);
  CHECK(filter->enabled("anything", LogLevel::Warn));
  CHECK(filter->enabled("anything", LogLevel::Error));
  CHECK(!filter->enabled("anything", LogLevel::Info));
  CHECK(filter->enabled("driver", LogLevel::Debug));
  CHECK(!filter->enabled("cache", LogLevel::Error));
  CHECK(LogFilter::parse("")->enabled("anything", LogLevel::Warn));
  CHECK(!LogFilter::parse("off")->enabled("anything", LogLevel::Error));
  for (const char *text : {"loud", "driver=", "=debug", "warn,,info"}) {
    Expected<LogFilter> bad = LogFilter::parse(text);
    REQUIRE(!bad);
    CHECK(bad.error().message.find("write LEVEL or CATEGORY=LEVEL") != std::string::npos);
  }
}

TEST_CASE("a machine without a driver is told so in a sentence") {
  auto driver = Driver::load("liblacuna-no-such-driver.so.1");
  REQUIRE(!driver);
  CHECK(driver.error().code == ErrorCode::Unavailable);
  CHECK(driver.error().message.find("there is no CUDA driver here (liblacuna-no-such-driver.so.1") == 0);
  CHECK(driver.error().message.find("install the NVIDIA driver, or use the CPU target") != std::string::npos);
}

TEST_CASE("a library that is no driver is told so") {
  auto driver = Driver::load("libm.so.6");
  REQUIRE(!driver);
  CHECK(driver.error().code == ErrorCode::Unavailable);
  CHECK(driver.error().message.find("libm.so.6 has no cuGetProcAddress") == 0);
}
