#include "AttentionBackend.h"

namespace lacuna::tools {

using namespace runtime;

std::vector<std::pair<std::string, std::string>> attentionParams(int64_t headDim, int64_t valueDim, DType dtype,
                                                                 int64_t queryBlock, int64_t keyBlock,
                                                                 AttentionTile tile) {
  return {{"BM", fmt::format("{}", tile.queries)}, {"BN", fmt::format("{}", tile.keys)},
          {"D", fmt::format("{}", headDim)},       {"DV", fmt::format("{}", valueDim)},
          {"T", std::string(dtypeName(dtype))},    {"QB", fmt::format("{}", queryBlock)},
          {"KB", fmt::format("{}", keyBlock)}};
}

std::vector<std::pair<std::string, std::string>> packedParams(int64_t headDim, int64_t valueDim, DType dtype,
                                                              int64_t queryBlock, int64_t keyBlock, PackedTile tile) {
  return {{"R", fmt::format("{}", tile.heads)},  {"L", fmt::format("{}", tile.queries)},
          {"BN", fmt::format("{}", tile.keys)},  {"D", fmt::format("{}", headDim)},
          {"DV", fmt::format("{}", valueDim)},   {"T", std::string(dtypeName(dtype))},
          {"QB", fmt::format("{}", queryBlock)}, {"KB", fmt::format("{}", keyBlock)}};
}

} // namespace lacuna::tools
