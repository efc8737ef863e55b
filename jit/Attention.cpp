#include "lacuna/Jit/Attention.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Runtime/PackHeads.h"
#include "lacuna/Runtime/ProgramOrder.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace lacuna {

using namespace runtime;

struct Attention::State {
  AttentionSpec spec;
  std::vector<JitKernel> kernels; ///< attention_forward or attention_packed; or attention_parts and attention_merge
  std::optional<SplitPlan> plan;
  BlockLists lists; ///< one for each tile.heads heads, or for all; without parts what the kernel reads
  PackedTile tile;  ///< of one head's rows, or of several heads'
  std::string packing;
  std::vector<int32_t> tables; ///< without parts: indptr, split, indices, order
  std::optional<DeviceBuffer> memory;
  const int32_t *base = nullptr; ///< of the tables, where the kernels run

  /// Decides which rows of which heads share tiles: `lists`, `tile` and `packing`.
  Expected<void> chooseRows(const Jit &jit, const BlockLists &given);
  /// What programs take: one runs the heads of a tile, as if there were one for each KV head.
  AttentionShape programs() const;
  AttentionTile programTile() const { return {tile.queries, tile.keys}; }
  /// The most parts that the limit of the workspace allows.
  int64_t mostSplits() const { return std::min(kMostSplits, spec.workspaceLimit / SplitPlan::bytesOfPart(spec.shape)); }
  /// What the kernel of this name in that file of the library is compiled with.
  KernelSpec kernelSpec(const char *file) const;

  /// Compiles one more kernel.
  Expected<void> compile(const Jit &jit, const KernelSpec &kernel);
  /// With kernels[0] compiled: its tables.
  void planWhole(const Jit &jit);
  /// Compiles the two kernels of the parts and makes their plan.
  Expected<void> planParts(const Jit &jit, int64_t splits);
  /// Copies the tables to where the kernels run.
  Expected<void> place(const Jit &jit);

  LaunchOptions forwardOptions() const;
  std::vector<ArgumentValue> forwardArguments(const AttentionTensors &tensors, float scale) const;
};

struct BoundAttention::State {
  std::shared_ptr<const Attention::State> attention;
  struct Launch {
    JitKernel kernel;
    std::vector<ArgumentValue> arguments;
    LaunchOptions options;
  };
  std::vector<Launch> launches;
};

namespace {

constexpr int64_t kMostExtent = 1024; // of a list's block, which no tile exceeds

/// The extent of a tile, all of `text`; else nothing.
std::optional<int64_t> extentOf(const std::string &text) {
  int64_t value = 0;
  const char *end = text.data() + text.size();
  auto [stop, status] = std::from_chars(text.data(), end, value);
  return status == std::errc() && stop == end && value > 0 && value <= kMostExtent ? std::optional(value)
                                                                                   : std::nullopt;
}

/// What planning counts with, and what would contradict it.
Expected<void> checkSpec(const AttentionSpec &spec) {
  if (spec.splits && (*spec.splits < 1 || *spec.splits > kMostSplits))
    return makeError(ErrorCode::InvalidArgument, "rows in {} parts were asked for; give 1 to {}", *spec.splits,
                     kMostSplits);
  for (auto [name, axis] : {std::pair("BM", "queries"), std::pair("BN", "keys")})
    if (auto given = spec.params.find(name); given != spec.params.end() && !extentOf(given->second))
      return makeError(ErrorCode::InvalidArgument,
                       "the param {} of an attention is '{}'; give a whole number from 1 to {}, the tile's {}", name,
                       given->second, kMostExtent, axis);
  for (const char *name : {"D", "DV", "T", "QB", "KB", "R", "L", "RN"})
    if (spec.params.contains(name))
      return makeError(ErrorCode::InvalidArgument,
                       "the param {} of an attention follows from its shape, its lists and its tile; leave it out",
                       name);
  return {};
}

/// The tile as the caller's params have it.
Expected<AttentionTile> tileOf(const AttentionSpec &spec, const BlockLists &lists, Target target) {
  Expected<AttentionTile> tile =
      chooseTile(spec.shape.headDim, spec.shape.valueDim, lists.queryBlock, lists.keyBlock, tileLimitsOf(target));
  if (!tile)
    return tile;
  for (auto [name, extent] : {std::pair("BM", &tile->queries), std::pair("BN", &tile->keys)})
    if (auto given = spec.params.find(name); given != spec.params.end())
      *extent = *extentOf(given->second); // one that is no tile is the compiler's to refuse
  return tile;
}

Expected<void> checkTensor(const char *name, const TensorView &view, DType dtype, const std::vector<int64_t> &shape) {
  if (view.dtype == dtype && view.shape == shape)
    return {};
  return makeError(ErrorCode::InvalidArgument, "{} is {} [{}], and the attention was planned for {} [{}]; plan it anew",
                   name, dtypeName(view.dtype), fmt::join(view.shape, ", "), dtypeName(dtype), fmt::join(shape, ", "));
}

} // namespace

LaunchOptions Attention::State::forwardOptions() const {
  if (kernels[0].metadata().persistentBlocks == 0)
    return {};
  return {base + lists.indptr.size() + lists.split.size() + lists.indices.size()};
}

std::vector<ArgumentValue> Attention::State::forwardArguments(const AttentionTensors &tensors, float scale) const {
  BlockListView rows = lists.view();
  rows.indptr = base, rows.split = base + lists.indptr.size(), rows.indices = rows.split + lists.split.size();
  return {tensors.q, tensors.k, tensors.v, rows, tensors.o, tensors.lse, scale};
}

AttentionShape Attention::State::programs() const {
  AttentionShape shape = spec.shape;
  shape.heads /= tile.heads;
  return shape;
}

KernelSpec Attention::State::kernelSpec(const char *file) const {
  KernelSpec kernel{.file = fmt::format("{}.tile", file), .source = std::string(libraryText(file))};
  auto set = [&](const char *name, int64_t value) { kernel.params[name] = fmt::format("{}", value); };
  if (kernel.file == "attention_packed.tile")
    set("L", tile.queries);
  else
    set("BM", tile.rows());
  if (tile.heads > 1)
    set("R", tile.heads);
  set("BN", tile.keys), set("D", spec.shape.headDim), set("DV", spec.shape.valueDim);
  set("QB", lists.queryBlock), set("KB", lists.keyBlock);
  kernel.params["T"] = std::string(dtypeName(spec.dtype));
  for (const auto &[name, value] : spec.params)
    kernel.params[name] = value;
  kernel.hooks = spec.hooks;
  return kernel;
}

Expected<void> Attention::State::chooseRows(const Jit &jit, const BlockLists &given) {
  std::optional<BlockLists> paired = given.queryBlock == 64 ? given.withRowsPaired() : std::nullopt;
  if (paired)
    lists = std::move(*paired);
  else
    lists = given;
  Expected<AttentionTile> apart = tileOf(spec, lists, jit.target());
  if (!apart)
    return takeError(apart);
  tile = {1, apart->queries, apart->keys};
  packing = "not asked for";
  if (!spec.pack.value_or(true))
    return {};
  PackingMachine machine{.splits = spec.splits, .mostSplits = mostSplits(), .limits = tileLimitsOf(jit.target())};
  if (jit.device())
    machine.multiprocessors = jit.device()->info().multiprocessors;
  else
    machine.splits = spec.splits.value_or(1);
  std::optional<BlockLists> grouped;
  if (const int64_t group = spec.shape.heads / spec.shape.kvHeads; group > 1)
    grouped = lists.withHeadsGrouped(group);
  PackingChoice choice = choosePacking(lists, grouped, spec.shape, *apart, machine);
  if (spec.params.contains("BM"))
    choice = {{}, "BM is the caller's, a tile of one head's rows"};
  else if (spec.pack && grouped)
    choice.tile = choosePackedTile(spec.shape, lists.queryBlock, *apart, machine.limits);
  packing = std::move(choice.reason);
  if (spec.pack && !choice.tile)
    return makeError(ErrorCode::InvalidArgument, "heads are to be packed, and cannot be: {}; leave out pack", packing);
  if (choice.tile)
    lists = std::move(*grouped), tile = *choice.tile;
  return {};
}

Expected<void> Attention::State::compile(const Jit &jit, const KernelSpec &kernel) {
  Expected<JitKernel> compiled = jit.compile(kernel);
  if (!compiled)
    return takeError(compiled);
  kernels.push_back(std::move(*compiled));
  return {};
}

void Attention::State::planWhole(const Jit &jit) {
  const SplitMachine machine = SplitMachine::of(jit.device(), kernels[0].metadata());
  for (const std::vector<int32_t> &part :
       {lists.indptr, lists.split, lists.indices,
        longestFirst(lists, programs(), tile.queries, machine.cacheBytes, machine.threadBlocks)})
    tables.insert(tables.end(), part.begin(), part.end());
}

Expected<void> Attention::State::planParts(const Jit &jit, int64_t splits) {
  kernels.clear();
  KernelSpec kernel = kernelSpec("attention_split");
  kernel.kernel = "attention_parts";
  if (Expected<void> done = compile(jit, kernel); !done)
    return done;
  const SplitMachine machine = SplitMachine::of(jit.device(), kernels[0].metadata());
  kernel.kernel = "attention_merge", kernel.hooks.clear();
  kernel.params["RN"] = fmt::format("{}", chooseMergeColumns(spec.shape, machine.threadBlocks));
  if (Expected<void> done = compile(jit, kernel); !done)
    return done;
  Expected<SplitPlan> parts = SplitPlan::create(lists, spec.shape, programTile(), splits, machine, tile.heads);
  if (!parts)
    return takeError(parts);
  plan = std::move(*parts);
  return {};
}

Expected<void> Attention::State::place(const Jit &jit) {
  const std::span<const int32_t> numbers = plan ? plan->tables() : std::span<const int32_t>(tables);
  base = numbers.data();
  if (!jit.device())
    return {};
  Expected<DeviceBuffer> copy = DeviceBuffer::allocate(*jit.device(), numbers.size_bytes());
  if (!copy)
    return takeError(copy);
  if (Expected<void> copied = copy->upload(numbers.data(), numbers.size_bytes()); !copied)
    return copied;
  memory = std::move(*copy);
  base = static_cast<const int32_t *>(memory->data());
  return {};
}

Expected<Attention> Attention::plan(const Jit &jit, const AttentionSpec &spec, const BlockLists &lists) {
  if (spec.hooks.contains("rows"))
    return makeError(ErrorCode::InvalidArgument,
                     "the hook 'rows' puts a pattern in place of the lists, and an attention is planned for lists; "
                     "leave it out");
  if (Expected<void> sound = checkSpec(spec); !sound)
    return takeError(sound);
  if (Expected<void> fits = spec.shape.check(); !fits)
    return takeError(fits);
  if (Expected<void> fits = lists.check(spec.shape); !fits)
    return takeError(fits);
  auto state = std::make_shared<State>();
  state->spec = spec;
  if (Expected<void> done = state->chooseRows(jit, lists); !done)
    return takeError(done);
  int64_t splits = spec.splits.value_or(1);
  if (splits == 1) {
    const char *file = state->tile.heads > 1 ? "attention_packed" : "attention_forward";
    if (Expected<void> done = state->compile(jit, state->kernelSpec(file)); !done)
      return takeError(done);
    // How many thread blocks run at once is known only now.
    if (!spec.splits && jit.device())
      splits =
          chooseSplits(programSteps(state->lists, state->programs(), state->programTile()),
                       SplitMachine::of(jit.device(), state->kernels[0].metadata()).threadBlocks, state->mostSplits());
  }
  if (splits == 1)
    state->planWhole(jit);
  else if (Expected<void> done = state->planParts(jit, splits); !done)
    return takeError(done);
  if (Expected<void> done = state->place(jit); !done)
    return takeError(done);
  return Attention(std::move(state));
}

int64_t Attention::splits() const {
  return state->plan ? state->plan->splits() : 1;
}

PackedTile Attention::tile() const {
  return state->tile;
}

const std::string &Attention::packing() const {
  return state->packing;
}

const LaunchMetadata &Attention::metadata() const {
  return state->kernels[0].metadata();
}

size_t Attention::workspaceBytes() const {
  return state->plan ? state->plan->workspaceBytes() : 0;
}

Expected<BoundAttention> Attention::bind(const AttentionTensors &tensors, float scale, void *workspace,
                                         size_t workspaceBytes) const {
  const AttentionShape &shape = state->spec.shape;
  const std::tuple<const char *, const TensorView &, DType, std::vector<int64_t>> wanted[] = {
      {"q", tensors.q, state->spec.dtype, {shape.batch, shape.heads, shape.queries, shape.headDim}},
      {"k", tensors.k, state->spec.dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}},
      {"v", tensors.v, state->spec.dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}},
      {"o", tensors.o, state->spec.dtype, {shape.batch, shape.heads, shape.queries, shape.valueDim}},
      {"lse", tensors.lse, DType::F32, {shape.batch, shape.heads, shape.queries}}};
  for (const auto &[name, view, dtype, extents] : wanted)
    if (Expected<void> fits = checkTensor(name, view, dtype, extents); !fits)
      return takeError(fits);
  auto bound = std::make_shared<BoundAttention::State>();
  bound->attention = state;
  if (!state->plan) {
    bound->launches.push_back({state->kernels[0], state->forwardArguments(tensors, scale), state->forwardOptions()});
    return BoundAttention(std::move(bound));
  }
  const SplitPlan &plan = *state->plan;
  if (Expected<void> fits = plan.checkWorkspace(workspace, workspaceBytes); !fits)
    return takeError(fits);
  auto parts = plan.partsArguments(state->base, workspace, tensors.q, tensors.k, tensors.v, scale);
  auto merge = plan.mergeArguments(state->base, workspace, tensors.o, tensors.lse);
  const bool persistent = state->kernels[0].metadata().persistentBlocks > 0;
  if (plan.programs() > 0)
    bound->launches.push_back({state->kernels[0],
                               {parts.begin(), parts.end()},
                               persistent ? plan.partsOptions(state->base) : LaunchOptions{}});
  bound->launches.push_back({state->kernels[1], {merge.begin(), merge.end()}, {}});
  return BoundAttention(std::move(bound));
}

Expected<void> BoundAttention::run(const Stream &stream) const {
  for (const State::Launch &launch : state->launches)
    if (Expected<void> done = launch.kernel.launch(stream, launch.arguments, launch.options); !done)
      return done;
  return {};
}

Expected<void> BoundAttention::run() const {
  for (const State::Launch &launch : state->launches)
    if (Expected<void> done = launch.kernel.launch(launch.arguments); !done)
      return done;
  return {};
}

} // namespace lacuna
