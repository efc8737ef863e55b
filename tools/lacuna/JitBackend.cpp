#include "JitBackend.h"

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Jit/KernelLibrary.h"

namespace lacuna::tools {

namespace {
struct LibraryText {
  const char *file;
  std::string_view text;
  const char *kernel;
};
} // namespace

static LibraryText libraryText(LibraryKernel kernel) {
  switch (kernel) {
  case LibraryKernel::Packed:
    return {"attention_packed.tile", kAttentionPackedSource, "attention_packed"};
  case LibraryKernel::Parts:
    return {"attention_split.tile", kAttentionSplitSource, "attention_parts"};
  case LibraryKernel::Merge:
    return {"attention_split.tile", kAttentionSplitSource, "attention_merge"};
  case LibraryKernel::Forward:
    break;
  }
  return {"attention_forward.tile", kAttentionForwardSource, "attention_forward"};
}

Expected<CompiledAttention> JitBackend::compile(const AttentionRequest &request) {
  CompileRequest compile;
  const LibraryText library = libraryText(request.kernel);
  compile.fileName = library.file;
  compile.source = request.source.empty() ? std::string(library.text) : request.source;
  if (request.kernel == LibraryKernel::Parts || request.kernel == LibraryKernel::Merge)
    compile.kernel = library.kernel;
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
      predicted = Prediction{step->tensorFraction, step->boundBy, step->cycles / kClockMegahertz};
    return CompiledAttention{std::move(*kernel), false, std::move(times), std::move(predicted)};
  }
  auto kernel = runtime::CpuKernel::create(compiled->cpu.entry, compiled->metadata, request.pool, compiled->cpu.owner);
  if (!kernel)
    return takeError(kernel);
  return CompiledAttention{std::move(*kernel), false, std::move(times)};
}

} // namespace lacuna::tools
