#include "Compare.h"

#include <algorithm>
#include <cmath>

namespace lacuna::numeric {

using namespace runtime;

Bounds boundsOf(DType dtype) {
  switch (dtype) {
  case DType::BF16:
    return {4e-3, 4e-2};
  case DType::F16:
    return {8e-4, 8e-3};
  default:
    return {1e-4, 1e-3};
  }
}

std::vector<std::string> compare(const HostTensor &found, std::span<const double> wanted, Bounds bounds) {
  if (static_cast<size_t>(found.elements()) != wanted.size())
    return {fmt::format("{} elements, {} were expected", found.elements(), wanted.size())};
  double error = 0, norm = 0;
  for (double value : wanted)
    norm += std::isfinite(value) ? value * value : 0;
  const double rms = std::sqrt(norm / static_cast<double>(wanted.size()));
  for (size_t at = 0; at < wanted.size(); ++at) {
    const double value = found.valueAt(static_cast<int64_t>(at)), difference = std::abs(value - wanted[at]);
    if (std::isnan(wanted[at]) && std::isnan(value))
      continue;
    if (value == wanted[at])
      continue;
    if (!(difference <= bounds.element * std::max(std::abs(wanted[at]), rms)))
      return {fmt::format("element {} is {}, {} was expected (root mean square {})", at, value, wanted[at], rms)};
    error += difference * difference;
  }
  if (const double relative = error == 0 ? 0 : std::sqrt(error / norm); !(relative <= bounds.frobenius))
    return {
        fmt::format("the relative Frobenius error is {:.3g}; at most {:.3g} is allowed", relative, bounds.frobenius)};
  return {};
}

HostTensor normalTensor(DType dtype, std::vector<int64_t> shape, uint64_t seed, uint64_t stream, ThreadPool &pool,
                        float deviation) {
  HostTensor tensor = makeTensor(dtype, std::move(shape));
  fillNormal(tensor, seed, stream, pool);
  if (deviation != 1)
    for (int64_t at = 0; at < tensor.elements(); ++at)
      setValue(tensor, at, tensor.valueAt(at) * deviation);
  return tensor;
}

std::vector<double> toDoubles(const HostTensor &tensor) {
  std::vector<double> values(static_cast<size_t>(tensor.elements()));
  for (size_t at = 0; at < values.size(); ++at)
    values[at] = tensor.valueAt(static_cast<int64_t>(at));
  return values;
}

void addProduct(double *result, const double *a, const double *b, int64_t rows, int64_t columns, int64_t inner,
                bool transposed) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t j = 0; j < columns; ++j)
        result[i * columns + j] += a[i * inner + k] * (transposed ? b[j * inner + k] : b[k * columns + j]);
}

} // namespace lacuna::numeric
