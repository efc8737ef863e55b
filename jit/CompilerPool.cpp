#include "CompilerPool.h"

#include "llvm/ADT/ScopeExit.h"

#include <algorithm>
#include <thread>

namespace lacuna {

CompilerPool::CompilerPool(size_t limit)
    : limit(limit > 0 ? limit : std::max<size_t>(1, std::thread::hardware_concurrency())) {}

Compiler CompilerPool::take(const runtime::Knobs &knobs) {
  std::unique_lock lock(mutex);
  freed.wait(lock, [&] { return running < limit; });
  ++running;
  if (idle.empty()) {
    lock.unlock();
    return Compiler(knobs);
  }
  Compiler compiler = std::move(idle.back());
  idle.pop_back();
  return compiler;
}

void CompilerPool::give(Compiler compiler) {
  std::lock_guard lock(mutex);
  idle.push_back(std::move(compiler));
  --running;
  freed.notify_one();
}

Expected<CompileResult> CompilerPool::compile(const CompileRequest &request, const runtime::Knobs &knobs) {
  Compiler compiler = take(knobs);
  auto back = llvm::make_scope_exit([&] { give(std::move(compiler)); }); // whatever is thrown
  return compiler.compile(request);
}

} // namespace lacuna
