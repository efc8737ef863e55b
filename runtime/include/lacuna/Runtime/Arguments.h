//===- Arguments.h - What a caller passes to a kernel -----------*- C++ -*-===//
//
// Views of the caller's memory (host memory for a CPU kernel, device memory for a GPU kernel) and scalars, in the order
// of the kernel's arguments. They own nothing and copy nothing.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_ARGUMENTS_H
#define LACUNA_RUNTIME_ARGUMENTS_H

#include "lacuna/Runtime/DType.h"

#include <cstdint>
#include <variant>
#include <vector>

namespace lacuna::runtime {

/// A tensor in the caller's memory. Thread safety: a plain value.
struct TensorView {
  void *data = nullptr;
  DType dtype = DType::F32;
  std::vector<int64_t> shape = {};   ///< outermost first
  std::vector<int64_t> strides = {}; ///< in elements, as many as extents; the innermost must be 1

  /// A view without gaps, C order.
  static TensorView contiguous(void *data, DType dtype, std::vector<int64_t> shape);
};

/// A block list in the caller's memory. Row r of (b, h) is row R = (b * heads + h) * rowBlocks + r of one CSR, with b
/// or h taken as 0 where `batches` or `heads` is 1: indices[indptr[R] .. split[R]) are its partial blocks, [split[R] ..
/// indptr[R+1]) its full ones, each part ascending and unique. Thread safety: a plain value.
struct BlockListView {
  const int32_t *indptr = nullptr;  ///< [batches * heads * rowBlocks + 1]
  const int32_t *split = nullptr;   ///< [batches * heads * rowBlocks]
  const int32_t *indices = nullptr; ///< [entries]; may be null where `entries` is 0
  int64_t batches = 1;              ///< the kernel's batch, or 1: one list for all
  int64_t heads = 1;                ///< the kernel's heads, or 1
  int64_t rowBlocks = 0;            ///< rows of queries / the list's query block, rounded up
  int64_t entries = 0;
};

/// One argument: a view, a list, an f32 or an i32.
using ArgumentValue = std::variant<TensorView, BlockListView, float, int32_t>;

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_ARGUMENTS_H
