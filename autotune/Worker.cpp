#include "lacuna/Autotune/Worker.h"

#include "lacuna/Runtime/StartThreads.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacuna::autotune {

namespace {

constexpr size_t kLongestLine = 64 << 20;

/// The code with this name; what a worker reports of itself is never our bug.
ErrorCode codeNamed(std::string_view name) {
  for (ErrorCode code : {ErrorCode::InvalidArgument, ErrorCode::ParseError, ErrorCode::VerifyError,
                         ErrorCode::Unsupported, ErrorCode::CompileFailed, ErrorCode::NotFound, ErrorCode::Incompatible,
                         ErrorCode::ResourceExhausted, ErrorCode::Unavailable})
    if (errorCodeName(code) == name)
      return code;
  return ErrorCode::ToolFailed;
}

tl::unexpected<Error> outOfTime() {
  return makeError(ErrorCode::ToolFailed, "did not end in time and was stopped");
}

} // namespace

Expected<void> Worker::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return makeError(ErrorCode::Unavailable, "no worker can be started: {}", std::strerror(errno));
  errors = memfd_create("worker-errors", MFD_CLOEXEC);
  std::vector<char *> arguments;
  for (std::string &part : command)
    arguments.push_back(part.data());
  arguments.push_back(nullptr);
  pid_t parent = getpid();
  process = fork();
  if (process == 0) {
    // Only async-signal-safe calls here: other threads may have held locks.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(127);
    dup2(ends[1], 0);
    dup2(ends[1], 1);
    if (errors >= 0)
      dup2(errors, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  socket = ends[0];
  received.clear();
  ++started;
  if (process < 0) {
    int reason = errno;
    stop();
    return makeError(ErrorCode::Unavailable, "no worker can be started: {}", std::strerror(reason));
  }
  setpgid(process, process); // Here too: whoever comes first.
  return {};
}

void Worker::stop() {
  if (process > 0) {
    kill(-process, SIGKILL); // With what it started, such as an assembler.
    kill(process, SIGKILL);
    while (waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  for (int *descriptor : {&socket, &errors}) {
    if (*descriptor >= 0)
      close(*descriptor);
    *descriptor = -1;
  }
  process = -1;
}

bool Worker::waitFor(short events, TimePoint deadline) const {
  constexpr int64_t kAtOnce = 100; // milliseconds, after which is asked whether to go on
  while (!isStopped()) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd wait{socket, events, 0};
    int ready = poll(&wait, 1, static_cast<int>(std::clamp<int64_t>(left, 0, kAtOnce)));
    if (ready > 0)
      return true;
    if (ready < 0 ? errno != EINTR : left <= kAtOnce)
      return false;
  }
  return false;
}

std::optional<int> Worker::waitForEnd(TimePoint deadline) const {
  constexpr auto kBetween = std::chrono::milliseconds(2);
  while (true) {
    int status = 0;
    pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process)
      return status;
    if ((ended < 0 && errno != EINTR) || isStopped() || std::chrono::steady_clock::now() >= deadline)
      return std::nullopt;
    std::this_thread::sleep_for(kBetween);
  }
}

std::string Worker::lastWords() const {
  off_t size = errors >= 0 ? lseek(errors, 0, SEEK_END) : 0;
  std::string text(static_cast<size_t>(std::clamp<off_t>(size, 0, 400)), '\0');
  ssize_t read = text.empty() ? 0 : pread(errors, text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(static_cast<size_t>(std::max<ssize_t>(read, 0)));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0'))
    text.pop_back();
  return text;
}

Expected<std::string> Worker::readLine(TimePoint deadline) {
  while (true) {
    if (size_t end = received.find('\n'); end != std::string::npos) {
      std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      return line;
    }
    if (!waitFor(POLLIN, deadline))
      return outOfTime();
    char buffer[65536];
    ssize_t count = recv(socket, buffer, sizeof(buffer), 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count > 0 && received.size() < kLongestLine) {
      received.append(buffer, static_cast<size_t>(count));
      continue;
    }
    if (count > 0)
      kill(process, SIGKILL);
    std::optional<int> ended = waitForEnd(deadline);
    if (!ended) // It closed its output and went on.
      return outOfTime();
    const int status = *ended;
    kill(-process, SIGKILL);
    process = -1;
    std::string words = lastWords();
    return makeError(ErrorCode::ToolFailed, "the process {}{}{}",
                     WIFSIGNALED(status)
                         ? fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
                         : fmt::format("ended with status {}", WEXITSTATUS(status)),
                     words.empty() ? "" : ": ", words);
  }
}

Expected<Json> Worker::ask(const Json &request, std::chrono::milliseconds limit) {
  if (process < 0)
    if (Expected<void> done = start(); !done)
      return takeError(done);
  TimePoint deadline = std::chrono::steady_clock::now() + limit;
  std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // A worker that does not read must not hold its tuner: a request may be larger than the socket's buffer.
  for (size_t sent = 0; sent < line.size();) {
    ssize_t count = send(socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
      continue;
    }
    if (errno == EAGAIN && !waitFor(POLLOUT, deadline))
      break; // Reading says that there is no time left.
    if (errno != EAGAIN && errno != EINTR)
      break; // It is gone; reading says how.
  }
  Expected<std::string> reply = readLine(deadline);
  if (!reply) {
    stop();
    return takeError(reply);
  }
  Json json = Json::parse(*reply, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) {
    stop();
    return makeError(ErrorCode::ToolFailed, "the worker answered with no JSON object: {}", reply->substr(0, 200));
  }
  if (!json.contains("error"))
    return json;
  auto text = [&](const char *name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : std::string();
  };
  return tl::unexpected(Error{codeNamed(text("error")), text("message")});
}

void WorkerPool::run(const std::vector<Json> &requests, std::chrono::milliseconds limit, TimePoint deadline,
                     const std::function<void(size_t, Expected<Json>)> &sink) const {
  std::mutex mutex;
  size_t next = 0;
  auto serve = [&] {
    Worker worker(command, stopped);
    while (true) {
      size_t index;
      {
        std::lock_guard lock(mutex);
        if (next >= requests.size() || std::chrono::steady_clock::now() >= deadline || (stopped && stopped()))
          return;
        index = next++;
      }
      Expected<Json> reply = worker.ask(requests[index], limit);
      std::lock_guard lock(mutex);
      sink(index, std::move(reply));
    }
  };
  if (requests.empty())
    return;
  size_t count = std::min<size_t>(static_cast<size_t>(std::max(workers, 1)), requests.size());
  std::vector<std::thread> helpers = runtime::startThreads(count - 1, serve);
  serve();
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace lacuna::autotune
