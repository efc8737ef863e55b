#include "LlvmTrace.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/TimeProfiler.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace lacuna {

LlvmTrace::LlvmTrace(std::string_view name)
    : span(name), ours(runtime::traceEnabled() && !llvm::timeTraceProfilerEnabled()) {
  if (!ours)
    return;
  llvm::timeTraceProfilerInitialize(/*TimeTraceGranularity=*/100, "lacuna");
  origin = runtime::traceClock();
}

LlvmTrace::~LlvmTrace() {
  if (!ours)
    return;
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::timeTraceProfilerWrite(stream);
  llvm::timeTraceProfilerCleanup();
  auto profile = llvm::json::parse(text);
  if (!profile) {
    llvm::consumeError(profile.takeError());
    return;
  }
  const int64_t end = runtime::traceClock();
  for (const llvm::json::Value &value : *profile->getAsObject()->getArray("traceEvents")) {
    const llvm::json::Object &event = *value.getAsObject();
    llvm::StringRef name = event.getString("name").value_or("");
    if (event.getString("ph") != "X" || name.starts_with("Total "))
      continue;
    const llvm::json::Object *args = event.getObject("args");
    llvm::StringRef detail = args ? args->getString("detail").value_or("") : "";
    // The origin is known but for some microseconds, and events must lie within the span.
    int64_t first = std::clamp(origin + event.getInteger("ts").value_or(0), span.begin(), end);
    int64_t last = std::min(first + event.getInteger("dur").value_or(0), end);
    runtime::addTraceEvent(name, detail, first, last - first);
  }
}

} // namespace lacuna
