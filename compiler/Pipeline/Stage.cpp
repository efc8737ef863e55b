#include "lacuna/Compiler/Pipeline/Stage.h"

#include <fmt/format.h>

#include <iterator>

namespace lacuna {

static constexpr std::string_view kNames[] = {"source", "ast",      "tile", "tile.opt", "warp", "warp.opt",
                                              "llvm",   "llvm.opt", "ptx",  "cubin",    "sass", "object"};
static_assert(std::size(kNames) == std::size(kAllStages) + 1);

std::string_view stageName(Stage stage) {
  return kNames[static_cast<int>(stage)];
}

std::string stageFileName(Stage stage) {
  static constexpr std::string_view kSuffixes[] = {"tile", "tile", "mlir", "mlir",  "mlir", "mlir",
                                                   "ll",   "ll",   "ptx",  "cubin", "sass", "o"};
  static_assert(std::size(kSuffixes) == std::size(kNames));
  return fmt::format("{:02}-{}.{}", static_cast<int>(stage), stageName(stage), kSuffixes[static_cast<int>(stage)]);
}

std::optional<Stage> parseStage(std::string_view name) {
  for (Stage stage : kAllStages)
    if (stageName(stage) == name)
      return stage;
  return std::nullopt;
}

std::string_view stageNames() {
  return "source, ast, tile, tile.opt, warp, warp.opt, llvm, llvm.opt, ptx, cubin, sass";
}

bool hasStage(Target target, Stage stage) {
  bool gpuOnly = stage == Stage::Warp || stage == Stage::WarpOpt || stage >= Stage::Ptx;
  return isGpu(target) || !gpuOnly;
}

} // namespace lacuna
