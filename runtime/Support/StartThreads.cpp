#include "lacuna/Runtime/StartThreads.h"
#include "lacuna/Runtime/Log.h"

#include <atomic>
#include <new>
#include <system_error>

namespace lacuna::runtime {

std::vector<std::thread> startThreads(size_t count, const std::function<void()> &work) {
  static std::atomic<bool> warned{false};
  std::vector<std::thread> threads;
  threads.reserve(count);
  auto refused = [&](const char *why) {
    log("threads", warned.exchange(true) ? LogLevel::Debug : LogLevel::Warn,
        "only {} of {} threads could be started ({}); the work goes on with fewer; raise the limit (ulimit -u, "
        "ulimit -v) or lower LACUNA_THREADS",
        threads.size(), count, why);
  };
  try {
    while (threads.size() < count)
      threads.emplace_back(work);
  } catch (const std::system_error &failure) {
    refused(failure.what());
  } catch (const std::bad_alloc &) {
    refused("no memory");
  }
  return threads;
}

} // namespace lacuna::runtime
