// A crash of the compiler as an error, where LACUNA_RECOVER=1 (docs/seeing.md).
//
// LLVM and MLIR end a process in which something is wrong with them: a segmentation fault, a failed assertion, "LLVM
// ERROR: Cannot select". With recovery on, a thread that crashes in runRecovered jumps out of it instead (LLVM's
// CrashRecoveryContext). Nothing that it was doing is unwound: what it had allocated is lost, and what it was changing
// is to be left alone, never destroyed. Signal handlers are the process's, so whoever owns the process turns them on.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>
#include <string>

namespace lacuna {

/// Runs `work`. Returns how it crashed, "SIGSEGV (Segmentation fault)" or the words of LLVM; nothing where it returned.
/// Without recovery the process dies as it does anywhere. Thread safety: any thread; calls may nest.
std::optional<std::string> runRecovered(llvm::function_ref<void()> work);

} // namespace lacuna
