#include "JitBackend.h"

#include "KernelLibrary.h"
#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Jit/Tuning.h"

namespace lacuna::tools {

Expected<std::optional<TileAnswer>> JitBackend::chooseTile(const TileQuestion &question) {
  OpenQuestion open;
  open.spec = {.file = "attention_forward.tile", .source = std::string(kAttentionForwardSource)};
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
  open.shape.pattern = question.pattern;
  open.shape.dims = {{"B", question.shape.batch},
                     {"H", question.shape.heads},
                     {"G", question.shape.kvHeads},
                     {"M", question.shape.queries},
                     {"N", question.shape.keys}};
  auto found = chooseOpenPoint(open, question.device ? Target::Sm90a : Target::Cpu,
                               machineLimits(question.device ? &*question.device : nullptr, question.threads),
                               autotune::TunedRecords::load());
  if (!found)
    return takeError(found);
  if (!*found)
    return std::optional<TileAnswer>();
  TileAnswer answer;
  answer.origin = (*found)->origin;
  for (const auto &[name, value] : (*found)->point) {
    if (name == "BM")
      answer.tile.queries = std::stoll(value);
    else if (name == "BN")
      answer.tile.keys = std::stoll(value);
    else
      answer.others.emplace_back(name, value);
  }
  return std::optional(std::move(answer));
}

Expected<CompiledAttention> JitBackend::compile(const AttentionRequest &request) {
  CompileRequest compile;
  compile.fileName = "attention_forward.tile";
  compile.source = request.source.empty() ? std::string(kAttentionForwardSource) : request.source;
  compile.target = request.device ? Target::Sm90a : Target::Cpu;
  compile.params.insert(request.params.begin(), request.params.end());
  compile.hooks.insert(request.hooks.begin(), request.hooks.end());
  compile.allScalarsPositive = request.positiveScale;
  if (request.device && (request.device->info().major != 9 || request.device->info().minor != 0))
    return makeError(ErrorCode::Unsupported,
                     "{} has compute capability {}.{}; kernels are generated for 9.0 (H100, H200). Use --device cpu",
                     request.device->info().name, request.device->info().major, request.device->info().minor);
  Compiler compiler;
  auto compiled = compiler.compile(compile);
  if (!compiled)
    return takeError(compiled);
  std::vector<std::pair<std::string, double>> times;
  for (const StageTime &time : compiled->times)
    times.emplace_back(stageName(time.stage), time.milliseconds);
  if (request.device) {
    auto kernel = runtime::Kernel::load(*request.device, compiled->image, compiled->metadata);
    if (!kernel)
      return takeError(kernel);
    std::optional<Prediction> predicted;
    if (const auto &step = compiled->kernel.step)
      predicted = Prediction{step->tensorFraction, step->boundBy};
    return CompiledAttention{std::move(*kernel), false, std::move(times), std::move(predicted)};
  }
  auto kernel = runtime::CpuKernel::create(compiled->cpu.entry, compiled->metadata, request.pool, compiled->cpu.owner);
  if (!kernel)
    return takeError(kernel);
  return CompiledAttention{std::move(*kernel), false, std::move(times)};
}

} // namespace lacuna::tools
