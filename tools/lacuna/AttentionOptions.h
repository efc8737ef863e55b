//===- AttentionOptions.h - The flags of `lacuna attention` -----*- C++ -*-===//

#ifndef LACUNA_TOOLS_ATTENTIONOPTIONS_H
#define LACUNA_TOOLS_ATTENTIONOPTIONS_H

#include "lacuna/Runtime/AttentionShape.h"
#include "lacuna/Runtime/DType.h"
#include "lacuna/Runtime/PackHeads.h"
#include "lacuna/Runtime/Pattern.h"

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace lacuna::tools {

/// The flags as they were given; unset ones take their defaults in AttentionPlan, or the extents of --load.
struct AttentionOptions {
  std::optional<std::string> device, target;
  std::optional<int64_t> batch, heads, kvHeads, queries, keys, headDim;
  std::optional<std::string> dtype;
  std::string pattern = "dense", pack = "auto";
  std::optional<std::string> block;
  std::optional<std::string> scale;
  std::string split = "auto";
  uint64_t seed = 1;
  std::string load, save;
  bool lists = false, check = false, bench = false, json = false;
};

/// Adds the subcommand `attention`, whose flags go to `options`.
CLI::App *addAttentionCommand(CLI::App &app, AttentionOptions &options);

/// The largest workspace that --split auto makes use of, in bytes.
constexpr int64_t kWorkspaceLimit = int64_t(256) << 20;

/// The flags understood: what to compute, on what.
struct AttentionPlan {
  bool gpu = false;
  std::string target; ///< of a GPU: what to compile for; empty: what it is best at
  runtime::TileLimits limits = runtime::kHopperTiles;
  runtime::AttentionShape shape;
  runtime::DType dtype = runtime::DType::BF16;
  runtime::Pattern pattern;
  bool synthesised = false; ///< the kernel computes which blocks it runs; else it reads lists in memory
  int64_t queryBlock = 128, keyBlock = 128;
  int64_t rowsPaired = 1; ///< 2: the kernel takes two neighbouring rows of blocks as one, as they name the same blocks
  runtime::AttentionTile tile;
  std::optional<runtime::PackedTile> packed; ///< in place of `tile`: the heads of a group in one tile
  std::string packing;                       ///< why, a phrase; empty where no heads share keys
  float scale = 1;
  std::optional<int64_t> splits; ///< parts of the longest row; none: by the rule

  /// The rows of a block of the lists that the kernel reads.
  int64_t kernelQueryBlock() const { return queryBlock * rowsPaired; }
  /// What the programs of the kernel take: packed, one runs a group of heads, as if there were one for each KV head.
  runtime::AttentionShape programShape() const {
    runtime::AttentionShape programs = shape;
    if (packed)
      programs.heads = programs.kvHeads;
    return programs;
  }
  runtime::AttentionTile programTile() const {
    return packed ? runtime::AttentionTile{packed->queries, tile.keys} : tile;
  }
};

/// Understands the flags, except for what --load gives: `shape` and `dtype` are its extents and type where it is given.
/// Errors: InvalidArgument, by flag: the call is wrong.
Expected<AttentionPlan> planAttention(const AttentionOptions &options,
                                      const std::optional<runtime::AttentionShape> &loadedShape,
                                      std::optional<runtime::DType> loadedDType);

/// Where lists lie in memory, and not a formula says what they hold: decides by them which rows of which heads share
/// tiles, and puts it into the plan. What the kernel then reads in place of `lists`; nothing: these. Errors:
/// InvalidArgument for --pack on where heads have lists of their own; as chooseTile.
Expected<std::optional<runtime::BlockLists>> planRows(const AttentionOptions &options, const runtime::BlockLists &lists,
                                                      AttentionPlan &plan);

/// The element type that --dtype names. Errors: InvalidArgument for another than bf16 and f16.
Expected<std::optional<runtime::DType>> requestedDType(const AttentionOptions &options);

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONOPTIONS_H
