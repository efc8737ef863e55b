// What the code of a kernel depends on.
#include "CacheKeyOf.h"

#include "lacuna/Compiler/Pipeline/Seeing.h"

namespace lacuna {

/// Of the fields and of what an entry's record holds: another number, another key.
static constexpr int64_t kSchema = 3;

static std::string text(const std::string &value) {
  return value;
}
static std::string text(int value) {
  return fmt::format("{}", value);
}

Expected<runtime::CacheKey> cacheKeyOf(const CompileRequest &request, const ToolVersions &tools,
                                       const runtime::Knobs &knobs) {
  return resolveRequest(request).map(
      [&](const ResolvedRequest &resolved) { return cacheKeyOf(request, resolved, tools, knobs); });
}

runtime::CacheKey cacheKeyOf(const CompileRequest &request, const ResolvedRequest &resolved, const ToolVersions &tools,
                             const runtime::Knobs &knobs) {
  std::map<std::string, std::string> positive, codegen;
  for (const std::string &name : resolved.positiveScalars)
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
      .text("kernel", resolved.kernel)
      .table("param", resolved.params)
      .table("tuned", resolved.knobs)
      .table("hook", request.hooks)
      .table("scalar", positive)
      .table("knob", codegen)
      // The lines are of this file, whose name the code then holds.
      .text("lines of", request.lineInfo || knobs.lineInfo ? lineFileName(request.fileName) : "")
      .text("compiler", tools.compiler)
      .text("llvm", tools.llvm)
      .text("ptx", tools.ptx)
      .text("assembler", tools.assembler)
      .text("source", request.source)
      .text("hook library", tools.hookLibrary)
      .finish();
}

} // namespace lacuna
