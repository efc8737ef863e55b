#include "JitBackend.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Jit/LoadKernel.h"
#include "lacuna/Jit/Tuning.h"

namespace lacuna::tools {

/// The file of the library that `kernel` is in.
static const char *libraryFile(LibraryKernel kernel) {
  switch (kernel) {
  case LibraryKernel::Packed:
    return "attention_packed";
  case LibraryKernel::Parts:
  case LibraryKernel::Merge:
    return "attention_split";
  case LibraryKernel::Forward:
    break;
  }
  return "attention_forward";
}

/// What ran now; nothing for a kernel that was in the cache.
static std::vector<std::pair<std::string, double>> stageTimes(const CachedCompilation &compilation) {
  std::vector<std::pair<std::string, double>> times;
  if (compilation.source == CacheSource::None)
    for (const StageTime &time : compilation.result->times)
      times.emplace_back(stageName(time.stage), time.milliseconds);
  return times;
}

/// What to compile for; `wanted`: a target's name, or empty.
static Expected<DeviceTarget> targetOf(const std::optional<runtime::Device> &device, const std::string &wanted) {
  if (!device)
    return DeviceTarget{Target::Cpu, {}};
  return chooseTarget(device->info(), wanted.empty() ? std::nullopt : parseTarget(wanted));
}

Expected<std::optional<TileAnswer>> JitBackend::chooseTile(const TileQuestion &question) {
  OpenQuestion open;
  open.spec = {.file = "attention_forward.tile", .source = std::string(libraryText("attention_forward"))};
  open.spec.params = {{"D", fmt::format("{}", question.shape.headDim)},
                      {"DV", fmt::format("{}", question.shape.valueDim)},
                      {"T", std::string(dtypeName(question.dtype))}};
  if (question.block) {
    open.spec.params["QB"] = fmt::format("{}", question.block->queries);
    open.spec.params["KB"] = fmt::format("{}", question.block->keys);
    open.shape.block = autotune::ListBlock{question.block->queries, question.block->keys};
  }
  if (!question.keep.empty())
    open.spec.hooks = {{"keep", question.keep}};
  open.untold = {{"BM", fmt::format("{}", question.untold.queries)}, {"BN", fmt::format("{}", question.untold.keys)}};
  open.shape.pattern = question.pattern;
  open.shape.dims = {{"B", question.shape.batch},
                     {"H", question.shape.heads},
                     {"G", question.shape.kvHeads},
                     {"M", question.shape.queries},
                     {"N", question.shape.keys}};
  auto target = targetOf(question.device, question.target);
  if (!target)
    return takeError(target);
  auto found =
      chooseOpenPoint(open, target->target,
                      machineLimits(question.device ? &*question.device : nullptr, target->target, question.threads),
                      autotune::TunedRecords::load());
  if (!found)
    return takeError(found);
  if (!*found)
    return std::optional<TileAnswer>();
  TileAnswer answer;
  answer.tile = question.untold;
  answer.origin = (*found)->origin;
  for (const auto &[name, value] : (*found)->point) {
    if (name == "BM")
      answer.tile.queries = std::stoll(value);
    else if (name == "BN")
      answer.tile.keys = std::stoll(value);
    else
      answer.choices.emplace_back(name, value);
  }
  return std::optional(std::move(answer));
}

Expected<CompiledAttention> JitBackend::compile(const AttentionRequest &request) {
  CompileRequest compile;
  const char *file = libraryFile(request.kernel);
  compile.fileName = fmt::format("{}.tile", file);
  compile.source = request.source.empty() ? std::string(libraryText(file)) : request.source;
  if (request.kernel == LibraryKernel::Parts || request.kernel == LibraryKernel::Merge)
    compile.kernel = request.kernel == LibraryKernel::Parts ? "attention_parts" : "attention_merge";
  auto target = targetOf(request.device, request.target);
  if (!target)
    return takeError(target);
  target->applyTo(compile);
  compile.params.insert(request.params.begin(), request.params.end());
  compile.params.insert(request.choices.begin(), request.choices.end());
  compile.hooks.insert(request.hooks.begin(), request.hooks.end());
  compile.allScalarsPositive = request.positiveScale;
  if (request.device) {
    auto loaded = loadKernel(compiler, compile, *request.device);
    if (!loaded)
      return takeError(loaded);
    std::optional<Prediction> predicted;
    if (const auto &step = loaded->compilation.result->kernel.step)
      predicted = Prediction{step->tensorFraction, step->boundBy, step->cycles / kClockMegahertz};
    return CompiledAttention{std::move(loaded->kernel), std::string(cacheSourceName(loaded->compilation.source)),
                             stageTimes(loaded->compilation), std::move(predicted)};
  }
  auto compiled = compiler.compile(compile);
  if (!compiled)
    return takeError(compiled);
  const CompileResult &result = *compiled->result;
  auto kernel = runtime::CpuKernel::create(result.cpu.entry, result.metadata, request.pool, result.cpu.owner);
  if (!kernel)
    return takeError(kernel);
  return CompiledAttention{std::move(*kernel), std::string(cacheSourceName(compiled->source)), stageTimes(*compiled)};
}

} // namespace lacuna::tools
