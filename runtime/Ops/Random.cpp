#include "lacuna/Runtime/Random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lacuna::runtime {

void fillNormal(HostTensor &tensor, uint64_t seed, uint64_t stream, ThreadPool &pool) {
  constexpr int64_t kChunk = 1 << 14;
  const DType dtype = tensor.dtype();
  const int64_t elements = tensor.elements();
  auto store = [&](int64_t index, float value) {
    if (dtype == DType::F32)
      tensor.as<float>()[static_cast<size_t>(index)] = value;
    else
      tensor.as<uint16_t>()[static_cast<size_t>(index)] = floatTo16(dtype, value);
  };
  pool.parallelFor((elements + kChunk - 1) / kChunk, [&](int64_t chunk) {
    SplitMix64 random(seed ^ (stream << 56), static_cast<uint64_t>(chunk) + 1);
    const int64_t end = std::min(elements, (chunk + 1) * kChunk);
    // Box and Muller: two uniform numbers make two normal ones.
    for (int64_t index = chunk * kChunk; index < end; index += 2) {
      uint64_t bits = random.next();
      float radius = std::sqrt(-2.0f * std::log((static_cast<float>(bits >> 40) + 1.0f) * 0x1p-24f));
      float angle = 2.0f * std::numbers::pi_v<float> * (static_cast<float>(bits & 0xffffffu) * 0x1p-24f);
      store(index, radius * std::cos(angle));
      if (index + 1 < end)
        store(index + 1, radius * std::sin(angle));
    }
  });
}

} // namespace lacuna::runtime
