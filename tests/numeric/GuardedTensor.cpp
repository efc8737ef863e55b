#include "GuardedTensor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lacuna::numeric {

using namespace runtime;

namespace {
constexpr unsigned char kPoison = 0xff;

int64_t roundUpTo8(int64_t value) {
  return (value + 7) / 8 * 8;
}
} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Layout
//===--------------------------------------------------------------------------------------------------------------===//

Layout Layout::contiguous(std::vector<int64_t> shape) {
  Layout layout{std::move(shape), {}};
  layout.strides.assign(layout.shape.size(), 1);
  for (size_t axis = layout.shape.size() - 1; axis-- > 0;)
    layout.strides[axis] = layout.strides[axis + 1] * layout.shape[axis + 1];
  return layout;
}

Layout Layout::rowsPadded(std::vector<int64_t> shape) {
  return withGaps(std::move(shape), 0);
}

Layout Layout::withGaps(std::vector<int64_t> shape, int64_t gap) {
  Layout layout{std::move(shape), {}};
  const size_t rank = layout.shape.size();
  layout.strides.assign(rank, 1);
  for (size_t axis = rank - 1; axis-- > 0;) {
    int64_t inner = layout.strides[axis + 1] * layout.shape[axis + 1];
    layout.strides[axis] = roundUpTo8(inner) + 8 * gap;
  }
  return layout;
}

Layout Layout::withAxesSwapped(std::vector<int64_t> shape, size_t first, size_t second) {
  std::swap(shape[first], shape[second]);
  Layout layout = rowsPadded(std::move(shape));
  std::swap(layout.shape[first], layout.shape[second]);
  std::swap(layout.strides[first], layout.strides[second]);
  return layout;
}

//===--------------------------------------------------------------------------------------------------------------===//
// GuardedTensor
//===--------------------------------------------------------------------------------------------------------------===//

GuardedTensor::GuardedTensor(DType dtype, Layout given) : type(dtype), layout(std::move(given)) {
  int64_t last = 0;
  for (size_t axis = 0; axis < layout.shape.size(); ++axis)
    last += (layout.shape[axis] - 1) * layout.strides[axis];
  bytes.assign(2 * kGuardBytes + static_cast<size_t>(last + 1) * dtypeSize(type), kPoison);
}

GuardedTensor::GuardedTensor(const HostTensor &values, Layout given) : GuardedTensor(values.dtype(), std::move(given)) {
  const size_t size = dtypeSize(type);
  const auto *source = static_cast<const unsigned char *>(values.data());
  forEachElement([&](size_t index, size_t offset) {
    std::memcpy(bytes.data() + kGuardBytes + offset * size, source + index * size, size);
  });
}

template <class Body> void GuardedTensor::forEachElement(Body &&body) const {
  size_t rows = 1, index = 0;
  const size_t rank = layout.shape.size(), width = static_cast<size_t>(layout.shape.back());
  for (size_t axis = 0; axis + 1 < rank; ++axis)
    rows *= static_cast<size_t>(layout.shape[axis]);
  for (size_t row = 0; row < rows; ++row) {
    size_t rest = row, offset = 0;
    for (size_t axis = rank - 1; axis-- > 0;) {
      offset += rest % static_cast<size_t>(layout.shape[axis]) * static_cast<size_t>(layout.strides[axis]);
      rest /= static_cast<size_t>(layout.shape[axis]);
    }
    for (size_t column = 0; column < width; ++column)
      body(index++, offset + column);
  }
}

TensorView GuardedTensor::hostView() {
  return viewAt(bytes.data());
}

TensorView GuardedTensor::viewAt(void *base) const {
  return {static_cast<unsigned char *>(base) + kGuardBytes, type, layout.shape, layout.strides};
}

void GuardedTensor::poison() {
  std::fill(bytes.begin(), bytes.end(), kPoison);
}

HostTensor GuardedTensor::gather() const {
  HostTensor result = makeTensor(type, layout.shape);
  const size_t size = dtypeSize(type);
  auto *target = static_cast<unsigned char *>(result.data());
  forEachElement([&](size_t index, size_t offset) {
    std::memcpy(target + index * size, bytes.data() + kGuardBytes + offset * size, size);
  });
  return result;
}

std::optional<std::string> GuardedTensor::findStrayWrite() const {
  std::vector<bool> owned(bytes.size());
  const size_t size = dtypeSize(type);
  forEachElement([&](size_t, size_t offset) {
    for (size_t byte = 0; byte < size; ++byte)
      owned[kGuardBytes + offset * size + byte] = true;
  });
  for (size_t at = 0; at < bytes.size(); ++at)
    if (!owned[at] && bytes[at] != kPoison)
      return fmt::format("a write outside the view, {} bytes from its first element",
                         static_cast<int64_t>(at) - static_cast<int64_t>(kGuardBytes));
  return std::nullopt;
}

HostTensor makeTensor(DType dtype, std::vector<int64_t> shape) {
  Expected<HostTensor> tensor = HostTensor::allocate(dtype, std::move(shape));
  if (tensor)
    return std::move(*tensor);
  std::fprintf(stderr, "lacuna-numeric-tests: %s\n", tensor.error().render().c_str());
  std::abort();
}

void setValue(HostTensor &tensor, int64_t index, float value) {
  const size_t at = static_cast<size_t>(index);
  if (tensor.dtype() == DType::F32)
    tensor.as<float>()[at] = value;
  else
    tensor.as<uint16_t>()[at] = floatTo16(tensor.dtype(), value);
}

} // namespace lacuna::numeric
