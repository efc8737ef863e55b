// A pool where the system refuses threads.
#include "lacuna/Runtime/ThreadPool.h"

#include "ScratchDirectory.h"

#include <atomic>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace lacuna::runtime;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LACUNA_NO_ADDRESS_LIMIT // a sanitizer's shadow takes more than any limit
#endif
#endif

#ifndef LACUNA_NO_ADDRESS_LIMIT
namespace {

/// Lets this process have `bytes` more of address space than it has.
bool limitAddressSpace(uint64_t bytes) {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  statm >> pages;
  rlimit limit{};
  limit.rlim_cur = limit.rlim_max = pages * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE)) + bytes;
  return pages > 0 && setrlimit(RLIMIT_AS, &limit) == 0;
}

/// What the child of the test does: two pools of more threads than fit.
int runPools() {
  if (!limitAddressSpace(uint64_t(256) << 20))
    return 2;
  for (int round = 0; round < 2; ++round) {
    std::atomic<int64_t> sum{0};
    ThreadPool pool(1024);
    pool.parallelFor(1000, [&](int64_t index) { sum += index; });
    if (pool.threads() >= 1024 || sum != 499500)
      return 1;
  }
  return 0;
}

} // namespace

TEST_CASE("a pool goes on with the threads that the system gives, with one warning") {
  ScratchDirectory scratch;
  const std::string log = scratch / "log";
  pid_t child = fork(); // The limit stays with the child; one that hangs is ended by the alarm.
  if (child == 0) {
    alarm(60);
    dup2(open(log.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    _exit(runPools());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  const std::string told = readFile(log);
  CAPTURE(told);
  const size_t first = told.find("warn: threads: only ");
  CHECK(first != std::string::npos);
  CHECK(told.find("warn: threads: only ", first + 1) == std::string::npos);
}
#endif

TEST_CASE("a pool has the threads that were asked for") {
  CHECK(ThreadPool(3).threads() == 3);
  CHECK(ThreadPool(1).threads() == 1);
}
