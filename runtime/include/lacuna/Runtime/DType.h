//===- DType.h - Element types and their conversions ------------*- C++ -*-===//
//
// The element types of views and scalar arguments. A bf16 value is the upper 16 bits of a float32 (8 exponent bits, 7
// mantissa bits); an f16 value is IEEE 754 binary16. Both are carried as their bit pattern in a uint16_t; conversion
// from float32 rounds to nearest, ties to even, and keeps infinities and NaN.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DTYPE_H
#define LACUNA_RUNTIME_DTYPE_H

#include "lacuna/Runtime/Error.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lacuna::runtime {

enum class DType { BF16, F16, F32, I32 };

/// The size of one element in bytes.
constexpr size_t dtypeSize(DType dtype) {
  return dtype == DType::BF16 || dtype == DType::F16 ? 2 : 4;
}

/// The name as the language spells it: "bf16", "f16", "f32", "i32".
std::string_view dtypeName(DType dtype);

/// The type of a name as the language spells it. Errors: InvalidArgument, naming the allowed names.
Expected<DType> parseDType(std::string_view name);

/// float32 -> bf16 pattern, to nearest, ties to even; a NaN becomes a quiet NaN with its sign.
constexpr uint16_t floatToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return static_cast<uint16_t>((bits >> 16) | 0x0040u);
  bits += 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<uint16_t>(bits >> 16);
}

/// bf16 pattern -> float32, exact.
constexpr float bf16ToFloat(uint16_t pattern) {
  return std::bit_cast<float>(static_cast<uint32_t>(pattern) << 16);
}

/// float32 -> f16 pattern, to nearest, ties to even; overflow gives infinity, a NaN a quiet NaN with its sign.
constexpr uint16_t floatToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u)
    return static_cast<uint16_t>(sign | 0x7e00u | ((bits >> 13) & 0x01ffu));
  if (bits >= 0x477ff000u) // 65520, half way between the largest finite value and the next power of two
    return static_cast<uint16_t>(sign | 0x7c00u);
  if (bits >= 0x38800000u) { // normal in f16: rebias the exponent by 112 and round 13 bits away
    bits += 0xfffu + ((bits >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((bits - 0x38000000u) >> 13));
  }
  if (bits <= 0x33000000u) // at most half of the smallest subnormal 2^-24
    return sign;
  uint32_t exponent = bits >> 23;
  uint32_t mantissa = (bits & 0x007fffffu) | 0x00800000u;
  uint32_t shift = 126 - exponent; // value = mantissa * 2^(exponent - 150) = pattern * 2^-24
  uint32_t rounded = (mantissa >> shift);
  uint32_t rest = mantissa & ((1u << shift) - 1u), half = 1u << (shift - 1);
  if (rest > half || (rest == half && (rounded & 1u)))
    ++rounded;
  return static_cast<uint16_t>(sign | rounded);
}

/// f16 pattern -> float32, exact.
constexpr float f16ToFloat(uint16_t pattern) {
  uint32_t sign = static_cast<uint32_t>(pattern & 0x8000u) << 16;
  uint32_t exponent = (pattern >> 10) & 0x1fu, mantissa = pattern & 0x03ffu;
  if (exponent == 0x1fu)
    return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

/// float32 -> the 16-bit pattern of `dtype` (BF16 or F16).
constexpr uint16_t floatTo16(DType dtype, float value) {
  return dtype == DType::BF16 ? floatToBf16(value) : floatToF16(value);
}

/// The 16-bit pattern of `dtype` (BF16 or F16) -> float32.
constexpr float floatFrom16(DType dtype, uint16_t pattern) {
  return dtype == DType::BF16 ? bf16ToFloat(pattern) : f16ToFloat(pattern);
}

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_DTYPE_H
