#include "Worker.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacuna::runtime {

pid_t WorkerFixture::start(int seed, const Environment &environment) const {
  std::vector<std::string> arguments = {LACUNA_CACHE_WORKER,    directory,
                                        scratch / "made",       std::to_string(keys),
                                        std::to_string(seed),   std::to_string(bytes),
                                        std::to_string(pauseUs)};
  std::string errorPath = scratch / "errors";
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child > 0)
    return child;
  int errors = ::open(errorPath.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(errors, 2);
  for (const auto &[name, value] : environment)
    ::setenv(name.c_str(), value.c_str(), 1);
  if (!environment.empty())
    ::setenv("LD_PRELOAD", LACUNA_FAULT_LIBRARY, 1);
  std::vector<char *> pointers;
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

int WorkerFixture::wait(pid_t worker) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::minutes(1);
  int status = 0;
  while (::waitpid(worker, &status, WNOHANG) == 0) {
    if (Clock::now() > end) {
      ::kill(worker, SIGKILL);
      ::waitpid(worker, &status, 0);
      FAIL("a worker did not end within a minute");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return status;
}

int WorkerFixture::run(int seed, const Environment &environment) const {
  return wait(start(seed, environment));
}

std::map<int, int> WorkerFixture::made() const {
  std::map<int, int> counts;
  std::istringstream log(readFile(scratch / "made"));
  for (int key = 0; log >> key;)
    ++counts[key];
  return counts;
}

int WorkerFixture::warnings() const {
  int count = 0;
  std::istringstream lines(errors());
  for (std::string line; std::getline(lines, line);)
    count += line.starts_with("lacuna: warn: cache: ");
  return count;
}

void WorkerFixture::checkEntries() const {
  Expected<DiskCache> cache = DiskCache::open(directory, {}, /*create=*/false);
  if (!cache && cache.error().code == ErrorCode::NotFound)
    return; // Killed before there was one.
  REQUIRE_MESSAGE(cache, cache.error().message);
  for (const ListedEntry &entry : cache->list()) {
    auto read = cache->read(entry.hex);
    CHECK_MESSAGE(read, entry.hex << ": " << missReasonName(read ? MissReason::Absent : read.error()));
  }
}

} // namespace lacuna::runtime
