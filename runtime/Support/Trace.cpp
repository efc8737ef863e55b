#include "lacuna/Runtime/Trace.h"

#include "lacuna/Runtime/Log.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lacuna::runtime {
namespace {

constexpr std::string_view kEnd = "\n]\n";

/// What this thread has not written yet: its events, and how many spans are open.
struct Pending {
  std::string events;
  int depth = 0;
};
thread_local Pending pending;

const std::string &traceFile() {
  static const std::string file = [] {
    const char *text = std::getenv("LACUNA_TRACE");
    return std::string(text ? text : "");
  }();
  return file;
}

bool writeAt(int file, std::string_view bytes, off_t offset) {
  while (!bytes.empty()) {
    ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(written);
    offset += written;
  }
  return true;
}

/// Puts events, each with a comma before it, in front of the array's end. Returns what went wrong, or nothing.
const char *append(const std::string &path, std::string_view events) {
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return std::strerror(errno);
  const char *fault = nullptr;
  struct stat status{};
  char end[kEnd.size()];
  if (::flock(file, LOCK_EX) != 0 || ::fstat(file, &status) != 0) {
    fault = std::strerror(errno);
  } else if (status.st_size == 0) {
    if (!writeAt(file, fmt::format("[\n{}{}", events.substr(2), kEnd), 0))
      fault = std::strerror(errno);
  } else {
    const off_t at = status.st_size - static_cast<off_t>(kEnd.size());
    if (at < 0 || ::pread(file, end, kEnd.size(), at) != static_cast<ssize_t>(kEnd.size()) ||
        std::string_view(end, kEnd.size()) != kEnd)
      fault = "it holds something else than a trace; name another file or remove it";
    else if (!writeAt(file, fmt::format("{}{}", events, kEnd), at))
      fault = std::strerror(errno);
  }
  ::close(file); // and with it the lock
  return fault;
}

} // namespace

bool traceEnabled() {
  return !traceFile().empty();
}

bool spansHeard() {
  return traceEnabled() || profilerAttached();
}

int64_t traceClock() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

void addTraceEvent(std::string_view name, std::string_view detail, int64_t begin, int64_t duration) {
  nlohmann::ordered_json event = {
      {"name", name}, {"cat", "lacuna"}, {"ph", "X"}, {"pid", ::getpid()}, {"tid", ::syscall(SYS_gettid)},
      {"ts", begin},  {"dur", duration}};
  if (!detail.empty())
    event["args"] = {{"detail", detail}};
  pending.events += ",\n" + event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int openSpans() {
  return pending.depth;
}

void abandonSpans(int open) {
  for (; pending.depth > open; --pending.depth)
    ProfilerRange::end();
}

TraceSpan::TraceSpan(std::string_view name, std::string_view detail) : heard(spansHeard()), written(traceEnabled()) {
  if (!heard)
    return;
  ++pending.depth;
  ProfilerRange::begin(name, detail);
  if (!written)
    return;
  this->name = name;
  this->detail = detail;
  started = traceClock();
}

TraceSpan::~TraceSpan() {
  if (!heard)
    return;
  --pending.depth;
  ProfilerRange::end();
  if (!written)
    return;
  addTraceEvent(name, detail, started, traceClock() - started);
  if (pending.depth > 0)
    return;
  if (const char *fault = append(traceFile(), pending.events))
    log("trace", LogLevel::Warn, "cannot write to {} (LACUNA_TRACE): {}", traceFile(), fault);
  pending.events.clear();
}

} // namespace lacuna::runtime
