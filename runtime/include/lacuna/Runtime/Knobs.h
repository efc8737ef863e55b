//===- Knobs.h - Settings from the environment ------------------*- C++ -*-===//
//
// The environment variables of Lacuna, all declared in Knobs.def. They are read when asked for and never kept in a
// mutable global: a Knobs is a plain value that may be changed and passed on.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_KNOBS_H
#define LACUNA_RUNTIME_KNOBS_H

#include "lacuna/Runtime/Error.h"

#include <span>
#include <string>
#include <string_view>

namespace lacuna::runtime {

/// Thread safety: a plain value; fromEnvironment may run in any thread while no thread changes the environment.
struct Knobs {
#define LACUNA_KNOB(member, environment, type, fallback, effect, help) type member = fallback;
#include "lacuna/Runtime/Knobs.def"

  /// Reads every knob. Errors: InvalidArgument for a value of the wrong type, naming the variable.
  static Expected<Knobs> fromEnvironment();
};

/// What LACUNA_JIT says: whether a kernel that is not in the cache may be compiled. Errors: InvalidArgument.
Expected<bool> jitAllowedBy(const Knobs &knobs);

/// A row of Knobs.def, for lists and documentation.
struct KnobInfo {
  enum class Effect { Codegen, Neutral };
  std::string_view environment, type, fallback;
  Effect effect;
  std::string_view help;
};

/// All knobs in the order of Knobs.def.
std::span<const KnobInfo> knobTable();

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_KNOBS_H
