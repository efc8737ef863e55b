// Every kernel file of kernels_dsl/, part of the program.
#pragma once

#include <span>
#include <string_view>

namespace lacuna::tools {

struct LibraryKernel {
  std::string_view name; ///< of the file without its suffix, which is that of its kernel where it has one alone
  std::string_view source;
};

/// In alphabetical order; hooks.tile, which has no kernel, is left out.
std::span<const LibraryKernel> libraryKernels();

} // namespace lacuna::tools
