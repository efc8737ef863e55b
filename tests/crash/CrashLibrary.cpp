// Preloaded (LD_PRELOAD) in front of LLVM and MLIR: crashes as they would. By the environment:
//
//   LACUNA_CRASH_IN      pass: what mlir::createCSEPass makes (stages tile.opt, warp.opt, llvm), called planted-crash
//                        codegen: LLVM's code generation (stage ptx)
//                        frontend: the reading of the number 1234.5 in a .tile text
//   LACUNA_CRASH_BY      segv, abort, overflow (of the stack), fatal (LLVM ERROR)
//   LACUNA_CRASH_CALL    only the call with this number, from 1; unset: every one
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/ErrorHandling.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>

namespace {

bool is(const char *variable, const char *value) {
  const char *text = std::getenv(variable);
  return text && std::strcmp(text, value) == 0;
}

[[gnu::noinline]] int overflow(volatile char *above) {
  volatile char page[4096];
  page[0] = above[0];
  return page[0] == 0 ? overflow(page) + page[0] : 0;
}

/// Crashes, if it is this place's turn.
void crashIn(const char *place) {
  static std::atomic<int> calls = 0;
  const char *wanted = std::getenv("LACUNA_CRASH_CALL");
  if (!is("LACUNA_CRASH_IN", place) || (++calls != (wanted ? std::atoi(wanted) : calls.load())))
    return;
  char start = 0;
  if (is("LACUNA_CRASH_BY", "abort"))
    std::abort();
  if (is("LACUNA_CRASH_BY", "overflow"))
    overflow(&start);
  if (is("LACUNA_CRASH_BY", "fatal"))
    llvm::report_fatal_error("Cannot select: what was planted");
  *static_cast<volatile int *>(nullptr) = 0;
}

class PlantedCrash : public mlir::PassWrapper<PlantedCrash, mlir::OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlantedCrash)
  llvm::StringRef getArgument() const override { return "planted-crash"; }
  void runOnOperation() override { crashIn("pass"); }
};

template <class Function> Function *next(const char *symbol) {
  return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, symbol));
}

} // namespace

extern "C" double strtod(const char *text, char **end) noexcept {
  if (std::strcmp(text, "1234.5") == 0)
    crashIn("frontend");
  return next<double(const char *, char **)>("strtod")(text, end);
}

std::unique_ptr<mlir::Pass> mlir::createCSEPass() {
  return std::make_unique<PlantedCrash>();
}

bool llvm::legacy::PassManager::run(Module &module) {
  crashIn("codegen");
  return next<bool(PassManager *, Module &)>("_ZN4llvm6legacy11PassManager3runERNS_6ModuleE")(this, module);
}
