#include "JitBackend.h"

#include "KernelLibrary.h"
#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna::tools {

Expected<CompiledAttention> JitBackend::compile(const AttentionRequest &request) {
  CompileRequest compile;
  compile.fileName = request.packed ? "attention_packed.tile" : "attention_forward.tile";
  compile.source = request.packed ? kAttentionPackedSource : kAttentionForwardSource;
  if (!request.source.empty())
    compile.source = request.source;
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
