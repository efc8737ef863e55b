#include "MatrixProduct.h"

#include <cstring>

// The clones are chosen by code that runs before a sanitizer is ready.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LACUNA_CLONES
#endif
#endif
#if !defined(LACUNA_CLONES) && defined(__x86_64__) && defined(__linux__)
#define LACUNA_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#elif !defined(LACUNA_CLONES)
#define LACUNA_CLONES
#endif

namespace lacuna::runtime {
namespace {

constexpr int64_t kVectorBytes = 64;
using DoubleVector __attribute__((vector_size(kVectorBytes))) = double;
using FloatVector __attribute__((vector_size(kVectorBytes))) = float;

/// A block of kRows rows by one vector of columns stays in registers over the whole depth.
template <int kRows, class Vector, class Scalar>
[[gnu::always_inline]] inline void productBlock(int64_t depth, const Scalar *a, int64_t strideA, const Scalar *b,
                                                int64_t strideB, Scalar *c, int64_t strideC) {
  Vector sums[kRows];
  for (int row = 0; row < kRows; ++row)
    std::memcpy(&sums[row], c + row * strideC, sizeof(Vector));
  for (int64_t d = 0; d < depth; ++d) {
    Vector right;
    std::memcpy(&right, b + d * strideB, sizeof(Vector));
    for (int row = 0; row < kRows; ++row)
      sums[row] += a[row * strideA + d] * right;
  }
  for (int row = 0; row < kRows; ++row)
    std::memcpy(c + row * strideC, &sums[row], sizeof(Vector));
}

template <class Vector, class Scalar>
[[gnu::always_inline]] inline void product(int64_t rows, int64_t columns, int64_t depth, const Scalar *a,
                                           int64_t strideA, const Scalar *b, int64_t strideB, Scalar *c,
                                           int64_t strideC) {
  constexpr int64_t kWidth = kVectorBytes / sizeof(Scalar);
  for (int64_t j = 0; j < columns; j += kWidth) {
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4)
      productBlock<4, Vector>(depth, a + row * strideA, strideA, b + j, strideB, c + row * strideC + j, strideC);
    for (; row < rows; ++row)
      productBlock<1, Vector>(depth, a + row * strideA, strideA, b + j, strideB, c + row * strideC + j, strideC);
  }
}

} // namespace

LACUNA_CLONES void addProduct(int64_t rows, int64_t columns, int64_t depth, const double *a, int64_t strideA,
                              const double *b, int64_t strideB, double *c, int64_t strideC) {
  product<DoubleVector>(rows, columns, depth, a, strideA, b, strideB, c, strideC);
}

LACUNA_CLONES void addProduct(int64_t rows, int64_t columns, int64_t depth, const float *a, int64_t strideA,
                              const float *b, int64_t strideB, float *c, int64_t strideC) {
  product<FloatVector>(rows, columns, depth, a, strideA, b, strideB, c, strideC);
}

} // namespace lacuna::runtime
