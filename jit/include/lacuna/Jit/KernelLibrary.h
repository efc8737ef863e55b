// The texts of kernels_dsl/, part of the binary.
#pragma once

#include <string_view>

namespace lacuna {

extern const std::string_view kAttentionForwardSource; ///< attention_forward.tile
extern const std::string_view kAttentionPackedSource;  ///< attention_packed.tile
extern const std::string_view kAttentionSplitSource;   ///< attention_split.tile

} // namespace lacuna
