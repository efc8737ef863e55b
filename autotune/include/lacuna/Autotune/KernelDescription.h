//===- KernelDescription.h - What the tuner knows of a kernel ---*- C++ -*-===//
//
// The tuner's view of a kernel text. Whoever has a compiler fills it; nothing here needs one.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_KERNELDESCRIPTION_H
#define LACUNA_AUTOTUNE_KERNELDESCRIPTION_H

#include "lacuna/Autotune/SearchSpace.h"

namespace lacuna::autotune {

/// A param that the tuner does not vary, and that a shape may set.
struct ParamDescription {
  std::string name;
  std::vector<std::string> values; ///< all that are allowed
  std::string preset;              ///< its value where it is not set
};

struct KernelDescription {
  std::string kernel; ///< its name
  std::string file;   ///< for messages
  std::string source; ///< the text
  std::string hash;   ///< of the canonical text: two texts with one hash are the same kernel
  std::vector<Knob> knobs;
  std::vector<ParamDescription> params;
  std::vector<std::string> dims;             ///< run-time dimensions, in the order of their first use
  std::vector<std::string> constraints;      ///< IntExpr over `dims` that a launch must satisfy
  std::vector<std::string> conditions;       ///< of the `tune` entry: IntExpr over knobs, params, `smem` and `regs_fit`
  std::string listColumns;                   ///< the dimension that block lists name blocks of; empty: no lists
  std::string listRowParam, listColumnParam; ///< the params of the lists' block
  bool hasMask = false;                      ///< it has a hook `keep`, as a pattern with a mask needs

  bool hasLists() const { return !listColumns.empty(); }
};

/// The machine that is tuned for.
struct MachineLimits {
  std::string name;        ///< "NVIDIA H200"; for a CPU its model
  std::string target;      ///< "sm_90a", "sm_80" or "cpu"
  int64_t sharedBytes = 0; ///< a thread block may have; 0: no such limit
  int64_t multiprocessors = 1;
  std::string processor = {}; ///< what code is assembled for; empty: the driver does it, or there is no GPU
  /// What a record says of it: a GPU of one name exists with several limits.
  std::string limitsText() const {
    return target == "cpu"
               ? "cpu"
               : fmt::format("{}, {} multiprocessors, {} bytes of shared memory", target, multiprocessors, sharedBytes);
  }
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_KERNELDESCRIPTION_H
