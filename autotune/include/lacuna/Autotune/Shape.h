//===- Shape.h - What a kernel is tuned on ----------------------*- C++ -*-===//
//
// A shape is a line of NAME=VALUE words: the kernel's run-time dimensions, those of its params that are not tuned, and
// for kernels with block lists what they hold:
//
//   B=1 H=16 G=16 M=4096 N=4096 D=128 dtype=bf16 pattern=causal
//   M=8192 N=8192 K=4096 T=f16
//   H=16 M=32768 D=128 pattern=random:0.1 block=128x128
//
// `dtype` is another name of the param T. Dimensions may be left out where a usual value exists: B is 1, H and G are 1
// or each other's, N is M, any other is required. `pattern` is dense (the default), causal, window:LEFT[:SINK] or
// random:DENSITY (Pattern.h). `block` is the caller's list block; without it the lists follow the kernel's tile, but
// for random, where it is 128x128.
//
// A shapes file holds one shape a line; `#` begins a comment. A line with `kernel=NAME` is for that kernel alone, one
// without for all that are tuned. All mistakes of a file are reported, each with its line.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_SHAPE_H
#define LACUNA_AUTOTUNE_SHAPE_H

#include "lacuna/Autotune/KernelDescription.h"
#include "lacuna/Runtime/Pattern.h"

#include <optional>

namespace lacuna::autotune {

struct ListBlock {
  int64_t rows = 0, columns = 0;
  bool operator==(const ListBlock &) const = default;
};

/// Thread safety: a plain value.
struct Shape {
  std::map<std::string, int64_t> dims;
  Settings params;                ///< values of params that are not tuned
  std::string pattern;            ///< empty for a kernel without lists
  std::optional<ListBlock> block; ///< nothing: lists follow the tile

  /// Everything in a fixed order: dimensions, params, pattern, block.
  std::string text() const;

  /// The params that code for this shape has: `params`, and the lists' block where it is given.
  Settings fixedParams(const KernelDescription &kernel) const;
  /// The body of the hook `keep`; empty where every listed element counts.
  std::string keepHook() const;
};

/// Understands one line for `kernel`. Errors: InvalidArgument or ParseError, with what was given and what is allowed.
Expected<Shape> parseShape(std::string_view line, const KernelDescription &kernel);

/// Reads the text of a shapes file, whose name is for messages; the shapes of `kernel`, which may be none where
/// `allKernels`, the names of all that are tuned, has others. Errors: InvalidArgument; the message holds every mistake
/// as `file:line: sentence`, or says that there is no shape.
Expected<std::vector<Shape>> parseShapesFile(const std::string &name, std::string_view text,
                                             const KernelDescription &kernel,
                                             const std::vector<std::string> &allKernels);

/// The reverse of Shape::text, without a kernel to hold it to: words with an upper-case initial and a whole number are
/// dimensions if `dims` has them, else params.
Expected<Shape> readShapeText(std::string_view text, const std::vector<std::string> &dims);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_SHAPE_H
