// Checks of option values that several commands use (CLI11 validators: what is wrong, or nothing).
#pragma once

#include <string>

namespace lacuna::tools {

/// An empty value is a variable that a script did not set, not a wish for the default.
inline std::string refuseEmpty(const std::string &text) {
  return text.empty() ? "its value is empty; give one or leave the option out" : "";
}

} // namespace lacuna::tools
