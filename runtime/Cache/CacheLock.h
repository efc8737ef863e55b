// Locks between processes and threads: a byte of one file each.
#pragma once

#include "CacheFiles.h"

#include <chrono>
#include <functional>

namespace lacuna::runtime {

/// A lock on one byte of a file, by an open file description of its own: threads exclude one another as processes do,
/// and the system drops the lock with the process. Thread safety: one thread.
class CacheLock {
public:
  enum class Outcome {
    Taken,
    TimedOut,
    Stopped,    ///< `stop` said so
    Impossible, ///< the file cannot be opened or locked
  };

  /// Opens the file `locks` in `directory`; nothing is locked yet.
  explicit CacheLock(int directory);

  /// Takes the byte at `offset`, or tries again until `timeout` has passed or `stop` says to.
  Outcome take(int64_t offset, std::chrono::milliseconds timeout, const std::function<bool()> &stop);

  /// The byte that is locked for pruning, and the one for a key.
  static constexpr int64_t kPruneOffset = 0;
  static int64_t offsetOf(const CacheKey &key);

private:
  FileDescriptor file;
};

} // namespace lacuna::runtime
