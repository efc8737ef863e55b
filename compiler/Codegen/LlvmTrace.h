// LLVM's own profile of its passes, as events of our trace.
#pragma once

#include "lacuna/Runtime/Trace.h"

namespace lacuna {

/// A span with LLVM's passes in it, those of 100 microseconds and more. Where the host program profiles LLVM itself,
/// its profile has them instead.
class LlvmTrace {
public:
  explicit LlvmTrace(std::string_view name);
  ~LlvmTrace();

private:
  runtime::TraceSpan span;
  bool ours;
  int64_t origin = 0; ///< of LLVM's times
};

} // namespace lacuna
