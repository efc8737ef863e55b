// Passes on the dialect `warp`.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "mlir/Pass/Pass.h"

namespace lacuna::warp {

#define GEN_PASS_DECL
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

} // namespace lacuna::warp
