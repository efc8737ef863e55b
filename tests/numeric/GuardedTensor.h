// A tensor whose surroundings are watched.
//
// Its elements lie in a larger piece of memory: a guard zone before them, one behind them, and, where the strides leave
// gaps, the gaps between them. All of it is first filled with 0xff bytes, which are a NaN in bf16, f16 and f32 alike:
//
//   | guard | row 0 | gap | row 1 | gap | ... | guard |
//
// An input then shows a kernel that lets what lies outside its view count (the result becomes NaN), and an output one
// that writes outside, or leaves an element unwritten.
#pragma once

#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/HostTensor.h"

#include <optional>
#include <string>
#include <vector>

namespace lacuna::numeric {

/// Where the elements lie: strides in elements, the innermost 1.
struct Layout {
  std::vector<int64_t> shape, strides;

  /// C order, no gaps.
  static Layout contiguous(std::vector<int64_t> shape);
  /// C order; rows begin at multiples of 8 elements (16 bytes, what a tensor map needs).
  static Layout rowsPadded(std::vector<int64_t> shape);
  /// The same with `gap` * 8 more elements between the entries of every axis but the innermost.
  static Layout withGaps(std::vector<int64_t> shape, int64_t gap);
  /// [a, b, c, ...] stored in the order b-before-a, as [B, M, H, D] memory is seen as [B, H, M, D]: axes `first` and
  /// `second` change places in memory.
  static Layout withAxesSwapped(std::vector<int64_t> shape, size_t first, size_t second);
};

/// Thread safety: one thread at a time.
class GuardedTensor {
public:
  GuardedTensor() = default;
  /// All poison.
  GuardedTensor(runtime::DType dtype, Layout layout);
  /// A copy of `values`, which has the layout's shape.
  GuardedTensor(const runtime::HostTensor &values, Layout layout);

  runtime::DType dtype() const { return type; }
  const Layout &placement() const { return layout; }
  /// A view of the host memory.
  runtime::TensorView hostView();
  /// A view of a copy at `base`, of this whole memory.
  runtime::TensorView viewAt(void *base) const;

  std::vector<unsigned char> &memory() { return bytes; }
  const std::vector<unsigned char> &memory() const { return bytes; }
  /// Everything poison again.
  void poison();

  /// The elements, contiguous.
  runtime::HostTensor gather() const;
  /// The first byte outside the elements that is no longer poison, as a sentence.
  std::optional<std::string> findStrayWrite() const;

private:
  /// Calls body(flat index, offset in elements) for every element in C order.
  template <class Body> void forEachElement(Body &&body) const;

  static constexpr size_t kGuardBytes = 512;
  runtime::DType type = runtime::DType::F32;
  Layout layout;
  std::vector<unsigned char> bytes;
};

/// A host tensor, whose allocation is taken to succeed.
runtime::HostTensor makeTensor(runtime::DType dtype, std::vector<int64_t> shape);
/// Writes element `index` of the flat array.
void setValue(runtime::HostTensor &tensor, int64_t index, float value);

} // namespace lacuna::numeric
