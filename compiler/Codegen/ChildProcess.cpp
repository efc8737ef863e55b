#include "ChildProcess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacuna {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ChildEnd::Kind;

/// What the child does before it is the program: calls of the system alone. Returns where that fails.
void become(char *const *words, int output, bool errorsToo, pid_t parent, const sigset_t &signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL); // A program that hangs must not outlive who would stop it.
  errno = ESRCH;
  if (getppid() != parent)
    return;
  const int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errorsToo ? output : nothing, STDERR_FILENO);
  if (nothing > STDERR_FILENO)
    close(nothing);
  if (output <= STDERR_FILENO) // Where this process has closed its own: dup2 left it to be closed.
    fcntl(output, F_SETFD, 0);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  execv(words[0], words);
}

/// Starts the child with `output` as its standard output; it ends with this thread. Returns 0, or why it could not be
/// started.
int start(const std::string &program, const std::vector<std::string> &arguments, int output, bool errorsToo,
          pid_t &child) {
  std::vector<char *> words;
  words.push_back(const_cast<char *>(program.c_str()));
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  // posix_spawn cannot ask for an end with the parent. Until the child is another program its memory is this one's, in
  // which no handler may run.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t parent = getpid();
  volatile int failed = 0;
  child = vfork(); // fork would copy the page tables of a compiler
  if (child == 0) {
    become(words.data(), output, errorsToo, parent, before);
    failed = errno;
    _exit(127);
  }
  if (child < 0)
    failed = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed && child > 0)
    waitpid(child, nullptr, 0);
  return failed;
}

/// Whether the child has ended. It is not reaped: its number, and that of its group, stay its own.
bool hasEnded(pid_t child) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

/// Takes what is in the pipe; keeps it up to the limit. Returns false where nobody can write to it any more.
bool drain(int pipe, ChildEnd &end, bool &flooded) {
  char buffer[65536];
  while (true) {
    ssize_t count = read(pipe, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return count < 0;
    size_t room = kChildOutputLimit - end.output.size();
    flooded |= static_cast<size_t>(count) > room;
    end.output.append(buffer, std::min(static_cast<size_t>(count), room));
    if (flooded)
      return true;
  }
}

/// Reads until the child ends, or has to be stopped; why it has to.
std::optional<Kind> follow(pid_t child, int pipe, Clock::time_point deadline, ChildEnd &end) {
  constexpr int kLookMs = 10; // A child's child may hold the pipe open: its end is then seen at the next look.
  bool open = true, flooded = false;
  while (true) {
    const bool ended = hasEnded(child);
    if (open)
      open = drain(pipe, end, flooded);
    if (flooded)
      return Kind::Flooded;
    if (ended)
      return std::nullopt;
    if (Clock::now() >= deadline)
      return Kind::TimedOut;
    pollfd ready{pipe, POLLIN, 0};
    if (open)
      (void)poll(&ready, 1, kLookMs);
    else
      (void)poll(nullptr, 0, 1);
  }
}

} // namespace

std::string ChildEnd::describe() const {
  switch (kind) {
  case Kind::Exited:
    return fmt::format("ended with status {}", code);
  case Kind::Signalled:
    if (code == SIGXFSZ)
      return fmt::format("wrote a file of more than {} MiB and was stopped", kChildFileLimit >> 20);
    return fmt::format("crashed: signal {} ({})", code, strsignal(code));
  case Kind::TimedOut:
    return fmt::format("did not end within {} s and was stopped", static_cast<double>(limit.count()) / 1000);
  case Kind::Flooded:
    return fmt::format("wrote more than {} MiB of messages and was stopped", kChildOutputLimit >> 20);
  case Kind::NotStarted:
    break;
  }
  return fmt::format("cannot be run: {}", std::strerror(code));
}

ChildEnd runChild(const std::string &program, const std::vector<std::string> &arguments,
                  std::chrono::milliseconds limit, bool errorsToo) {
  ChildEnd end;
  end.limit = limit;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    end.code = errno;
    return end;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  pid_t child = -1;
  end.code = start(program, arguments, ends[1], errorsToo, child);
  close(ends[1]);
  if (end.code == 0) {
    const rlimit files{kChildFileLimit, kChildFileLimit};
    (void)prlimit(child, RLIMIT_FSIZE, &files, nullptr);
    std::optional<Kind> stopped = follow(child, ends[0], Clock::now() + limit, end);
    kill(-child, SIGKILL); // With what it started.
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    end.kind = stopped ? *stopped : WIFSIGNALED(status) ? Kind::Signalled : Kind::Exited;
    end.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  }
  close(ends[0]);
  return end;
}

} // namespace lacuna
