// Matrix products as the tensor cores do them: operands are read from shared memory through what a matrix descriptor
// says (Layouts.h), 16 values of k at a time, and summed in float32.
#pragma once

#include "Registers.h"

#include <cstddef>

namespace lacuna::interpreter {

/// An operand in shared memory.
struct SharedOperand {
  const std::byte *memory = nullptr; ///< shared memory from its start
  int64_t offset = 0;                ///< what the descriptor points to, in bytes
  warp::OperandLayout layout = {};
  bool bf16 = true;
};

/// Reads the values of k-step `step`: `along` values of the product's m or n by 16 of k, to values[k * along + i].
void readOperandStep(const SharedOperand &operand, int64_t step, int64_t along, float *values);

/// One warp.wgmma: acc (or zero, where null) + A * B, for the 64 rows of a warpgroup.
struct Product {
  const Tile *aFragment = nullptr; ///< or
  SharedOperand a;                 ///< of this warpgroup's rows
  SharedOperand b;
  int64_t columns = 0, steps = 0;
  Tile run(const Tile *acc) const;
};

} // namespace lacuna::interpreter
