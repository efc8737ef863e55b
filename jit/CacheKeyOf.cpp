// What the code of a kernel depends on.
#include "lacuna/Compiler/Pipeline/Resolve.h"
#include "lacuna/Jit/CachedCompiler.h"

namespace lacuna {

/// Of the fields and of what an entry's record holds: another number, another key.
static constexpr int64_t kSchema = 1;

static std::string text(const std::string &value) {
  return value;
}
static std::string text(int value) {
  return fmt::format("{}", value);
}

Expected<runtime::CacheKey> cacheKeyOf(const CompileRequest &request, const ToolVersions &tools,
                                       const runtime::Knobs &knobs) {
  auto resolved = resolveRequest(request);
  if (!resolved)
    return takeError(resolved);
  std::map<std::string, std::string> positive, codegen;
  for (const std::string &name : resolved->positiveScalars)
    positive.emplace(name, "greater than 0");
#define LACUNA_KNOB(member, environment, type, fallback, effect, help)                                                 \
  if (runtime::KnobInfo::Effect::effect == runtime::KnobInfo::Effect::Codegen)                                         \
    codegen.emplace(environment, text(knobs.member));
#include "lacuna/Runtime/Knobs.def"
  return runtime::CacheKeyBuilder()
      .number("schema", kSchema)
      .text("target", targetName(request.target))
      .text("processor", request.driverAssembles     ? "the driver's"
                         : request.processor.empty() ? defaultProcessor(request.target)
                                                     : std::string_view(request.processor))
      .text("kernel", resolved->kernel)
      .table("param", resolved->params)
      .table("hook", request.hooks)
      .table("scalar", positive)
      .table("knob", codegen)
      .text("compiler", tools.compiler)
      .text("llvm", tools.llvm)
      .text("ptx", tools.ptx)
      .text("assembler", tools.assembler)
      .text("source", request.source)
      .text("hook library", tools.hookLibrary)
      .finish();
}

} // namespace lacuna
