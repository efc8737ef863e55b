// Judging results against float64, where the attention reference does not apply.
#pragma once

#include "TestCase.h"
#include "lacuna/Runtime/Random.h"

#include <span>
#include <string>
#include <vector>

namespace lacuna::numeric {

/// How far a result may be from float64.
struct Bounds {
  double frobenius; ///< ||found - wanted|| / ||wanted||
  /// Of one element, in units of the largest of |wanted| and the root mean square of all.
  double element;
};

/// The bounds of a result in `dtype` whose sums are float32: those of R18.
Bounds boundsOf(runtime::DType dtype);

/// What is wrong with `found`, whose elements should be `wanted`: a sentence each. A NaN is wanted where `wanted` has
/// one.
std::vector<std::string> compare(const runtime::HostTensor &found, std::span<const double> wanted, Bounds bounds);

/// A tensor of normal numbers of deviation `deviation`.
runtime::HostTensor normalTensor(runtime::DType dtype, std::vector<int64_t> shape, uint64_t seed, uint64_t stream,
                                 runtime::ThreadPool &pool, float deviation = 1);

/// The elements as doubles.
std::vector<double> toDoubles(const runtime::HostTensor &tensor);

/// rows x columns += a (rows x inner) * b (inner x columns), all C order; `b` is columns x inner where `transposed`.
void addProduct(double *result, const double *a, const double *b, int64_t rows, int64_t columns, int64_t inner,
                bool transposed);

} // namespace lacuna::numeric
