//===- Elements.h - Elements of tiles in registers --------------*- C++ -*-===//
//
// How the CPU backend holds an element. f32, i32 and i1 are themselves. A bf16 or f16 value is held as the float32 of
// the same value, from the load that widens it to the store that narrows it: dots need it so, and every operation whose
// result is narrow computes in float32 and rounds. (One rounding of the float32 result is the correctly rounded narrow
// result, for + - * / and sqrt: float32 has more than twice the digits of f16 and bf16, plus two.)
//
// A `width` of 0 means a scalar, 16 a vector of 16: tiles have extents of 1 or multiples of 16.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_CONVERSION_TILETOCPU_ELEMENTS_H
#define LACUNA_CONVERSION_TILETOCPU_ELEMENTS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lacuna::cpu {

/// The width of every vector that is generated; the target splits it where its registers are shorter.
inline constexpr int64_t kWidth = 16;

/// The type in which an element of type `element` is held.
mlir::Type registerType(mlir::Type element);

/// `element` itself for width 0, else a vector of it.
mlir::Type withWidth(mlir::Type element, int64_t width);

/// A constant of register type `element`, repeated `width` times.
mlir::Value constantOf(mlir::ImplicitLocOpBuilder &b, mlir::Attribute value, int64_t width);

/// `value` (a scalar) repeated `width` times.
mlir::Value splat(mlir::ImplicitLocOpBuilder &b, mlir::Value value, int64_t width);

/// 0, 1, 2, … as i32.
mlir::Value laneNumbers(mlir::ImplicitLocOpBuilder &b);

/// Rounds a float32 (scalar or vector) to the nearest value of `element`, ties to even; NaN stays NaN.
mlir::Value roundTo(mlir::ImplicitLocOpBuilder &b, mlir::Type element, mlir::Value value);

/// Reads an element, or kWidth consecutive ones, of type `element` at `pointer` into register form. With a `mask` the
/// lanes where it is false are not read and give zero.
mlir::Value loadElements(mlir::ImplicitLocOpBuilder &b, mlir::Type element, mlir::Value pointer, int64_t width,
                         mlir::Value mask = {});

/// Writes what loadElements reads; lanes where `mask` is false are left alone.
void storeElements(mlir::ImplicitLocOpBuilder &b, mlir::Type element, mlir::Value value, mlir::Value pointer,
                   int64_t width, mlir::Value mask = {});

/// Repeats the elementwise `op` (arith or math) on operands in register form.
mlir::Value buildElementwise(mlir::ImplicitLocOpBuilder &b, mlir::Operation *op, mlir::ValueRange operands,
                             int64_t width);

} // namespace lacuna::cpu

#endif // LACUNA_CONVERSION_TILETOCPU_ELEMENTS_H
