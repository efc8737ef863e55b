#include "OpenParams.h"

#include "BuildIds.h"

#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>

namespace lacuna {

using autotune::WinnerRecord;

/// Under which name the choice for `spec` is remembered: all that decides it but the records.
static std::string noteName(const KernelSpec &spec, const autotune::MachineLimits &machine,
                            const std::string &compiler) {
  return "tuned " + runtime::CacheKeyBuilder()
                        .text("compiler", compiler)
                        .text("machine", machine.name)
                        .text("source", spec.source)
                        .text("kernel", spec.kernel)
                        .table("param", spec.params)
                        .table("hook", spec.hooks)
                        .finish()
                        .hex();
}

OpenParams::Choice OpenParams::fromRecords(const KernelSpec &spec, Target target,
                                           const autotune::MachineLimits &machine) {
  std::call_once(recordsRead, [&] { records = autotune::TunedRecords::load(); });
  bool anyRecord = std::any_of(records.all().begin(), records.all().end(), [&](const WinnerRecord &record) {
    return record.key.machine == machine.name && spec.source.find(record.key.kernel) != std::string::npos;
  });
  if (!anyRecord)
    return {};
  OpenQuestion question{.spec = spec, .shape = {}, .keepLists = true, .measuredOnly = true};
  auto open = chooseOpenPoint(question, target, machine, records);
  if (!open || !*open) // A text at fault is told by its compilation.
    return {};
  return {std::move((*open)->point), std::move((*open)->origin)};
}

std::string OpenParams::choose(KernelSpec &spec, const runtime::Device *device, Target target, int threads,
                               const CachedCompiler &compiler) {
  if (spec.source.find("tune") == std::string::npos) // No such entry: not even parsed.
    return "";
  const autotune::MachineLimits machine = machineLimits(device, target, threads);
  const auto builds = buildIds();
  const runtime::DiskCache *notes = device && builds ? compiler.disk() : nullptr; // Code for a CPU is compiled anyway.
  // The note: the records' stamp, the params, the origin; a line each.
  const std::string name = notes ? noteName(spec, machine, builds->compiler) : "";
  const std::string stamp = notes ? autotune::TunedRecords::stamp() + "\n" : "";
  std::optional<Choice> choice;
  if (auto note = notes ? notes->note(name) : std::nullopt; note && note->starts_with(stamp)) {
    const std::string rest = note->substr(stamp.size());
    const size_t end = rest.find('\n');
    if (auto params = autotune::parseSettings(rest.substr(0, end)); params && end != std::string::npos)
      choice = Choice{std::move(*params), rest.substr(end + 1)};
  }
  if (!choice) {
    choice = fromRecords(spec, target, machine);
    if (notes)
      notes->setNote(name, stamp + autotune::settingsText(choice->params) + "\n" + choice->origin);
  }
  if (choice->origin.empty())
    return "";
  spec.params.insert(choice->params.begin(), choice->params.end());
  runtime::log("tuning", runtime::LogLevel::Debug, "{}: {}", autotune::settingsText(choice->params), choice->origin);
  return std::move(choice->origin);
}

} // namespace lacuna
