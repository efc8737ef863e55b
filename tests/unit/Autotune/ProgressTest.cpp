#include "TestKernel.h"

#include "lacuna/Autotune/Progress.h"

#include <nlohmann/json.hpp>

#include <sstream>

using namespace lacuna::autotune;

namespace {

/// What was written to a temporary stream.
struct Capture {
  std::FILE *file = std::tmpfile();
  ~Capture() { std::fclose(file); }
  std::string text() {
    std::rewind(file);
    std::string result;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
      result += static_cast<char>(c);
    return result;
  }
};

const ProgressState kHalf{"attention M=64", "compile", 12, 80, 0.5, 31};

} // namespace

TEST_CASE("Progress: a terminal's line has a bar, the phase, the time left, and fits") {
  CHECK(progressLine(kHalf, 200) == "[############............]  50 %  compile 12/80  about 31 s left  attention M=64");
  CHECK(progressLine(kHalf, 30).size() == 30);
}

TEST_CASE("Progress: the time left follows from what is done, and never exceeds the budget") {
  CHECK(secondsLeft(0.25, 10, 100) == doctest::Approx(30));
  CHECK(secondsLeft(0.25, 10, 12) == doctest::Approx(12));
  CHECK(secondsLeft(0, 0, 60) == doctest::Approx(60));
  CHECK(secondsLeft(0.5, 10, -3) == 0);
}

TEST_CASE("Progress: elsewhere every line is a JSON object") {
  Capture capture;
  JsonProgress progress(capture.file);
  progress.start(2, 60);
  progress.update(kHalf);
  PointRecord dropped = test::pointRecord("16", PointRecord::Status::Dropped);
  dropped.microseconds = 0;
  dropped.kind = "registers";
  dropped.reason = "a \"reason\"\nof two lines";
  progress.point(dropped);
  progress.point(test::pointRecord("128"));
  progress.winner(test::winnerRecord("128"));
  progress.note("the budget ended");
  progress.end();
  std::istringstream lines(capture.text());
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) {
    events.push_back(nlohmann::json::parse(line, nullptr, false));
    REQUIRE(events.back().is_object());
  }
  REQUIRE(events.size() == 7);
  CHECK(events[1]["seconds_left"] == 31);
  CHECK(events[1]["fraction"] == 0.5);
  CHECK(events[2]["reason"] == dropped.reason);
  CHECK_FALSE(events[2].contains("us"));
  CHECK(events[3]["us"] == 12.5);
  CHECK(events[4]["point"] == "BM=128 BN=128");
  CHECK(events[6]["event"] == "end");
}

TEST_CASE("Progress: a terminal's bar is wiped before anything else is written") {
  Capture capture;
  TerminalProgress progress(capture.file, 60);
  progress.start(1, 60);
  progress.update(kHalf);
  progress.note("a note");
  progress.point(test::pointRecord("16")); // nothing to say of it
  progress.winner(test::winnerRecord("128"));
  progress.end();
  std::string text = capture.text();
  CHECK(text.find("\r\033[Ka note\n") != std::string::npos);
  CHECK(text.find("BM=128 BN=128: 12.5 us, the default 14.0 us (1.12 times as fast)") != std::string::npos);
  CHECK(text.find("BN=16") == std::string::npos);
}
