//===- LaunchMetadata.h - What a launch has to know -------------*- C++ -*-===//
//
// The compiler writes one LaunchMetadata beside each compiled kernel; the runtime needs nothing else to check a
// caller's arguments, bind the run-time dimensions, pack the parameters and size the grid. Parameters of the kernel, in
// order:
//
//   1. GPU only: the tensor maps (128 bytes each, by value), in the order of `tensorMaps`.
//   2. for each argument
//        View of rank r: pointer, then r-1 strides (i64, in elements; the innermost stride is 1)
//        Blocks:         indptr, split, indices (pointers to int32), i64 batchStride, i64 headStride (in row blocks; 0
//        where
//                        the list is shared), i32 rowBlocks. Row r of (b, h) starts at
//                        indptr[b*batchStride + h*headStride + r]; r >= rowBlocks is an empty row.
//        Scalar:         one f32 or i32
//   3. the run-time dimensions, i32 each, in the order of `dims`.
//   4. persistent kernels only: queue and order (pointers to int32, either may be null), the grid's x and y and the
//   number
//      of programs (i32 each). docs/launch-abi.md says what they are.
//
// A CPU kernel is `void symbol(void **params, int32_t x, int32_t y, int32_t z)`; params[i] points to parameter i, as
// for cuLaunchKernel.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_LAUNCHMETADATA_H
#define LACUNA_RUNTIME_LAUNCHMETADATA_H

#include "lacuna/Runtime/DType.h"
#include "lacuna/Runtime/Error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::runtime {

/// One extent of a shape: a run-time dimension (`symbol`, one of LaunchMetadata::dims) or, where `symbol` is empty,
/// `value`.
struct Extent {
  std::string symbol;
  int64_t value = 0;
  bool operator==(const Extent &) const = default;
};

/// One argument of the kernel, as the caller gives it.
struct Argument {
  enum class Kind { View, Blocks, Scalar };
  std::string name;
  Kind kind = Kind::View;
  /// The element type of a view, or the type of a scalar (F32 or I32). Blocks are always I32.
  DType dtype = DType::F32;
  /// View: its extents, outermost first. Blocks: exactly two, the batches and the heads of the list; the caller may
  /// always give 1 instead, a shared list. Scalar: empty.
  std::vector<Extent> shape = {};
  /// The kernel writes this view.
  bool output = false;
  /// Blocks: the list's block, in rows of queries and of keys.
  int64_t queryBlock = 0, keyBlock = 0;
  /// View: its address and its strides are multiples of this many bytes; 0: of the element's size. A view under a
  /// tensor map is held to 16 in any case.
  int64_t alignment = 0;
  bool operator==(const Argument &) const = default;
};

/// A tensor map over a view of 16-bit elements: the box is 64 elements along the innermost axis, `boxRows` along
/// `rowAxis` (counted from the outermost axis, 0), `outerRows` along the axis before it and 1 elsewhere; 128-byte
/// swizzle; what lies past the view reads zero.
struct TensorMapSpec {
  int argument = 0;
  int rowAxis = 0;
  int boxRows = 0;
  int outerRows = 1;
  bool operator==(const TensorMapSpec &) const = default;
};

/// A condition on the dimensions that the kernel states (`where H % G == 0`): `expression` is an IntExpr that must not
/// be zero, `source` the text to show the caller.
struct Constraint {
  std::string expression, source;
  bool operator==(const Constraint &) const = default;
};

struct LaunchMetadata {
  std::string kernel; ///< the name in the source, for messages
  std::string symbol; ///< the entry point's name in the image
  std::string target; ///< "sm_90a", "sm_80" or "cpu"
  std::vector<Argument> arguments = {};
  std::vector<std::string> dims = {};
  /// One to three IntExpr over `dims`, x first.
  std::vector<std::string> grid = {};
  std::vector<Constraint> constraints = {};
  /// Scalar arguments that the code takes to be greater than zero.
  std::vector<std::string> positiveScalars = {};
  /// What the image was assembled for, "sm_86"; empty: it is PTX, or code of a CPU.
  std::string processor = {};
  int threads = 1;         ///< threads a CTA (GPU)
  int64_t sharedBytes = 0; ///< dynamic shared memory a CTA, in bytes (GPU)
  std::vector<TensorMapSpec> tensorMaps = {};
  /// Thread blocks that a multiprocessor holds of a persistent kernel (GPU), which takes the grid's programs from a
  /// queue; 0: one thread block runs one program.
  int persistentBlocks = 0;
  bool operator==(const LaunchMetadata &) const = default;

  /// One JSON object, keys in a fixed order, so that equal metadata gives equal bytes.
  std::string toJson() const;
  /// The reverse of toJson. Errors: ParseError for anything that is not such an object, by field; never throws.
  static Expected<LaunchMetadata> fromJson(std::string_view text);
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_LAUNCHMETADATA_H
