#include "lacuna/Compiler/Pipeline/Target.h"

#include <algorithm>
#include <iterator>

namespace lacuna {

std::string_view targetName(Target target) {
  return target == Target::Cpu ? "cpu" : target == Target::Sm80 ? "sm_80" : "sm_90a";
}

std::optional<Target> parseTarget(std::string_view name) {
  for (Target target : kAllTargets)
    if (targetName(target) == name)
      return target;
  return std::nullopt;
}

std::string_view targetNames() {
  return "sm_90a, sm_80 or cpu";
}

static constexpr int64_t kKiB = 1024;
static constexpr Processor kProcessors[] = {{"sm_80", 163 * kKiB},  {"sm_86", 99 * kKiB},   {"sm_87", 163 * kKiB},
                                            {"sm_89", 99 * kKiB},   {"sm_90", 227 * kKiB},  {"sm_90a", 227 * kKiB},
                                            {"sm_100", 227 * kKiB}, {"sm_103", 227 * kKiB}, {"sm_120", 99 * kKiB},
                                            {"sm_121", 99 * kKiB}};

const Processor *findProcessor(std::string_view name) {
  const auto *found = std::find_if(std::begin(kProcessors), std::end(kProcessors),
                                   [&](const Processor &processor) { return processor.name == name; });
  return found == std::end(kProcessors) ? nullptr : found;
}

bool runsOn(Target target, std::string_view processor) {
  if (!findProcessor(processor) || !isGpu(target))
    return false;
  // What is particular to a processor (the suffix) runs on no other.
  return (target == Target::Sm90a) == (processor == "sm_90a");
}

std::string processorNames(Target target) {
  std::string names;
  for (const Processor &processor : kProcessors)
    if (runsOn(target, processor.name))
      names += (names.empty() ? "" : ", ") + std::string(processor.name);
  return names;
}

std::string_view defaultProcessor(Target target) {
  return target == Target::Cpu ? "" : targetName(target);
}

} // namespace lacuna
