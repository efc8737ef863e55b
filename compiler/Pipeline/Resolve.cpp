#include "lacuna/Compiler/Pipeline/Resolve.h"

#include "CrashRecovery.h"
#include "StageRunner.h"

#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Compiler/Frontend/Sema.h"

#include "llvm/Config/llvm-config.h"

namespace lacuna {

Expected<std::shared_ptr<const frontend::CheckedKernel>> analyzeRequest(std::shared_ptr<const frontend::Module> tree,
                                                                        const CompileRequest &request) {
  frontend::Specialization specialization{request.kernel,
                                          request.params,
                                          request.hooks,
                                          request.positiveScalars,
                                          request.allScalarsPositive,
                                          std::string(targetName(request.target))};
  auto checked = frontend::analyze(tree, specialization);
  if (checked)
    return checked;
  Error error = std::move(checked.error());
  if (error.message.starts_with("--hook:"))
    error.code = ErrorCode::InvalidArgument; // The text at fault is the caller's option, not the file.
  else if (tree->all<frontend::KernelDecl>().empty())
    error.code = ErrorCode::VerifyError; // The file has none, whichever the caller asked for.
  return tl::unexpected(std::move(error));
}

static Expected<ResolvedRequest> resolve(const CompileRequest &request) {
  auto parsed = frontend::parseModule(request.fileName, request.source);
  if (!parsed)
    return takeError(parsed);
  auto checked = analyzeRequest(*parsed, request);
  if (!checked)
    return takeError(checked);
  ResolvedRequest resolved;
  resolved.kernel = (*checked)->decl->name.name;
  for (const auto &[param, value] : (*checked)->params)
    resolved.params.emplace(param->name.name, value.str());
  if ((*checked)->schedule)
    for (const frontend::SchedulePlan::Knob &knob : (*checked)->schedule->knobs)
      if (!resolved.params.contains(knob.name))
        resolved.knobs.emplace(knob.name, knob.chosen);
  for (const frontend::Symbol *scalar : (*checked)->positiveScalars)
    resolved.positiveScalars.emplace(scalar->name);
  return resolved;
}

Expected<ResolvedRequest> resolveRequest(const CompileRequest &request) {
  std::optional<Expected<ResolvedRequest>> resolved;
  if (auto crash = runRecovered([&] { resolved = resolve(request); }))
    return tl::unexpected(crashError(request, {.stage = Stage::Tile}, *crash));
  return std::move(*resolved);
}

GpuTarget gpuTargetOf(Target target) {
  // PTX 8.0 is what CUDA 12.0 takes, the first release that Lacuna runs with.
  return target == Target::Sm80 ? GpuTarget{"sm_80", "+ptx80"} : GpuTarget{"sm_90a", "+ptx83"};
}

CodeGenerator codeGeneratorOf(Target target) {
  GpuTarget gpu = gpuTargetOf(target);
  return {std::string(frontend::hookLibraryText()), LLVM_VERSION_STRING,
          isGpu(target) ? gpu.processor + gpu.ptxFeature : std::string()};
}

} // namespace lacuna
