// The texts of kernels_dsl/, part of the binary.
#pragma once

#include <string_view>

namespace lacuna::tools {

extern const std::string_view kAttentionForwardSource, kAttentionPackedSource;

} // namespace lacuna::tools
