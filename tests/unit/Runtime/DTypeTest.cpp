#include "lacuna/Runtime/DType.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// A conversion by definition: of the two neighbours of `value` among the type's values, the nearer, at a tie the one
/// whose pattern is even. `step` is the distance of neighbours at `value`'s magnitude.
double roundedByDefinition(double value, int mantissaBits, int lowestExponent, double largest) {
  if (!std::isfinite(value) || value == 0)
    return value;
  int exponent = std::max(std::ilogb(value), lowestExponent);
  double step = std::ldexp(1.0, exponent - mantissaBits);
  double scaled = value / step; // exact: a power of two
  double rounded = std::nearbyint(scaled) * step;
  return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), value) : rounded;
}

double roundedBf16(float value) {
  return roundedByDefinition(value, 7, -126, 0x1.fep127);
}
double roundedF16(float value) {
  return roundedByDefinition(value, 10, -14, 65504);
}

template <class Check> void forInterestingFloats(Check check) {
  // Every exponent and sign, with mantissas at and beside the places where either type rounds.
  for (uint32_t high = 0; high < 512; ++high)
    for (uint32_t mantissa = 0; mantissa < (1u << 23); mantissa += 0x1000 - 0x7)
      check(std::bit_cast<float>(high << 23 | mantissa));
  for (uint32_t high = 0; high < (1u << 16); ++high)
    for (uint32_t low :
         {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x2000u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      check(std::bit_cast<float>(high << 16 | low));
}

} // namespace

TEST_CASE("every 16-bit pattern survives the way to float32 and back") {
  for (uint32_t pattern = 0; pattern < (1u << 16); ++pattern) {
    uint16_t bits = static_cast<uint16_t>(pattern);
    for (DType dtype : {DType::BF16, DType::F16}) {
      float value = floatFrom16(dtype, bits);
      uint16_t back = floatTo16(dtype, value);
      if (std::isnan(value)) {
        REQUIRE(std::isnan(floatFrom16(dtype, back)));
        REQUIRE((back >> 15) == (bits >> 15));
      } else {
        REQUIRE(back == bits);
      }
    }
  }
}

TEST_CASE("float32 rounds to the nearest value, ties to even") {
  forInterestingFloats([](float value) {
    float bf16 = bf16ToFloat(floatToBf16(value)), f16 = f16ToFloat(floatToF16(value));
    if (std::isnan(value)) {
      REQUIRE((std::isnan(bf16) && std::isnan(f16)));
      return;
    }
    REQUIRE(static_cast<double>(bf16) == roundedBf16(value));
    REQUIRE(static_cast<double>(f16) == roundedF16(value));
    REQUIRE(std::signbit(bf16) == std::signbit(value));
    REQUIRE(std::signbit(f16) == std::signbit(value));
  });
}

TEST_CASE("names and sizes") {
  for (DType dtype : {DType::BF16, DType::F16, DType::F32, DType::I32})
    CHECK(parseDType(dtypeName(dtype)) == dtype);
  CHECK(dtypeSize(DType::BF16) == 2);
  CHECK(dtypeSize(DType::F32) == 4);
  Expected<DType> unknown = parseDType("f8");
  REQUIRE(!unknown);
  CHECK(unknown.error().message == "'f8' is no element type; use bf16, f16, f32 or i32");
}
