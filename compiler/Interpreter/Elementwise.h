// arith and math on scalars and tiles: each value by itself.
#pragma once

#include "Registers.h"

#include <span>

namespace lacuna::interpreter {

/// The single result of `op` on `operands`; an operand that is a scalar counts for all values. Arithmetic is done in
/// float32 and rounded to the element type; division is a multiplication by the reciprocal, as on the machine.
/// Errors: Unsupported for an op or a type that is not known here; VerifyError for an integer division by zero.
Expected<Tile> evaluateElementwise(mlir::Operation *op, std::span<const TilePtr> operands);

} // namespace lacuna::interpreter
