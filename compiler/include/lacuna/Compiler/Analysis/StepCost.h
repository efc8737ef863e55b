// From the `warp` IR of a kernel to what its compile report says. Nothing here knows what a kernel computes.
#pragma once

#include "lacuna/Compiler/Analysis/KernelReport.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"

namespace lacuna {

/// The structure of `func` as it is now; best after the passes on `warp`.
KernelStructure describeStructure(warp::FuncOp func);

/// What a step of `func`'s main loop costs (KernelReport.h says what is counted), or nothing if it has no loop.
std::optional<StepCost> predictStep(warp::FuncOp func);

/// The sentences of `warp.decisions`.
std::vector<std::string> decisionsOf(warp::FuncOp func);

} // namespace lacuna
