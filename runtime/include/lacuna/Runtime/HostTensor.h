//===- HostTensor.h - A tensor in host memory -------------------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_HOSTTENSOR_H
#define LACUNA_RUNTIME_HOSTTENSOR_H

#include "lacuna/Runtime/Arguments.h"

#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace lacuna::runtime {

/// A contiguous tensor, C order, its memory aligned to 64 bytes and not initialised. 16-bit types are held as bit
/// patterns. Thread safety: one thread writes, or any number read.
class HostTensor {
public:
  HostTensor() = default;

  /// Errors: InvalidArgument for an extent below 1 or a size that overflows, ResourceExhausted without memory.
  static Expected<HostTensor> allocate(DType dtype, std::vector<int64_t> shape);

  DType dtype() const { return type; }
  const std::vector<int64_t> &shape() const { return extents; }
  int64_t elements() const { return count; }
  size_t bytes() const { return static_cast<size_t>(count) * dtypeSize(type); }
  void *data() { return memory.get(); }
  const void *data() const { return memory.get(); }

  /// The elements as T, whose size must be the dtype's (uint16_t for bf16 and f16).
  template <class T> std::span<T> as() { return {static_cast<T *>(memory.get()), static_cast<size_t>(count)}; }
  template <class T> std::span<const T> as() const {
    return {static_cast<const T *>(memory.get()), static_cast<size_t>(count)};
  }
  /// Element `index` of the flat array, converted.
  float valueAt(int64_t index) const;

  /// A view for a CPU kernel.
  TensorView view() { return TensorView::contiguous(data(), type, extents); }

private:
  struct Free {
    void operator()(void *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<void, Free> memory;
  DType type = DType::F32;
  std::vector<int64_t> extents;
  int64_t count = 0;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_HOSTTENSOR_H
