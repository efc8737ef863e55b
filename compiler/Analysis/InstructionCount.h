// Instructions of a thread for one operation of `warp` IR, as lower-warp and ptxas make them.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"

namespace lacuna {

struct InstructionCount {
  int64_t issued = 0;  // instructions of a thread
  int64_t special = 0; // of them, those of the special function unit
};

/// Registers of a thread that hold a value of `type`.
int64_t registersOf(mlir::Type type);

/// An estimate. Products, loops and conditions are not counted here.
InstructionCount countInstructions(mlir::Operation *op);

} // namespace lacuna
