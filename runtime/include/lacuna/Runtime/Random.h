//===- Random.h - Reproducible random data ----------------------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_RANDOM_H
#define LACUNA_RUNTIME_RANDOM_H

#include "lacuna/Runtime/HostTensor.h"
#include "lacuna/Runtime/ThreadPool.h"

#include <cstdint>

namespace lacuna::runtime {

/// A generator of 64 random bits a call. **Source:** Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014 (SplitMix64). Thread safety: a plain value.
class SplitMix64 {
public:
  /// Generators of different seeds or streams give unrelated numbers.
  explicit SplitMix64(uint64_t seed, uint64_t stream = 0) : state(seed * 0x9e3779b97f4a7c15u + stream) {
    state = next();
  }

  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// From 0 to below 1, with 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// From 0 to below `bound`; the bias is below bound / 2^64.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

private:
  uint64_t state;
};

/// Fills a bf16, f16 or f32 tensor with normal numbers of mean 0 and deviation 1. The result depends on `seed` and
/// `stream` alone, not on the number of threads.
void fillNormal(HostTensor &tensor, uint64_t seed, uint64_t stream, ThreadPool &pool);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_RANDOM_H
