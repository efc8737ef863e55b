#include "lacuna/Runtime/HostTensor.h"

namespace lacuna::runtime {

Expected<HostTensor> HostTensor::allocate(DType dtype, std::vector<int64_t> shape) {
  constexpr int64_t kAlignment = 64;
  int64_t count = 1, bytes = 0;
  bool overflow = false;
  std::string text;
  for (int64_t extent : shape) {
    text += fmt::format("{}{}", text.empty() ? "" : " x ", extent);
    overflow |= __builtin_mul_overflow(count, extent, &count);
    if (extent < 1)
      return makeError(ErrorCode::InvalidArgument, "a tensor with an extent of {} was asked for; give at least 1",
                       extent);
  }
  overflow |= __builtin_mul_overflow(count, static_cast<int64_t>(dtypeSize(dtype)), &bytes) ||
              __builtin_add_overflow(bytes, kAlignment, &bytes);
  if (overflow)
    return makeError(ErrorCode::InvalidArgument,
                     "a tensor of {} elements ({}) is larger than any address space; make it "
                     "smaller",
                     text, dtypeName(dtype));
  HostTensor tensor;
  tensor.memory.reset(std::aligned_alloc(kAlignment, static_cast<size_t>(bytes / kAlignment * kAlignment)));
  if (!tensor.memory)
    return makeError(ErrorCode::ResourceExhausted,
                     "no memory for a tensor of {} elements ({}, {} bytes); make it smaller", text, dtypeName(dtype),
                     bytes);
  tensor.type = dtype;
  tensor.extents = std::move(shape);
  tensor.count = count;
  return tensor;
}

float HostTensor::valueAt(int64_t index) const {
  size_t at = static_cast<size_t>(index);
  switch (type) {
  case DType::F32:
    return as<float>()[at];
  case DType::I32:
    return static_cast<float>(as<int32_t>()[at]);
  default:
    return floatFrom16(type, as<uint16_t>()[at]);
  }
}

} // namespace lacuna::runtime
