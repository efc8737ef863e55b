#include "ScheduleInterpreter.h"

#include "Harness.h"
#include "TestCase.h"

namespace lacuna::schedules {

using namespace numeric;
using interpreter_tests::WarpKernel;

namespace {

/// The kernels of a machine, compiled to `warp.opt` at their first launch.
class Launcher {
public:
  explicit Launcher(uint64_t seed) : seed(seed) {}

  Expected<void> operator()(const KernelSpec &spec, const std::vector<runtime::ArgumentValue> &arguments, int count) {
    const std::string file = spec.file.substr(spec.file.rfind('/') + 1);
    std::string key = file + spec.kernel;
    for (const auto *table : {&spec.params, &spec.hooks})
      for (const auto &[name, value] : *table)
        key += fmt::format("\n{}={}", name, value);
    auto found = kernels->find(key);
    if (found == kernels->end()) {
      auto compiled = WarpKernel::compile(file, spec.params, spec.hooks, spec.kernel);
      if (!compiled)
        return takeError(compiled);
      found = kernels->emplace(std::move(key), std::move(*compiled)).first;
    }
    // The last order is one by chance, the first of few thread blocks that take one program after the other.
    InterpreterOptions options;
    options.schedule = count == 0 ? InterpreterSchedule::Late : InterpreterSchedule::Random;
    options.seed = seed;
    options.persistentBlocks = 1 + count;
    auto report = interpretWarp(found->second.func(), found->second.metadata, arguments, options);
    return report ? Expected<void>() : takeError(report);
  }

private:
  std::shared_ptr<std::map<std::string, WarpKernel>> kernels = std::make_shared<std::map<std::string, WarpKernel>>();
  uint64_t seed;
};

/// A case that the interpreter is through with in a second or so.
TestCase smallCase(const ScheduleSpace &space, int64_t index, uint64_t seed) {
  constexpr int64_t kMostProducts = 4 << 20, kTries = 200;
  TestCase smallest = scheduleCase(space, index, seed * 1000003);
  for (uint64_t other = 1; smallest.products > kMostProducts && other < kTries; ++other)
    if (TestCase next = scheduleCase(space, index, seed * 1000003 + other); next.products < smallest.products)
      smallest = std::move(next);
  return smallest;
}

} // namespace

std::vector<std::string> interpretSchedule(const ScheduleSpace &space, int64_t index, uint64_t seed) {
  static std::unique_ptr<Machine> machine = Machine::create(/*gpu=*/false, "kernels_dsl").value();
  machine->setRepeats(2);
  machine->setLaunch(Launcher(seed));
  const TestCase chosen = smallCase(space, index, seed + static_cast<uint64_t>(index));
  auto kernel = machine->compile(chosen.kernel);
  std::vector<std::string> wrong =
      kernel ? chosen.run(*machine, *kernel) : std::vector<std::string>{kernel.error().render()};
  if (!wrong.empty())
    wrong.front() = chosen.name + ": " + wrong.front();
  return wrong;
}

} // namespace lacuna::schedules
