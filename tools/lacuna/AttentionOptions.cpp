#include "AttentionOptions.h"

#include "OptionChecks.h"

#include "lacuna/Runtime/BestTile.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/Knobs.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace lacuna::tools {

using namespace runtime;

CLI::App *addAttentionCommand(CLI::App &app, AttentionOptions &options) {
  CLI::App *command =
      app.add_subcommand("attention", "Runs block-sparse attention on generated or given data, checks it "
                                      "against float64 and measures it");
  addTraceOption(*command);
  command->add_option("--device", options.device, "cpu or gpu (default: gpu where there is one)");
  command->add_option("--target", options.target,
                      "what kernels for the GPU are compiled for: sm_90a or sm_80 (what the GPU is best at)");
  auto addExtent = [&](const char *name, std::optional<int64_t> &extent, const char *help) {
    command->add_option(name, extent, help)->check(refuseBeyond64Bits);
  };
  addExtent("--batch", options.batch, "batch size (1)");
  addExtent("--heads", options.heads, "query heads (16)");
  addExtent("--kv-heads", options.kvHeads, "KV heads, a divisor of the heads (as many as heads: 16)");
  addExtent("--queries", options.queries, "queries (4096)");
  addExtent("--keys", options.keys, "keys (4096)");
  addExtent("--head-dim", options.headDim, "head dimension, a multiple of 8 up to 256 (128)");
  command->add_option("--dtype", options.dtype, "bf16 or f16 (bf16)");
  command->add_option("--pattern", options.pattern,
                      "dense, causal, window:LEFT[:SINK], random:DENSITY[:shared] or lists:DIR (dense)");
  command->add_option("--block", options.block,
                      "the block, QUERIESxKEYS (the fastest known for the pattern; packed, random and lists: 128x128)");
  command->add_flag("--lists", options.lists,
                    "run dense, causal and window from lists in memory, too, in place of a formula in the kernel");
  command->add_option(
      "--split", options.split,
      "auto or 1 to 32: parts of the longest row, computed apart from lists in memory and merged (auto: "
      "as many as fill the GPU; 1 on the CPU)");
  command->add_option(
      "--pack", options.pack,
      "auto, on or off: the query heads of a KV head in one tile, where their lists are equal; auto: where "
      "few queries or blocks of 64 rows make that the faster way, parts counted (auto)");
  command->add_option("--scale", options.scale, "factor of the scores (1 / sqrt(head dimension))");
  command->add_option("--seed", options.seed, "seed of the generated data and of random lists (1)")
      ->check(wholeNumber<uint64_t>(0, std::numeric_limits<uint64_t>::max()));
  command
      ->add_option("--load", options.load, "read q.npy, k.npy and v.npy of this directory instead of generating them")
      ->check(refuseEmpty);
  command->add_option("--save", options.save, "write q, k, v, o, lse and the lists as .npy into this directory")
      ->check(refuseEmpty);
  command->add_flag("--check", options.check, "compare with float64; a result beyond the bounds fails");
  command->add_flag("--bench", options.bench, "measure the time of a launch");
  command->add_flag("--json", options.json, "print one JSON object");
  return command;
}

namespace {

/// "128x64" -> both numbers.
bool parseBlock(std::string_view text, int64_t &queryBlock, int64_t &keyBlock) {
  const char *end = text.data() + text.size();
  auto first = std::from_chars(text.data(), end, queryBlock);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x')
    return false;
  auto second = std::from_chars(first.ptr + 1, end, keyBlock);
  return second.ec == std::errc() && second.ptr == end;
}

/// One extent: the flag's, the file's, or the default; a flag that contradicts the file is a wrong call.
Expected<int64_t> extent(const char *flag, const std::optional<int64_t> &given, std::optional<int64_t> loaded,
                         int64_t fallback) {
  if (given && loaded && *given != *loaded)
    return makeError(ErrorCode::InvalidArgument, "{} {} was given, and the files of --load have {}; leave the flag out",
                     flag, *given, *loaded);
  return given ? *given : loaded ? *loaded : fallback;
}

Expected<AttentionShape> planShape(const AttentionOptions &options, const std::optional<AttentionShape> &loaded) {
  AttentionShape shape;
  struct Row {
    const char *flag;
    const std::optional<int64_t> &given;
    int64_t AttentionShape::*member;
    int64_t fallback;
  };
  const Row rows[] = {{"--batch", options.batch, &AttentionShape::batch, 1},
                      {"--heads", options.heads, &AttentionShape::heads, 16},
                      {"--kv-heads", options.kvHeads, &AttentionShape::kvHeads, 16},
                      {"--queries", options.queries, &AttentionShape::queries, 4096},
                      {"--keys", options.keys, &AttentionShape::keys, 4096},
                      {"--head-dim", options.headDim, &AttentionShape::headDim, 128}};
  for (const Row &row : rows) {
    std::optional<int64_t> fromFile;
    if (loaded)
      fromFile = (*loaded).*row.member;
    int64_t fallback = row.member == &AttentionShape::kvHeads ? shape.heads : row.fallback;
    Expected<int64_t> value = extent(row.flag, row.given, fromFile, fallback);
    if (!value)
      return takeError(value);
    shape.*row.member = *value;
  }
  shape.valueDim = loaded ? loaded->valueDim : shape.headDim;
  if (Expected<void> checked = shape.check(); !checked)
    return takeError(checked);
  return shape;
}

/// Where the rule for packing counts programs. The GPU itself is asked later: 132 is an H100's and an H200's.
PackingMachine packingMachine(const AttentionPlan &plan) {
  PackingMachine machine{.multiprocessors = plan.gpu ? 132 : 1, .splits = plan.splits, .limits = plan.limits};
  machine.mostSplits = std::min(kMostSplits, kWorkspaceLimit / SplitPlan::bytesOfPart(plan.shape));
  if (!plan.gpu)
    machine.splits = plan.splits.value_or(1);
  return machine;
}

/// --pack on: the tile, or why there is none.
Expected<PackedTile> mustPack(const AttentionPlan &plan, int64_t queryBlock) {
  const int64_t group = plan.shape.heads / plan.shape.kvHeads;
  if (group == 1)
    return makeError(ErrorCode::InvalidArgument,
                     "--pack on was given, but each of the {} heads has a KV head of its own; give fewer --kv-heads",
                     plan.shape.heads);
  std::optional<PackedTile> packed = choosePackedTile(plan.shape, queryBlock, plan.tile, plan.limits);
  if (!packed)
    return makeError(ErrorCode::InvalidArgument,
                     "--pack on was given, but {} heads a KV head divide no tile of 64 or 128 rows (192 for head "
                     "dimensions up to 64) into a divisor of the query block {}; use --pack off",
                     group, queryBlock);
  return *packed;
}

/// Whether heads are packed, and in which tile, where that is known without lists: for formulas, and where --pack says
/// so.
Expected<void> planPacking(const AttentionOptions &options, AttentionPlan &plan) {
  plan.packed.reset();
  if (options.pack != "auto" && options.pack != "on" && options.pack != "off")
    return makeError(ErrorCode::InvalidArgument, "--pack is '{}'; give auto, on or off", options.pack);
  if (options.pack == "on") {
    Expected<PackedTile> packed = mustPack(plan, plan.queryBlock);
    if (!packed)
      return takeError(packed);
    if (plan.pattern.kind == Pattern::Kind::Random && !plan.pattern.shared)
      return makeError(ErrorCode::InvalidArgument,
                       "--pack on needs lists that the heads of a KV head share, and the pattern '{}' gives each head "
                       "its own; use {}:shared",
                       options.pattern, options.pattern);
    plan.packed = *packed;
  }
  if (plan.shape.heads > plan.shape.kvHeads)
    plan.packing = fmt::format("--pack {}", options.pack);
  if (options.pack != "auto" || !plan.pattern.isFormula() || plan.shape.heads == plan.shape.kvHeads)
    return {};
  PackingChoice choice =
      choosePacking(plan.pattern, plan.queryBlock, plan.keyBlock, plan.shape, plan.tile, packingMachine(plan));
  plan.packed = choice.tile;
  plan.packing = std::move(choice.reason);
  return {};
}

/// The tile for the plan's block, and whether it holds packed heads.
Expected<void> planTile(const AttentionOptions &options, AttentionPlan &plan) {
  Expected<AttentionTile> tile =
      chooseTile(plan.shape.headDim, plan.shape.valueDim, plan.queryBlock, plan.keyBlock, plan.limits);
  if (!tile)
    return takeError(tile);
  plan.tile = *tile;
  return planPacking(options, plan);
}

/// The same where no block is given. The blocks that are best for a pattern are so for unpacked heads: packed ones take
/// 128x128.
Expected<void> planBlockAndTile(const AttentionOptions &options, AttentionPlan &plan) {
  if (Expected<void> planned = planTile(options, plan); !planned || plan.packed)
    return planned;
  const AttentionTile best = bestAttentionTile(plan.shape.headDim, plan.shape.valueDim, plan.pattern, plan.limits);
  plan.queryBlock = best.queries, plan.keyBlock = best.keys;
  Expected<AttentionTile> tile =
      chooseTile(plan.shape.headDim, plan.shape.valueDim, plan.queryBlock, plan.keyBlock, plan.limits);
  if (!tile)
    return takeError(tile);
  plan.tile = *tile;
  return {};
}

Expected<float> planScale(const AttentionOptions &options, int64_t headDim) {
  if (!options.scale)
    return 1.0f / std::sqrt(static_cast<float>(headDim));
  float scale = 0;
  const std::string &text = *options.scale;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), scale);
  if (status == std::errc::result_out_of_range && end == text.data() + text.size())
    return makeError(ErrorCode::InvalidArgument,
                     "--scale is '{}', and the kernel takes a float32; give 0, or a size from 1.2e-38 to 3.4e38", text);
  if (status != std::errc() || end != text.data() + text.size() || !std::isfinite(scale))
    return makeError(ErrorCode::InvalidArgument, "--scale is '{}'; give a finite number", text);
  return scale;
}

/// --split: a number of parts, or none for auto.
Expected<std::optional<int64_t>> planSplits(const std::string &text) {
  if (text == "auto")
    return std::optional<int64_t>();
  int64_t splits = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), splits);
  if (status != std::errc() || end != text.data() + text.size() || splits < 1 || splits > kMostSplits)
    return makeError(ErrorCode::InvalidArgument, "--split is '{}'; give auto, or a whole number from 1 to {}", text,
                     kMostSplits);
  return std::optional<int64_t>(splits);
}

/// --target, LACUNA_TARGET, or what the GPU's compute capability says; and the tiles that go with it. A GPU that is not
/// there is the run's to miss.
Expected<void> planTarget(const AttentionOptions &options, AttentionPlan &plan) {
  constexpr const char *kAmpere = "sm_80", *kHopper = "sm_90a";
  if (options.target && *options.target != kAmpere && *options.target != kHopper)
    return makeError(ErrorCode::InvalidArgument, "--target is '{}'; give sm_90a or sm_80", *options.target);
  if (options.target && !plan.gpu)
    return makeError(ErrorCode::InvalidArgument,
                     "--target {} was given, and this run is on the CPU; leave it out, or run on a GPU",
                     *options.target);
  if (!plan.gpu)
    return {};
  plan.target = options.target ? *options.target : Knobs::fromEnvironment().value_or(Knobs()).target;
  bool isHopper = true;
  if (Expected<Device> device = Device::open())
    isHopper = device->info().major == 9 && device->info().minor == 0;
  if (plan.target == kAmpere || (plan.target.empty() && !isHopper))
    plan.limits = kAmpereTiles;
  return {};
}

} // namespace

Expected<std::optional<DType>> requestedDType(const AttentionOptions &options) {
  if (!options.dtype)
    return std::optional<DType>();
  if (*options.dtype == "bf16" || *options.dtype == "f16")
    return std::optional<DType>(*options.dtype == "bf16" ? DType::BF16 : DType::F16);
  return makeError(ErrorCode::InvalidArgument, "--dtype is '{}'; give bf16 or f16", *options.dtype);
}

Expected<std::optional<BlockLists>> planRows(const AttentionOptions &options, const BlockLists &lists,
                                             AttentionPlan &plan) {
  std::optional<BlockLists> used = lists.queryBlock == 64 ? lists.withRowsPaired() : std::nullopt;
  if (used) {
    Expected<AttentionTile> tile =
        chooseTile(plan.shape.headDim, plan.shape.valueDim, used->queryBlock, used->keyBlock, plan.limits);
    if (!tile)
      return takeError(tile);
    plan.rowsPaired = 2;
    plan.tile = *tile;
  }
  const int64_t group = plan.shape.heads / plan.shape.kvHeads;
  if (group == 1 || options.pack == "off")
    return used;
  const BlockLists &rows = used ? *used : lists;
  std::optional<BlockLists> grouped = rows.withHeadsGrouped(group);
  if (options.pack == "on") {
    if (!grouped)
      return makeError(ErrorCode::InvalidArgument,
                       "--pack on needs lists that the heads of a KV head share, and those of '{}' differ; use --pack "
                       "off",
                       options.pattern);
    Expected<PackedTile> packed = mustPack(plan, rows.queryBlock);
    if (!packed)
      return takeError(packed);
    plan.packed = *packed;
  } else {
    PackingChoice choice = choosePacking(rows, grouped, plan.shape, plan.tile, packingMachine(plan));
    plan.packed = choice.tile;
    plan.packing = std::move(choice.reason);
  }
  return plan.packed ? grouped : used;
}

Expected<AttentionPlan> planAttention(const AttentionOptions &options, const std::optional<AttentionShape> &loadedShape,
                                      std::optional<DType> loadedDType) {
  AttentionPlan plan;
  if (options.device && *options.device != "cpu" && *options.device != "gpu")
    return makeError(ErrorCode::InvalidArgument, "--device is '{}'; give cpu or gpu", *options.device);
  if (options.device)
    plan.gpu = *options.device == "gpu";
  else
    plan.gpu = Device::count().value_or(0) > 0;
  if (Expected<void> planned = planTarget(options, plan); !planned)
    return takeError(planned);
  Expected<Pattern> pattern = Pattern::parse(options.pattern);
  if (!pattern)
    return takeError(pattern);
  plan.pattern = *pattern;
  if (options.block && !parseBlock(*options.block, plan.queryBlock, plan.keyBlock))
    return makeError(ErrorCode::InvalidArgument, "--block is '{}'; give QUERIESxKEYS, for example 128x128",
                     *options.block);
  Expected<std::optional<DType>> dtype = requestedDType(options);
  if (!dtype)
    return takeError(dtype);
  plan.dtype = *dtype ? **dtype : loadedDType.value_or(DType::BF16);
  Expected<AttentionShape> shape = planShape(options, loadedShape);
  if (!shape)
    return takeError(shape);
  plan.shape = *shape;
  Expected<std::optional<int64_t>> splits = planSplits(options.split);
  if (!splits)
    return takeError(splits);
  plan.splits = *splits;
  plan.synthesised = plan.pattern.isFormula() && !options.lists && plan.splits.value_or(1) == 1;
  if (Expected<void> planned = options.block ? planTile(options, plan) : planBlockAndTile(options, plan); !planned)
    return takeError(planned);
  Expected<float> scale = planScale(options, shape->headDim);
  if (!scale)
    return takeError(scale);
  plan.scale = *scale;
  return plan;
}

} // namespace lacuna::tools
