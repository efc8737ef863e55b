// What is heard of MLIR's passes while they run.
#pragma once

#include "Reproducer.h"

#include "mlir/Pass/PassInstrumentation.h"

#include <memory>

namespace lacuna {

/// `point` has the pass that runs, with the module that it was given, and keeps the one that fails or crashes. The
/// module is printed before each pass.
std::unique_ptr<mlir::PassInstrumentation> watchForFailure(FailurePoint &point);

/// A span of the trace for each pass.
std::unique_ptr<mlir::PassInstrumentation> tracePasses();

} // namespace lacuna
