// Compilers for compilations that run side by side.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

#include <condition_variable>
#include <mutex>
#include <vector>

namespace lacuna {

/// A Compiler is for one thread at a time, and its dialects take a while to load: those that are done wait here for
/// their next compilation. At most `limit` compilations run at once, the others wait. Thread safety: any thread.
class CompilerPool {
public:
  /// 0: as many as there are processors.
  explicit CompilerPool(size_t limit = 0);

  /// As Compiler::compile, with the settings of `knobs`, which are the same in every call.
  Expected<CompileResult> compile(const CompileRequest &request, const runtime::Knobs &knobs);

private:
  Compiler take(const runtime::Knobs &knobs);
  void give(Compiler compiler);

  const size_t limit;
  std::mutex mutex;
  std::condition_variable freed;
  size_t running = 0;
  std::vector<Compiler> idle;
};

} // namespace lacuna
