// Scalar mathematics as the GPU's approximations.
#pragma once

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace lacuna {

/// Patterns with a higher benefit than the general ones of `arith`, on float32: exp2, exp, log2, log, tanh, sqrt,
/// rsqrt, absf, floor, fma, and division. Results are within 2 units in the last place of the function's own
/// approximation (PTX ISA: ex2.approx 2^-22 relative, lg2.approx 2^-22, rcp.approx 1 ulp); denormals flush to zero.
void populateGpuMathPatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace lacuna
