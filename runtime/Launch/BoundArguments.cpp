#include "BoundArguments.h"

namespace lacuna::runtime {

BoundArguments::BoundArguments(const LaunchSignature &signature, std::span<const ArgumentValue> arguments,
                               const LaunchBounds &bounds)
    : signature(signature), bounds(bounds), values(arguments.begin(), arguments.end()) {}

void BoundArguments::packArguments() {
  for (const ArgumentValue &value : values) {
    slots.push_back(pack.size());
    pack.addArgument(value);
  }
  pack.addArguments({}, bounds); // the dimensions
}

Expected<void> BoundArguments::set(size_t index, ArgumentValue value) {
  if (index >= values.size())
    return makeError(ErrorCode::InvalidArgument,
                     "argument number {} was given to set, and kernel '{}' takes {}, numbered from 0", index,
                     signature.metadata().kernel, values.size());
  if (Expected<void> fits = signature.rebind(index, value, bounds); !fits)
    return fits;
  pack.setArgument(slots[index], value);
  values[index] = std::move(value);
  return {};
}

} // namespace lacuna::runtime
