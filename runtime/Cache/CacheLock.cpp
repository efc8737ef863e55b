#include "CacheLock.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>

namespace lacuna::runtime {

CacheLock::CacheLock(int directory)
    : file(::openat(directory, "locks", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)) {}

int64_t CacheLock::offsetOf(const CacheKey &key) {
  int64_t offset = 0;
  for (size_t index = 0; index < 7; ++index)
    offset = offset << 8 | key.digest[index];
  return offset + kPruneOffset + 1;
}

CacheLock::Outcome CacheLock::take(int64_t offset, std::chrono::milliseconds timeout,
                                   const std::function<bool()> &stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLongestPause(20);
  if (!file)
    return Outcome::Impossible;
  const Clock::time_point end = Clock::now() + timeout;
  for (std::chrono::milliseconds pause(1);; pause = std::min(2 * pause, kLongestPause)) {
    struct flock range{};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = offset;
    range.l_len = 1;
    if (::fcntl(file.get(), F_OFD_SETLK, &range) == 0)
      return Outcome::Taken;
    if (errno != EAGAIN && errno != EACCES && errno != EINTR)
      return Outcome::Impossible;
    if (stop && stop())
      return Outcome::Stopped;
    if (Clock::now() >= end)
      return Outcome::TimedOut;
    std::this_thread::sleep_for(pause);
  }
}

} // namespace lacuna::runtime
