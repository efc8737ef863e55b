#include "AttentionBench.h"

#include "JitBackend.h"

#include "lacuna/Jit/Attention.h"
#include "lacuna/Runtime/BestTile.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/PackHeads.h"
#include "lacuna/Runtime/ProgramOrder.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

using namespace lacuna;
using namespace lacuna::runtime;
using lacuna::tools::AttentionRequest;
using lacuna::tools::CompiledAttention;

struct lacuna_bench_session {
  std::optional<Device> device; // none: the CPU
  std::shared_ptr<ThreadPool> pool;
};

struct lacuna_bench_kernel {
  std::optional<Device> device;
  CompiledAttention compiled;
  std::string description;
  int64_t rows = 0, heads = 1;    // queries and heads of a program
  std::optional<Pattern> pattern; // that it computes
  int64_t queryBlock = 0, keyBlock = 0;
};

struct lacuna_bench_launch {
  std::optional<Device> device;
  std::variant<Kernel, CpuKernel, BoundAttention> code; // a bound attention has its arguments
  std::vector<ArgumentValue> arguments;
  LaunchOptions options;
};

struct lacuna_bench_plan {
  std::optional<Device> device;
  Attention attention;
  std::string description;
};

namespace {

thread_local std::string lastError;

int fail(const Error &error) {
  lastError = error.render();
  return 1;
}

/// Puts `text`, "NAME=VALUE", in the place of the param of that name, or behind the others.
Expected<void> setParam(std::vector<std::pair<std::string, std::string>> &params, std::string_view text) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos)
    return makeError(ErrorCode::InvalidArgument, "the param is '{}'; give NAME=VALUE", text);
  std::string name(text.substr(0, equals)), value(text.substr(equals + 1));
  for (auto &[known, old] : params)
    if (known == name) {
      old = value;
      return {};
    }
  params.emplace_back(std::move(name), std::move(value));
  return {};
}

/// The param `name` of `params` as a number, or 0.
int64_t numberOf(const std::vector<std::pair<std::string, std::string>> &params, std::string_view name) {
  int64_t number = 0;
  for (const auto &[known, value] : params)
    if (known == name)
      std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

/// What the kernel is to compute in place of lists; nothing where they lie in memory.
Expected<std::optional<Pattern>> patternOf(const lacuna_bench_spec &spec) {
  if (!spec.pattern)
    return std::nullopt;
  Expected<Pattern> pattern = Pattern::parse(spec.pattern);
  if (!pattern)
    return takeError(pattern);
  if (!pattern->isFormula())
    return makeError(ErrorCode::InvalidArgument,
                     "'{}' is no formula, its lists lie in memory; give dense, causal or window:LEFT[:SINK]",
                     spec.pattern);
  return *pattern;
}

/// The caller's params.
Expected<std::vector<std::pair<std::string, std::string>>> givenParams(const lacuna_bench_spec &spec) {
  std::vector<std::pair<std::string, std::string>> given;
  for (size_t index = 0; index < spec.numParams; ++index)
    if (Expected<void> done = setParam(given, spec.params[index]); !done)
      return takeError(done);
  return given;
}

/// The request for `spec`: for the packed kernel where R and L are among its params.
Expected<AttentionRequest> requestOf(const lacuna_bench_spec &spec) {
  AttentionRequest request;
  Expected<DType> dtype = parseDType(spec.dtype);
  if (!dtype)
    return takeError(dtype);
  Expected<AttentionTile> tile = chooseTile(spec.headDim, spec.headDim, spec.queryBlock, spec.keyBlock);
  if (!tile)
    return takeError(tile);
  auto given = givenParams(spec);
  if (!given)
    return takeError(given);
  const PackedTile packed{numberOf(*given, "R"), numberOf(*given, "L"), tile->keys};
  if (packed.rows() > 0)
    request.kernel = tools::LibraryKernel::Packed;
  request.params =
      packed.rows() > 0
          ? tools::packedParams(spec.headDim, spec.headDim, *dtype, spec.queryBlock, spec.keyBlock, packed)
          : tools::attentionParams(spec.headDim, spec.headDim, *dtype, spec.queryBlock, spec.keyBlock, *tile);
  for (size_t index = 0; index < spec.numParams; ++index)
    if (Expected<void> done = setParam(request.params, spec.params[index]); !done)
      return takeError(done);
  if (spec.keep)
    request.hooks.emplace_back("keep", spec.keep);
  Expected<std::optional<Pattern>> pattern = patternOf(spec);
  if (!pattern)
    return takeError(pattern);
  if (*pattern)
    request.hooks.emplace_back("rows", (*pattern)->rowsHook());
  if (spec.source)
    request.source = spec.source;
  return request;
}

/// The shape of an attention by its queries and keys.
AttentionShape shapeOf(const lacuna_bench_tensor &q, const lacuna_bench_tensor &k) {
  return {.batch = q.shape[0],
          .heads = q.shape[1],
          .kvHeads = k.shape[1],
          .queries = q.shape[2],
          .keys = k.shape[2],
          .headDim = q.shape[3],
          .valueDim = q.shape[3]};
}

/// A number as such, anything else as text.
nlohmann::ordered_json jsonValue(const std::string &text) {
  int64_t number = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc() && end == text.data() + text.size())
    return number;
  return text;
}

/// A copy of `lists`, which lie in host memory. Without a block of keys where none is looked at.
BlockLists hostLists(const lacuna_bench_lists &lists, int64_t queryBlock, int64_t keyBlock = 0, int64_t keys = 0) {
  const size_t rows = static_cast<size_t>(lists.batches * lists.heads * lists.rowBlocks);
  BlockLists host;
  host.batches = lists.batches, host.heads = lists.heads, host.rowBlocks = lists.rowBlocks;
  host.queryBlock = queryBlock, host.keyBlock = keyBlock;
  if (keyBlock > 0)
    host.keyBlocks = (keys + keyBlock - 1) / keyBlock;
  host.indptr.assign(lists.indptr, lists.indptr + rows + 1);
  host.split.assign(lists.split, lists.split + rows);
  host.indices.assign(lists.indices, lists.indices + lists.entries);
  return host;
}

std::string describe(const AttentionRequest &request, const CompiledAttention &compiled) {
  const LaunchMetadata &metadata = compiled.metadata();
  nlohmann::ordered_json json;
  json["target"] = metadata.target;
  for (const auto &[name, value] : request.params)
    json["params"][name] = jsonValue(value);
  json["threads"] = metadata.threads;
  json["shared_bytes"] = metadata.sharedBytes;
  if (const Kernel *kernel = std::get_if<Kernel>(&compiled.code)) {
    json["registers"] = kernel->function().registers();
    json["local_bytes"] = kernel->function().localBytes();
  }
  double total = 0;
  for (const auto &[stage, milliseconds] : compiled.stageMs)
    total += milliseconds;
  json["compile_ms"] = total;
  json["cached"] = compiled.cached;
  return json.dump();
}

Expected<TensorView> viewOf(const lacuna_bench_tensor &tensor) {
  Expected<DType> dtype = parseDType(tensor.dtype);
  if (!dtype)
    return takeError(dtype);
  if (tensor.rank < 1 || tensor.rank > 4)
    return makeError(ErrorCode::InvalidArgument, "a tensor of rank {} was given; give 1 to 4", tensor.rank);
  return TensorView{
      tensor.data, *dtype, {tensor.shape, tensor.shape + tensor.rank}, {tensor.strides, tensor.strides + tensor.rank}};
}

} // namespace

const char *lacuna_bench_error(void) {
  return lastError.c_str();
}

int lacuna_bench_open(int ordinal, lacuna_bench_session **session) {
  auto opened = std::make_unique<lacuna_bench_session>();
  if (ordinal >= 0) {
    Expected<Device> device = Device::open(ordinal);
    if (!device)
      return fail(device.error());
    opened->device = std::move(*device);
  } else {
    opened->pool = std::make_shared<ThreadPool>();
  }
  *session = opened.release();
  return 0;
}

void lacuna_bench_close(lacuna_bench_session *session) {
  delete session;
}

int lacuna_bench_compile(lacuna_bench_session *session, const lacuna_bench_spec *spec, lacuna_bench_kernel **kernel) {
  Expected<AttentionRequest> request = requestOf(*spec);
  if (!request)
    return fail(request.error());
  request->device = session->device;
  request->pool = session->pool;
  Expected<CompiledAttention> compiled = tools::JitBackend().compile(*request);
  if (!compiled)
    return fail(compiled.error());
  std::string description = describe(*request, *compiled);
  const bool packed = request->kernel == tools::LibraryKernel::Packed;
  const int64_t rows = numberOf(request->params, packed ? "L" : "BM");
  const int64_t heads = packed ? numberOf(request->params, "R") : 1;
  *kernel = new lacuna_bench_kernel{session->device, std::move(*compiled), std::move(description), rows,
                                    heads,           *patternOf(*spec),    spec->queryBlock,       spec->keyBlock};
  return 0;
}

int lacuna_bench_best_block(int64_t headDim, const char *pattern, int64_t *queryBlock, int64_t *keyBlock) {
  Expected<Pattern> parsed = Pattern::parse(pattern);
  if (!parsed)
    return fail(parsed.error());
  AttentionTile tile = bestAttentionTile(headDim, headDim, *parsed);
  *queryBlock = tile.queries, *keyBlock = tile.keys;
  return 0;
}

const char *lacuna_bench_describe(const lacuna_bench_kernel *kernel) {
  return kernel->description.c_str();
}

void lacuna_bench_free_kernel(lacuna_bench_kernel *kernel) {
  delete kernel;
}

int lacuna_bench_pair_rows(const lacuna_bench_lists *lists, int64_t queryBlock, int32_t *indptr, int32_t *split,
                           int32_t *indices) {
  std::optional<BlockLists> paired = hostLists(*lists, queryBlock).withRowsPaired();
  if (!paired)
    return 0;
  std::ranges::copy(paired->indptr, indptr);
  std::ranges::copy(paired->split, split);
  std::ranges::copy(paired->indices, indices);
  return 1;
}

int lacuna_bench_pack(lacuna_bench_session *session, const lacuna_bench_spec *spec, const lacuna_bench_tensor *q,
                      const lacuna_bench_tensor *k, const lacuna_bench_lists *lists, int64_t *heads, int64_t *queries) {
  *heads = 1, *queries = 0;
  Expected<AttentionTile> tile = chooseTile(spec->headDim, spec->headDim, spec->queryBlock, spec->keyBlock);
  if (!tile)
    return fail(tile.error());
  Expected<std::optional<Pattern>> pattern = patternOf(*spec);
  if (!pattern)
    return fail(pattern.error());
  const PackingMachine machine{.multiprocessors = session->device ? session->device->info().multiprocessors : 1,
                               .splits = 1};
  PackingChoice choice;
  if (*pattern) {
    choice = choosePacking(**pattern, spec->queryBlock, spec->keyBlock, shapeOf(*q, *k), *tile, machine);
  } else {
    const BlockLists host = hostLists(*lists, spec->queryBlock, spec->keyBlock, k->shape[2]);
    choice = choosePacking(host, host.heads == 1 ? std::optional(host) : std::nullopt, shapeOf(*q, *k), *tile, machine);
  }
  if (choice.tile)
    *heads = choice.tile->heads, *queries = choice.tile->queries;
  return 0;
}

size_t lacuna_bench_programs(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q) {
  const Kernel *code = std::get_if<Kernel>(&kernel->compiled.code);
  if (!code || code->metadata().persistentBlocks == 0)
    return 0;
  const int64_t heads = q->shape[1] / kernel->heads;
  return static_cast<size_t>((q->shape[2] + kernel->rows - 1) / kernel->rows * heads * q->shape[0]);
}

int lacuna_bench_order(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                       const lacuna_bench_lists *lists, int64_t queryBlock, int32_t *order, size_t count) {
  AttentionShape shape = shapeOf(*q, *k);
  shape.heads /= kernel->heads;
  const DeviceInfo &device = kernel->device->info();
  const int64_t cacheBytes = orderCacheBytes(device);
  const int64_t threadBlocks = int64_t(device.multiprocessors) * kernel->compiled.metadata().persistentBlocks;
  std::vector<int32_t> programs =
      kernel->pattern ? longestFirst(*kernel->pattern, kernel->queryBlock, kernel->keyBlock, shape, kernel->rows,
                                     cacheBytes, threadBlocks)
                      : longestFirst(hostLists(*lists, queryBlock), shape, kernel->rows, cacheBytes, threadBlocks);
  if (programs.size() != count)
    return fail(
        {ErrorCode::InvalidArgument, fmt::format("{} programs were expected, there are {}", count, programs.size())});
  std::copy(programs.begin(), programs.end(), order);
  return 0;
}

int lacuna_bench_bind(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                      const lacuna_bench_tensor *v, const lacuna_bench_lists *lists, const lacuna_bench_tensor *o,
                      const lacuna_bench_tensor *lse, float scale, lacuna_bench_launch **launch) {
  std::vector<ArgumentValue> arguments;
  for (const lacuna_bench_tensor *tensor : {q, k, v, o, lse}) {
    Expected<TensorView> view = viewOf(*tensor);
    if (!view)
      return fail(view.error());
    arguments.emplace_back(std::move(*view));
  }
  if (!kernel->pattern)
    arguments.insert(arguments.begin() + 3, BlockListView{lists->indptr, lists->split, lists->indices, lists->batches,
                                                          lists->heads, lists->rowBlocks, lists->entries});
  arguments.emplace_back(scale);
  LaunchOptions options{.order = lists->order};
  if (!(scale > 0))
    return fail({ErrorCode::InvalidArgument, fmt::format("the scale is {}; give one greater than 0", scale)});
  auto code =
      std::visit([](const auto &code) -> decltype(lacuna_bench_launch::code) { return code; }, kernel->compiled.code);
  *launch = new lacuna_bench_launch{kernel->device, std::move(code), std::move(arguments), options};
  return 0;
}

int lacuna_bench_plan_attention(lacuna_bench_session *session, const lacuna_bench_spec *spec,
                                const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                                const lacuna_bench_lists *lists, int64_t splits, lacuna_bench_plan **plan) {
  if (spec->pattern)
    return fail({ErrorCode::InvalidArgument,
                 fmt::format("a plan is of lists, and the pattern '{}' was given; leave it out", spec->pattern)});
  Expected<DType> dtype = parseDType(spec->dtype);
  if (!dtype)
    return fail(dtype.error());
  auto params = givenParams(*spec);
  if (!params)
    return fail(params.error());
  AttentionSpec wanted{.shape = shapeOf(*q, *k), .dtype = *dtype};
  wanted.params.insert(params->begin(), params->end());
  if (spec->keep)
    wanted.hooks["keep"] = spec->keep;
  if (splits != 0)
    wanted.splits = splits;
  const BlockLists host = hostLists(*lists, spec->queryBlock, spec->keyBlock, k->shape[2]);
  Expected<Jit> jit = session->device ? Jit::forDevice(*session->device) : Jit::forCpu(session->pool);
  if (!jit)
    return fail(jit.error());
  Expected<Attention> attention = Attention::plan(*jit, wanted, host);
  if (!attention)
    return fail(attention.error());
  const LaunchMetadata &metadata = attention->metadata();
  nlohmann::ordered_json json;
  json["target"] = metadata.target;
  const PackedTile tile = attention->tile();
  json["params"] = {{"BM", tile.rows()}, {"BN", tile.keys}, {"R", tile.heads}};
  for (const auto &[name, value] : *params)
    json["params"][name] = jsonValue(value);
  json["params"]["splits"] = attention->splits();
  json["threads"] = metadata.threads;
  json["shared_bytes"] = metadata.sharedBytes;
  *plan = new lacuna_bench_plan{session->device, std::move(*attention), json.dump()};
  return 0;
}

const char *lacuna_bench_describe_plan(const lacuna_bench_plan *plan) {
  return plan->description.c_str();
}

size_t lacuna_bench_plan_workspace(const lacuna_bench_plan *plan) {
  return plan->attention.workspaceBytes();
}

int lacuna_bench_bind_plan(const lacuna_bench_plan *plan, const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                           const lacuna_bench_tensor *v, const lacuna_bench_tensor *o, const lacuna_bench_tensor *lse,
                           float scale, void *workspace, size_t workspaceBytes, lacuna_bench_launch **launch) {
  AttentionTensors tensors;
  const std::pair<TensorView *, const lacuna_bench_tensor *> views[] = {
      {&tensors.q, q}, {&tensors.k, k}, {&tensors.v, v}, {&tensors.o, o}, {&tensors.lse, lse}};
  for (const auto &[view, given] : views) {
    Expected<TensorView> made = viewOf(*given);
    if (!made)
      return fail(made.error());
    *view = std::move(*made);
  }
  Expected<BoundAttention> bound = plan->attention.bind(tensors, scale, workspace, workspaceBytes);
  if (!bound)
    return fail(bound.error());
  *launch = new lacuna_bench_launch{plan->device, std::move(*bound), {}, {}};
  return 0;
}

void lacuna_bench_free_plan(lacuna_bench_plan *plan) {
  delete plan;
}

int lacuna_bench_run(const lacuna_bench_launch *launch, void *stream) {
  Expected<void> done;
  if (const BoundAttention *bound = std::get_if<BoundAttention>(&launch->code))
    done = launch->device ? bound->run(Stream::borrow(*launch->device, static_cast<cu::Stream>(stream))) : bound->run();
  else if (const Kernel *kernel = std::get_if<Kernel>(&launch->code))
    done = kernel->launch(Stream::borrow(*launch->device, static_cast<cu::Stream>(stream)), launch->arguments,
                          launch->options);
  else
    done = std::get<CpuKernel>(launch->code).launch(launch->arguments);
  return done ? 0 : fail(done.error());
}

void lacuna_bench_free_launch(lacuna_bench_launch *launch) {
  delete launch;
}
