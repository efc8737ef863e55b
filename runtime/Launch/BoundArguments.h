// The arguments of a prepared launch: bound and packed once, replaceable one by one.
#pragma once

#include "lacuna/Runtime/LaunchSignature.h"

#include <utility>

namespace lacuna::runtime {

/// Thread safety: one thread at a time; it points into itself, so it is neither copied nor moved.
class BoundArguments {
public:
  /// Takes arguments that `signature`, which must outlive this, has bound to `bounds`.
  BoundArguments(const LaunchSignature &signature, std::span<const ArgumentValue> arguments,
                 const LaunchBounds &bounds);

  /// Packs arguments and dimensions behind what `pack` holds (the tensor maps). Called once.
  void packArguments();

  /// Puts a list or a scalar in the place of argument `index`. Errors: InvalidArgument by name; nothing is changed.
  Expected<void> set(size_t index, ArgumentValue value);
  /// Puts other memory in the place of view `index`, if it passes the checks and `accept`, which sees the view with it.
  /// Allocates nothing. Errors: likewise, and as `accept`.
  template <class Accept> Expected<void> setData(size_t index, void *data, Accept accept) {
    auto *view = index < values.size() ? std::get_if<TensorView>(&values[index]) : nullptr;
    if (!view)
      return set(index, TensorView{data}); // which refuses it
    void *before = std::exchange(view->data, data);
    Expected<void> done = signature.rebind(index, values[index], bounds).and_then([&] { return accept(*view); });
    if (done)
      pack.set(slots[index], data);
    else
      view->data = before;
    return done;
  }

  const LaunchSignature &signature;
  const LaunchBounds bounds;
  ParameterPack pack;

private:
  std::vector<ArgumentValue> values;
  std::vector<size_t> slots; ///< the first parameter of each argument
};

} // namespace lacuna::runtime
