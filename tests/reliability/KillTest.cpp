// R1. A process that is killed while it publishes: no bad load, no hang, at most one more compilation each.
#include "Worker.h"

#include <csignal>
#include <random>
#include <thread>

#include <sys/wait.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

bool killed(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
bool succeeded(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// How many calls of a kind a process makes that stores one kernel.
int callsOf(const char *kind) {
  WorkerFixture fixture;
  REQUIRE(succeeded(fixture.run(
      1,
      {{"LACUNA_FAULT_KIND", kind}, {"LACUNA_FAULT_CALL", "-1"}, {"LACUNA_FAULT_COUNT", fixture.scratch / "count"}})));
  return std::stoi(readFile(fixture.scratch / "count"));
}

} // namespace

TEST_CASE("R1: kill -9 before and behind each call of a publish, and within a write") {
  const int calls = callsOf("all");
  // A publish is one temporary file, written, synchronised and renamed; locks are opened for it and for pruning.
  CHECK(callsOf("create") == 3);
  CHECK(callsOf("write") == 1);
  CHECK(callsOf("fsync") == 1);
  CHECK(callsOf("rename") == 1);
  CHECK(callsOf("unlink") == 0);
  int kills = 0;
  for (const char *action : {"kill", "after", "half-write"})
    for (int call = 1; call <= calls; ++call) {
      CAPTURE(action);
      CAPTURE(call);
      WorkerFixture fixture;
      int status = fixture.run(
          1,
          {{"LACUNA_FAULT_KIND", "all"}, {"LACUNA_FAULT_CALL", std::to_string(call)}, {"LACUNA_FAULT_ACTION", action}});
      CHECK(killed(status));
      ++kills;
      fixture.checkEntries(); // What is there by its name is whole, at every moment.
      CHECK(succeeded(fixture.run(2)));
      CHECK(succeeded(fixture.run(3)));
      CHECK(fixture.made()[0] <= 2);
      fixture.checkEntries();
      CHECK(fixture.errors() == "");
    }
  MESSAGE(kills << " kills at " << calls << " calls");
}

TEST_CASE("R1: kill -9 at random, with others at work") {
  const int kills = fullFigures() ? 1000 : 60;
  std::mt19937 random(20250101);
  WorkerFixture fixture;
  fixture.keys = 6;
  fixture.bytes = 40000;
  fixture.pauseUs = 500;
  int struck = 0, rounds = 0;
  while (struck < kills) {
    ++rounds;
    std::error_code ignored;
    std::filesystem::remove_all(fixture.directory, ignored);
    std::filesystem::remove(fixture.scratch / "made", ignored);
    std::vector<pid_t> workers;
    for (int worker = 0; worker < 4; ++worker)
      workers.push_back(fixture.start(rounds * 10 + worker));
    int struckNow = 0;
    for (int victim = 0; victim < 3; ++victim) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 12000));
      ::kill(workers[static_cast<size_t>(victim)], SIGKILL);
      struckNow += killed(WorkerFixture::wait(workers[static_cast<size_t>(victim)]));
    }
    CHECK(succeeded(WorkerFixture::wait(workers.back())));
    CHECK(succeeded(fixture.run(rounds)));
    int made = 0;
    for (const auto &[key, count] : fixture.made())
      made += count;
    CHECK(made <= fixture.keys + struckNow);
    fixture.checkEntries();
    struck += struckNow;
  }
  CHECK(fixture.errors() == "");
  MESSAGE(struck << " kills in " << rounds << " rounds");
}
