// What is heard of MLIR's passes while they run.
#pragma once

#include "Reproducer.h"

#include "mlir/Pass/PassInstrumentation.h"

#include <memory>

namespace lacuna {

/// Keeps the first pass that fails in `point`, with the module that it was given. It prints the module before each
/// pass.
std::unique_ptr<mlir::PassInstrumentation> watchForFailure(FailurePoint &point);

/// A span of the trace for each pass.
std::unique_ptr<mlir::PassInstrumentation> tracePasses();

} // namespace lacuna
