// The loop whose steps make up the kernel.
#pragma once

#include "StepWalk.h"

#include <optional>

namespace lacuna {

/// A step of the consumers' innermost loop with the most work for the tensor cores, then the most instructions; of
/// equal ones the last. Nothing if there is no loop.
std::optional<StepWalk> walkMainLoop(warp::FuncOp func);

} // namespace lacuna
