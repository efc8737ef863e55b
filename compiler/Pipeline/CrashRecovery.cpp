#include "CrashRecovery.h"

#include "lacuna/Runtime/Trace.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace lacuna {
namespace {

/// Where LLVM's last words in this thread go, while it recovers.
thread_local std::string *lastWords = nullptr;

/// In place of abort() or exit(): LLVM does either, depending on the error.
void leaveByFatalError(void *, const char *reason, bool) {
  llvm::CrashRecoveryContext *context = llvm::CrashRecoveryContext::GetCurrent();
  if (!context || !lastWords) { // another user of LLVM in this process: as without us
    llvm::errs() << "LLVM ERROR: " << reason << '\n';
    return;
  }
  *lastWords = fmt::format("LLVM ERROR: {}", reason);
  context->HandleExit(1);
}

void enableRecovery() {
  llvm::CrashRecoveryContext::Enable();
  // Where the stack has overflowed, a handler needs another one.
  for (int signal : {SIGSEGV, SIGBUS}) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0)
      continue;
    action.sa_flags |= SA_ONSTACK;
    (void)::sigaction(signal, &action, nullptr);
  }
  llvm::install_fatal_error_handler(leaveByFatalError);
}

bool recoveryEnabled() {
  static const bool enabled = [] {
    const char *text = std::getenv("LACUNA_RECOVER");
    const bool wanted = text && std::strcmp(text, "1") == 0;
    if (wanted)
      enableRecovery();
    return wanted;
  }();
  return enabled;
}

/// A stack for this thread's signal handlers, unless it has one.
class HandlerStack {
public:
  HandlerStack() {
    if (::sigaltstack(nullptr, &before) != 0 || !(before.ss_flags & SS_DISABLE))
      return;
    memory = std::make_unique<char[]>(kBytes);
    stack_t ours{};
    ours.ss_sp = memory.get();
    ours.ss_size = kBytes;
    if (::sigaltstack(&ours, nullptr) != 0)
      memory.reset();
  }
  ~HandlerStack() {
    if (memory)
      (void)::sigaltstack(&before, nullptr);
  }
  HandlerStack(const HandlerStack &) = delete;
  HandlerStack &operator=(const HandlerStack &) = delete;

private:
  static constexpr size_t kBytes = size_t(64) << 10;
  stack_t before{};
  std::unique_ptr<char[]> memory;
};

} // namespace

std::optional<std::string> runRecovered(llvm::function_ref<void()> work) {
  if (!recoveryEnabled()) {
    work();
    return std::nullopt;
  }
  HandlerStack stack;
  std::string words;
  std::string *outer = std::exchange(lastWords, &words);
  auto restore = llvm::make_scope_exit([&] { lastWords = outer; }); // also where `work` throws
  const int spans = runtime::openSpans();
  llvm::CrashRecoveryContext context;
  const bool returned = context.RunSafely(work);
  if (returned)
    return std::nullopt;
  runtime::abandonSpans(spans);
  if (!words.empty())
    return words;
  const int signal = context.RetCode - 128; // as a shell tells it
  const char *name = ::sigabbrev_np(signal), *description = ::sigdescr_np(signal);
  return name ? fmt::format("SIG{} ({})", name, description) : fmt::format("exit status {}", context.RetCode);
}

} // namespace lacuna
