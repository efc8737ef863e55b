// Which figures the tests take.
#pragma once

#include <cstdlib>
#include <string_view>

namespace lacuna::runtime {

/// True where the full figures are asked for: ./dev reliability --full.
inline bool fullFigures() {
  const char *full = std::getenv("LACUNA_RELIABILITY");
  return full && std::string_view(full) == "full";
}

} // namespace lacuna::runtime
