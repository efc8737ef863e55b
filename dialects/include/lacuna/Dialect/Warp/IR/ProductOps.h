// The two products of the dialect, where either will do.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"

namespace lacuna::warp {

/// Whether `op` issues a product, of an A operand in shared memory or in registers.
inline bool isProduct(mlir::Operation *op) {
  return mlir::isa<WgmmaSsOp, WgmmaRsOp>(op);
}

} // namespace lacuna::warp
