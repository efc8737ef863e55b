#include "Crew.h"

#include <doctest/doctest.h>

#include <csignal>
#include <map>

#include <unistd.h>

using lacuna::schedules::Crew;

TEST_CASE("Crew: every task is done once, in several processes") {
  std::map<size_t, std::string> taken;
  std::map<std::string, int> processes;
  Crew crew;
  crew.jobs = 3;
  crew.work = [](size_t task) {
    usleep(2000);
    return std::to_string(getpid()) + " " + std::string(task % 2 ? 5000 : 1, 'x'); // longer than a pipe writes at once
  };
  crew.take = [&](size_t task, const std::string &text) {
    CHECK(taken.emplace(task, text).second);
    ++processes[text.substr(0, text.find(' '))];
  };
  crew.run(60);
  REQUIRE(taken.size() == 60);
  CHECK(taken.begin()->first == 0);
  CHECK(taken.rbegin()->first == 59);
  CHECK(taken[7].size() > 5000);
  CHECK(processes.size() == 3);
  CHECK(!processes.contains(std::to_string(getpid())));
}

TEST_CASE("Crew: a process that dies costs its task, and the others are done") {
  std::map<size_t, std::string> taken;
  Crew crew;
  crew.jobs = 2;
  crew.work = [](size_t task) {
    if (task % 5 == 3)
      raise(SIGKILL);
    return std::string("done");
  };
  crew.take = [&](size_t task, const std::string &text) { taken.emplace(task, text); };
  crew.died = [](int signal) { return "signal " + std::to_string(signal); };
  crew.run(20);
  CHECK(taken.size() == 20);
  for (const auto &[task, text] : taken)
    CHECK(text == (task % 5 == 3 ? "signal 9" : "done"));
}

TEST_CASE("Crew: where no process can begin, no task is taken and it ends") {
  Crew crew;
  crew.jobs = 2;
  crew.warmUp = [] { raise(SIGKILL); };
  crew.work = [](size_t) { return std::string(); };
  crew.take = [](size_t, const std::string &) { FAIL("a task was done"); };
  crew.run(4);
}
