//===- Trace.h - Spans of time, in a file and in a profiler -----*- C++ -*-===//
//
// With LACUNA_TRACE=FILE, every span is an event of FILE, in Chrome's JSON form (an array of complete events), which
// Perfetto opens; where a profiler is attached, it is a range of that (ProfilerRange.h):
//
//   TraceSpan span("cache get", key);     // from here to the end of the scope
//
// Threads and processes may share the file: each outermost span adds what lies in it under a lock, and leaves the file
// valid JSON. Times are microseconds of the monotonic clock, which processes of a machine share. A span that nobody
// hears costs two tests. There are none on the launch path.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_TRACE_H
#define LACUNA_RUNTIME_TRACE_H

#include "lacuna/Runtime/ProfilerRange.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lacuna::runtime {

/// Whether LACUNA_TRACE is set; read once. Thread safety: any thread.
bool traceEnabled();

/// Whether anybody hears spans. Thread safety: any thread.
bool spansHeard();

/// How many spans of this thread are open.
int openSpans();

/// Ends those spans of this thread that began after `open` were, without the objects, which a crash has left behind.
void abandonSpans(int open);

/// Microseconds of the clock of the events.
int64_t traceClock();

/// Adds an event to the span that is open in this thread; there must be one.
void addTraceEvent(std::string_view name, std::string_view detail, int64_t begin, int64_t duration);

/// Thread safety: lives and dies in one thread, and within the span that was open when it began.
class TraceSpan {
public:
  explicit TraceSpan(std::string_view name, std::string_view detail = {});
  ~TraceSpan();
  TraceSpan(const TraceSpan &) = delete;
  TraceSpan &operator=(const TraceSpan &) = delete;

  int64_t begin() const { return started; }

private:
  bool heard, written;
  int64_t started = 0;
  std::string name, detail;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_TRACE_H
