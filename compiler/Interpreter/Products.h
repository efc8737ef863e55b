// Matrix products as the tensor cores do them: operands are read from shared memory 16 values of k at a time, through
// what a matrix descriptor says (wgmma) or by the addresses that lanes give (ldmatrix, for mma.sync), both in
// Layouts.h, and summed in float32.
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

/// The same by ldmatrix, into the registers of mma.sync: `blocks` blocks of 16 along m (`isA`) or n, from block `first`
/// of the tile on.
void readLoadedStep(const SharedOperand &operand, bool isA, int64_t first, int64_t blocks, int64_t step, float *values);

/// One product: acc (or zero, where null) + A * B, for the 64 rows of a warpgroup.
struct Product {
  const Tile *aFragment = nullptr; ///< or
  SharedOperand a;                 ///< wgmma: of this warpgroup's rows; mma.sync: the whole tile
  SharedOperand b;
  int64_t columns = 0, steps = 0;
  bool loadsMatrices = false; ///< mma.sync
  int64_t warpgroup = 0;      ///< whose rows of A, for mma.sync
  Tile run(const Tile *acc) const;
};

} // namespace lacuna::interpreter
