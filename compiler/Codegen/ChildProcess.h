// A child process that is not trusted to end, nor to be brief.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lacuna {

/// How a child ended, and what it wrote.
struct ChildEnd {
  enum class Kind {
    Exited,     ///< `code` is its exit status
    Signalled,  ///< `code` is the signal
    TimedOut,   ///< stopped at the limit of time
    Flooded,    ///< stopped at the limit of output
    NotStarted, ///< `code` is the errno
  };
  Kind kind = Kind::NotStarted;
  int code = 0;
  std::string output;

  bool succeeded() const { return kind == Kind::Exited && code == 0; }
  /// "ended with status 3", "crashed: signal 11 (Segmentation fault)", …: what comes behind the program's name.
  std::string describe() const;
  std::chrono::milliseconds limit{0}; ///< of time
};

/// Bytes of output that a child may write, and bytes of a file that it makes.
inline constexpr size_t kChildOutputLimit = size_t(1) << 20;
inline constexpr uint64_t kChildFileLimit = uint64_t(64) << 20;

/// Runs `program`, without a shell, in a process group of its own, its input empty, and gives what it wrote to standard
/// output, and with `errorsToo` to standard error. Whatever it started is killed once it has ended; it is killed where
/// this process ends before. Thread safety: any thread.
ChildEnd runChild(const std::string &program, const std::vector<std::string> &arguments,
                  std::chrono::milliseconds limit, bool errorsToo);

} // namespace lacuna
