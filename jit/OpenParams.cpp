#include "OpenParams.h"

#include "BuildIds.h"

#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <array>

namespace lacuna {

using autotune::WinnerRecord;

/// Under which name the choice for `spec` is remembered: all that decides it but the records.
static std::string noteName(const KernelSpec &spec, Target target, const autotune::MachineLimits &machine,
                            const std::string &compiler) {
  return "tuned " + runtime::CacheKeyBuilder()
                        .text("compiler", compiler)
                        .text("target", targetName(target))
                        .text("machine", machine.name)
                        .text("source", spec.source)
                        .text("kernel", spec.kernel)
                        .table("param", spec.params)
                        .table("hook", spec.hooks)
                        .finish()
                        .hex();
}

void OpenParams::readRecords() {
  std::call_once(recordsRead, [&] {
    stampOfRecords = autotune::TunedRecords::stamp();
    records = autotune::TunedRecords::load();
  });
}

OpenParams::Choice OpenParams::fromRecords(const KernelSpec &spec, Target target,
                                           const autotune::MachineLimits &machine, const std::string &assembler) const {
  bool anyRecord = std::any_of(records.all().begin(), records.all().end(), [&](const WinnerRecord &record) {
    return record.key.machine == machine.name && spec.source.find(record.key.kernel) != std::string::npos;
  });
  if (!anyRecord)
    return {};
  OpenQuestion question{
      .spec = spec, .shape = {}, .keepLists = true, .measuredOnly = true, .untold = {}, .assembler = assembler};
  auto open = chooseOpenPoint(question, target, machine, records);
  if (!open || !*open) // A text at fault is told by its compilation.
    return {};
  return {std::move((*open)->point), std::move((*open)->origin)};
}

/// A note: the stamp of the records and the assembler, the params, the origin; a line each.
static std::optional<std::array<std::string, 3>> readNote(const runtime::DiskCache *notes, const std::string &name) {
  const std::optional<std::string> note = notes ? notes->note(name) : std::nullopt;
  const size_t first = note ? note->find('\n') : std::string::npos;
  const size_t second = first == std::string::npos ? first : note->find('\n', first + 1);
  if (second == std::string::npos)
    return std::nullopt;
  return std::array{note->substr(0, first), note->substr(first + 1, second - first - 1), note->substr(second + 1)};
}

std::string OpenParams::choose(KernelSpec &spec, Target target, const autotune::MachineLimits &machine,
                               const CachedCompiler &compiler) {
  if (spec.source.find("tune") == std::string::npos) // No such entry: not even parsed.
    return "";
  const runtime::DiskCache *notes = target == Target::Cpu ? nullptr : compiler.disk(); // That code is compiled anyway.
  const std::string name = notes ? noteName(spec, target, machine, buildIds().compiler) : "";
  const bool compiles = compiler.mayCompile().value_or(true);
  std::string assembler;
  if (notes && compiles) // One that cannot be asked is told by the compilation.
    if (auto chosen = assemblers.get(notes))
      assembler = assemblerOfRecords(chosen->version);
  auto withAssembler = [&](const std::string &stamp) { return stamp + " " + assembler; };
  std::optional<Choice> choice;
  // Where nothing may be compiled the choice is the one that the cache was filled by, whatever records lie here.
  if (auto note = readNote(notes, name);
      note && (!compiles || (*note)[0] == withAssembler(autotune::TunedRecords::stamp())))
    if (auto params = autotune::parseSettings((*note)[1]))
      choice = Choice{std::move(*params), (*note)[2]};
  if (!choice) {
    readRecords();
    choice = fromRecords(spec, target, machine, assembler);
    if (notes && compiles && records.isComplete()) // A database that could not be read may say another thing.
      notes->setNote(name, withAssembler(stampOfRecords) + "\n" + autotune::settingsText(choice->params) + "\n" +
                               choice->origin);
  }
  if (choice->origin.empty())
    return "";
  spec.params.insert(choice->params.begin(), choice->params.end());
  runtime::log("tuning", runtime::LogLevel::Debug, "{}: {}", autotune::settingsText(choice->params), choice->origin);
  return std::move(choice->origin);
}

} // namespace lacuna
