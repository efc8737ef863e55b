#include "lacuna/Runtime/Knobs.h"

#include <charconv>
#include <cstdlib>

namespace lacuna::runtime {
namespace {

Expected<std::string> parseKnob(std::string_view, const char *text, const std::string &) {
  return std::string(text);
}

Expected<int> parseKnob(std::string_view name, const char *text, int) {
  std::string_view view = text;
  int value = 0;
  auto [end, status] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (status != std::errc() || end != view.data() + view.size() || value < 0)
    return makeError(ErrorCode::InvalidArgument, "{}={}: give a whole number from 0 to 2147483647", name, text);
  return value;
}

} // namespace

Expected<Knobs> Knobs::fromEnvironment() {
  Knobs knobs;
#define LACUNA_KNOB(member, environment, type, fallback, effect, help)                                                 \
  if (const char *text = std::getenv(environment); text && *text) {                                                    \
    Expected<type> value = parseKnob(environment, text, knobs.member);                                                 \
    if (!value)                                                                                                        \
      return takeError(value);                                                                                         \
    knobs.member = *value;                                                                                             \
  }
#include "lacuna/Runtime/Knobs.def"
  return knobs;
}

Expected<bool> jitAllowedBy(const Knobs &knobs) {
  if (knobs.jit != "on" && knobs.jit != "off")
    return makeError(ErrorCode::InvalidArgument, "LACUNA_JIT={}: give on or off", knobs.jit);
  return knobs.jit == "on";
}

std::span<const KnobInfo> knobTable() {
  static constexpr KnobInfo kTable[] = {
#define LACUNA_KNOB(member, environment, type, fallback, effect, help)                                                 \
  {environment, #type, #fallback, KnobInfo::Effect::effect, help},
#include "lacuna/Runtime/Knobs.def"
  };
  return kTable;
}

} // namespace lacuna::runtime
