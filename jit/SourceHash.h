// Which compiler this is, whatever program it is linked into.
#pragma once

#include <string_view>

namespace lacuna {

/// SHA-256 over the sources that the generated code depends on, as hexadecimal digits (jit/CMakeLists.txt says which).
/// The same in every program and library of one source tree, so that one warms the cache of another.
std::string_view sourceHash();

} // namespace lacuna
