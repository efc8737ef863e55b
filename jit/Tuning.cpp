#include "lacuna/Jit/Tuning.h"

#include "lacuna/Compiler/Frontend/TuneEntry.h"
#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Runtime/StartThreads.h"

#include <algorithm>
#include <atomic>
#include <fstream>

namespace lacuna {

using autotune::Facts;
using autotune::KernelDescription;
using autotune::Knob;
using autotune::Point;
using autotune::Settings;

namespace {

bool isListBlock(const KernelDescription &kernel, const std::string &name) {
  return !name.empty() && (name == kernel.listRowParam || name == kernel.listColumnParam);
}

/// A thread of a consumer holds the accumulators of a step's products, and operands that come from registers. Products
/// that overlap hold them side by side, and so do products that warps compute: an operand is made while the accumulator
/// that it comes from is still read. A lower bound: addresses and temporaries come on top.
int64_t registersNeeded(const KernelStructure &structure, Target target) {
  int64_t accumulators = 0, operands = 0;
  for (const ProductUse &product : structure.products) {
    accumulators += product.columns / 2; // 64 rows of float32 over 128 threads
    if (product.aInRegisters)
      operands += product.terms / 4; // 64 rows of 16 bits over 128 threads
  }
  return structure.overlap || target == Target::Sm80 ? accumulators + operands : accumulators;
}

std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "CPU";
}

CompileRequest requestOf(const KernelSpec &spec, Target target) {
  CompileRequest request;
  request.fileName = spec.file;
  request.source = spec.source;
  request.target = target;
  request.kernel = spec.kernel;
  request.params = spec.params;
  request.hooks = spec.hooks;
  request.allScalarsPositive = true;
  return request;
}

/// The facts of every point, on all processors; nothing for a point that cannot be.
std::vector<std::optional<Facts>> analyzeAll(const KernelSpec &spec, Target target, const std::vector<Point> &points) {
  std::vector<std::optional<Facts>> facts(points.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    Compiler compiler;
    for (size_t index = next++; index < points.size(); index = next++) {
      KernelSpec candidate = spec;
      candidate.params.insert(points[index].begin(), points[index].end());
      if (auto found = analyzePoint(compiler, requestOf(candidate, target)))
        facts[index] = std::move(*found);
    }
  };
  const size_t wanted = std::max<size_t>(1, std::min<size_t>(std::thread::hardware_concurrency(), points.size()));
  std::vector<std::thread> helpers = runtime::startThreads(wanted - 1, work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  return facts;
}

/// What the cost model predicts to be clearly better than `preset`, if anything.
std::optional<Point> predictedBest(const KernelSpec &spec, Target target, const KernelDescription &kernel,
                                   const Settings &fixed, const autotune::MachineLimits &machine, const Point &preset) {
  constexpr double kClearly = 1.05; // A prediction is an upper limit: a small lead says nothing.
  std::vector<Knob> knobs;
  for (const Knob &knob : kernel.knobs)
    if (preset.contains(knob.name)) {
      knobs.push_back(knob);
      if (!knob.isParam) // Depths of rings hardly move the prediction.
        knobs.back().values = {knob.preset};
    }
  auto space = autotune::SearchSpace::create(knobs);
  Settings known = fixed; // A condition may name a knob that the caller has set.
  known.insert(spec.params.begin(), spec.params.end());
  auto pruner = autotune::Pruner::create(kernel, known, machine);
  if (!space || !pruner || space->size() > 1000)
    return std::nullopt;
  std::vector<Point> points = {preset};
  for (int64_t index = 0; index < space->size(); ++index)
    points.push_back(space->point(index));
  std::vector<std::optional<Facts>> facts = analyzeAll(spec, target, points);
  size_t best = 0;
  bool presetRuns = facts[0] && !pruner->judge(preset, *facts[0]);
  for (size_t index = 1; index < points.size(); ++index) {
    if (!facts[index] || pruner->judge(points[index], *facts[index]))
      continue;
    bool clearly = !presetRuns || facts[index]->predictedFraction > kClearly * facts[0]->predictedFraction;
    if (clearly && (best == 0 || predictedBefore(*facts[index], *facts[best])))
      best = index;
  }
  return best == 0 ? std::nullopt : std::optional(points[best]);
}

} // namespace

Expected<KernelDescription> describeForTuning(const KernelSpec &spec, Target target) {
  auto entry = frontend::describeTuneEntry(spec.file, spec.source, spec.kernel, spec.params,
                                           std::string(targetName(target == Target::Cpu ? Target::Sm90a : target)));
  if (!entry)
    return takeError(entry);
  KernelDescription kernel;
  kernel.kernel = entry->kernel;
  kernel.file = spec.file;
  kernel.source = spec.source;
  kernel.hash = entry->hash;
  for (const frontend::TuneEntry::Choice &knob : entry->knobs)
    if (knob.isParam || isGpu(target))
      kernel.knobs.push_back({knob.name, knob.values, knob.chosen, knob.isParam});
  for (const frontend::TuneEntry::Choice &param : entry->params)
    kernel.params.push_back({param.name, param.values, param.chosen});
  kernel.dims = entry->dims;
  kernel.constraints = entry->constraints;
  if (isGpu(target))
    kernel.conditions = entry->conditions;
  kernel.listColumns = entry->listColumns;
  kernel.listRowParam = entry->listRowParam;
  kernel.listColumnParam = entry->listColumnParam;
  kernel.hasMask = std::find(entry->hooks.begin(), entry->hooks.end(), "keep") != entry->hooks.end();
  return kernel;
}

/// The description with the lists' block left to follow from the tile: a block that is given may contradict the
/// defaults of the knobs, and then no description could be had.
static Expected<KernelDescription> describeWithoutLists(const KernelSpec &spec, Target target) {
  KernelSpec bare = spec;
  bare.params.clear();
  auto names = describeForTuning(bare, target);
  if (!names)
    return takeError(names);
  bare.params = spec.params;
  for (const std::string &name : {names->listRowParam, names->listColumnParam})
    bare.params.erase(name);
  return describeForTuning(bare, target);
}

Expected<Settings> completeParams(const KernelSpec &spec, const KernelDescription &kernel, Target target) {
  auto described = describeWithoutLists(spec, target);
  if (!described)
    return takeError(described);
  Settings params;
  for (const autotune::ParamDescription &param : described->params)
    if (!isListBlock(kernel, param.name))
      params[param.name] = param.preset;
  return params;
}

Expected<Facts> analyzePoint(Compiler &compiler, CompileRequest request) {
  request.stopAfter = request.target == Target::Cpu ? Stage::TileOpt : Stage::Llvm;
  request.probe = true;
  auto compiled = compiler.compile(request);
  if (!compiled)
    return takeError(compiled);
  Facts facts;
  facts.sharedBytes = compiled->metadata.sharedBytes;
  if (const auto &structure = compiled->kernel.structure) {
    facts.registersNeeded = registersNeeded(*structure, request.target);
    facts.registersPresent = structure->consumerRegisters;
  }
  if (const auto &step = compiled->kernel.step) {
    facts.predictedFraction = step->tensorFraction;
    facts.stepWork = step->tensor;
    facts.boundBy = step->boundBy;
  }
  return facts;
}

std::optional<std::string> rejectionOf(const std::optional<AssemblerReport> &report) {
  if (!report)
    return std::nullopt;
  if (report->spillStoreBytes + report->spillLoadBytes > 0)
    return fmt::format("registers do not suffice: {} bytes of spill stores, {} of loads", report->spillStoreBytes,
                       report->spillLoadBytes);
  if (!report->advisories.empty())
    return fmt::format("the assembler advises: {}", report->advisories.front());
  return std::nullopt;
}

autotune::MachineLimits machineLimits(const runtime::Device *device, Target target, int threads) {
  if (!device)
    return {fmt::format("{}, {} threads", cpuName(), threads), "cpu", 0, 1};
  const runtime::DeviceInfo &info = device->info();
  autotune::MachineLimits machine{info.name, std::string(targetName(target)), info.sharedBytesPerBlock,
                                  info.multiprocessors};
  if (target != ownTarget(info)) // What was measured with another target is of another machine.
    machine.name += " as " + machine.target;
  if (auto chosen = chooseTarget(info, target))
    machine.processor = chosen->processor;
  return machine;
}

std::string assemblerOfRecords(std::string_view version) {
  return version.empty() ? "driver" : fmt::format("ptxas {}", version);
}

std::string assemblerOfRecords() {
  auto assembler = Assembler::find();
  auto version = assembler ? assembler->version() : takeError(assembler);
  return assemblerOfRecords(version.value_or(""));
}

Expected<std::optional<OpenPoint>> chooseOpenPoint(const OpenQuestion &question, Target target,
                                                   const autotune::MachineLimits &machine,
                                                   const autotune::TunedRecords &records) {
  KernelSpec spec = question.spec;
  auto kernel = describeWithoutLists(spec, target);
  if (!kernel)
    return takeError(kernel);
  Point preset;
  for (const Knob &knob : kernel->knobs)
    if (!spec.params.contains(knob.name)) {
      auto untold = question.untold.find(knob.name);
      preset[knob.name] = untold == question.untold.end() ? knob.preset : untold->second;
    }
  if (preset.empty())
    return std::optional<OpenPoint>();
  Settings lists; // Their block follows from the tile by default, and must not with another tile.
  if (question.keepLists)
    for (const autotune::ParamDescription &param : kernel->params)
      if (isListBlock(*kernel, param.name) && spec.params.try_emplace(param.name, param.preset).second)
        lists[param.name] = param.preset;
  auto fixed = completeParams(spec, *kernel, target);
  if (!fixed)
    return takeError(fixed);
  autotune::TuningQuestion asked{kernel->kernel, kernel->hash, machine.name, kernel->dims, question.shape};
  asked.shape.params = *fixed;
  asked.target = targetName(target);
  bool assemblersMatter =
      std::any_of(records.all().begin(), records.all().end(), [&](const autotune::WinnerRecord &record) {
        return record.key.kernel == kernel->kernel && !record.key.assembler.empty();
      });
  if (target != Target::Cpu && assemblersMatter)
    asked.assembler = question.assembler.empty() ? assemblerOfRecords() : question.assembler;
  auto contradicts = [&](const auto &setting) {
    auto given = spec.params.find(setting.first);
    return given != spec.params.end() && given->second != setting.second;
  };
  for (const autotune::TunedChoice &choice : records.find(asked)) {
    if (std::any_of(choice.point.begin(), choice.point.end(), contradicts))
      continue;
    OpenPoint found{lists, choice.origin, true};
    KernelSpec candidate = spec;
    for (const auto &[name, value] : choice.point)
      if (preset.contains(name)) {
        found.point[name] = value;
        candidate.params[name] = value;
      }
    if (describeForTuning(candidate, target))
      return std::optional(std::move(found));
  }
  bool anyParam = std::any_of(kernel->knobs.begin(), kernel->knobs.end(),
                              [&](const Knob &knob) { return knob.isParam && preset.contains(knob.name); });
  if (target == Target::Cpu || !anyParam || question.measuredOnly)
    return std::optional<OpenPoint>();
  std::string advice =
      fmt::format("{} is not tuned on {}; `lacuna tune {}` measures", kernel->kernel, machine.name, kernel->kernel);
  if (auto best = predictedBest(spec, target, *kernel, *fixed, machine, preset)) {
    best->insert(lists.begin(), lists.end());
    return std::optional(OpenPoint{std::move(*best), "chosen by the cost model: " + advice, false});
  }
  preset.insert(lists.begin(), lists.end());
  KernelSpec asDefault = spec;
  asDefault.params.insert(preset.begin(), preset.end());
  if (!describeForTuning(asDefault, target)) // The defaults do not go with what the caller set.
    return std::optional<OpenPoint>();
  return std::optional(OpenPoint{std::move(preset), "the default: " + advice, false});
}

} // namespace lacuna
