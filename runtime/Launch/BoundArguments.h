// The arguments of a prepared launch: bound and packed once, replaceable one by one.
#pragma once

#include "lacuna/Runtime/LaunchSignature.h"

namespace lacuna::runtime {

/// Thread safety: one thread at a time; it points into itself, so it is neither copied nor moved.
class BoundArguments {
public:
  /// Takes arguments that `signature`, which must outlive this, has bound to `bounds`.
  BoundArguments(const LaunchSignature &signature, std::span<const ArgumentValue> arguments,
                 const LaunchBounds &bounds);

  /// Packs arguments and dimensions behind what `pack` holds (the tensor maps). Called once.
  void packArguments();

  /// Argument `index` with other memory, or another value, checked; nothing is changed. Errors: InvalidArgument by
  /// name.
  Expected<ArgumentValue> replacement(size_t index, void *data) const;
  Expected<ArgumentValue> replacement(size_t index, ArgumentValue value) const;
  /// Puts what replacement() gave in place.
  void put(size_t index, ArgumentValue value);

  const LaunchSignature &signature;
  const LaunchBounds bounds;
  ParameterPack pack;

private:
  std::vector<ArgumentValue> values;
  std::vector<size_t> slots; ///< the first parameter of each argument
};

} // namespace lacuna::runtime
