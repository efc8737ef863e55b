// The library's kernels, kernels_dsl/, as texts that are part of the program: no source tree is needed to compile them.
#pragma once

#include <span>
#include <string_view>

namespace lacuna {

/// One file of the library.
struct LibraryText {
  std::string_view name; ///< without ".tile"
  std::string_view text;
};

/// All of them, by name.
std::span<const LibraryText> kernelLibrary();

/// The text of `name`, empty where there is none.
std::string_view libraryText(std::string_view name);

} // namespace lacuna
