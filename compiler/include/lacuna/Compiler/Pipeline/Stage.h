// The stages that a kernel passes through, in order. Every stage can be printed, dumped, timed, stopped after, and (but
// for sass) overridden by an edited text.
#pragma once

#include "lacuna/Compiler/Pipeline/Target.h"

#include <optional>
#include <string>
#include <string_view>

namespace lacuna {

enum class Stage {
  Source,  ///< the .tile text
  Ast,     ///< the syntax tree as canonical text
  Tile,    ///< dialect tile, as the front end writes it
  TileOpt, ///< hooks inlined, tails masked, exponentials in base 2
  Warp,    ///< GPU: roles, rings and products
  WarpOpt, ///< GPU: after the passes on warp
  Llvm,    ///< LLVM IR
  LlvmOpt, ///< LLVM IR after the middle end
  Ptx,     ///< GPU: PTX text
  Cubin,   ///< GPU: machine code
  Sass,    ///< GPU: its disassembly, where nvdisasm is found
  Object,  ///< CPU: machine code in memory; timed, but it has no text
};

inline constexpr Stage kAllStages[] = {Stage::Source, Stage::Ast,     Stage::Tile, Stage::TileOpt,
                                       Stage::Warp,   Stage::WarpOpt, Stage::Llvm, Stage::LlvmOpt,
                                       Stage::Ptx,    Stage::Cubin,   Stage::Sass};

/// The name used on the command line and for dumped files: "tile.opt".
std::string_view stageName(Stage stage);
std::optional<Stage> parseStage(std::string_view name);
/// The file of a dump that holds it: "03-tile.opt.mlir".
std::string stageFileName(Stage stage);
/// All names, for messages: "source, ast, …".
std::string_view stageNames();

/// Whether kernels for `target` pass through `stage`.
bool hasStage(Target target, Stage stage);

} // namespace lacuna
