// lacuna-numeric-tests: kernels against float64, on generated cases.
//
// The last line of the output is "N passed, M failed"; the exit status is 1 for a failure, 2 for a wrong call. A
// failing case is printed with all of its parameters, and --only with the beginning of its name runs it alone.
#include "TestCase.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iterator>
#include <set>
#include <thread>

using namespace lacuna;
using namespace lacuna::numeric;

namespace {

struct Options {
  std::string device = "cpu", target;
  int64_t cases = 600;
  uint64_t seed = 1;
  std::string only;
  std::string kernelFolder = "kernels_dsl";
  bool list = false, compileOnly = false;
  std::string schedules; ///< empty: the usual cases
  int64_t casesOfPoint = 3;
};

struct Tally {
  int64_t passed = 0, failed = 0;

  void add(const std::string &name, const std::vector<std::string> &wrong) {
    if (wrong.empty()) {
      ++passed;
      return;
    }
    ++failed;
    std::printf("FAILED %s\n", name.c_str());
    for (const std::string &reason : wrong)
      std::printf("  %s\n", reason.c_str());
    std::fflush(stdout);
  }
};

constexpr const char *kRenameName = "rename/attention_forward";

std::vector<TestCase> allCases(const Options &options) {
  std::vector<TestCase> cases = attentionCases(options.seed, options.cases);
  for (auto *make : {patternCases, packedCases, splitCases, matmulCases, blockSparseMatmulCases, sigmoidCases,
                     twoProductCases, pooledScoreCases}) {
    std::vector<TestCase> more = make(options.seed);
    cases.insert(cases.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  std::erase_if(cases, [&](const TestCase &each) { return each.name.find(options.only) == std::string::npos; });
  return cases;
}

/// The compiler alone, for the GPU, which needs none.
void compileForGpu(const std::vector<TestCase> &cases, const Machine &machine, const Options &options, Tally &tally) {
  std::set<std::string> seen;
  const Target target = parseTarget(options.target).value_or(Target::Sm90a);
  Compiler compiler;
  for (const TestCase &each : cases) {
    CompileRequest request;
    request.fileName = each.kernel.file;
    request.kernel = each.kernel.kernel;
    request.params = each.kernel.params;
    request.hooks = each.kernel.hooks;
    request.target = target;
    request.allScalarsPositive = true;
    std::string key = fmt::format("{} {}", request.fileName, request.kernel);
    for (const auto *table : {&request.params, &request.hooks})
      for (const auto &[name, value] : *table)
        key += fmt::format(" {}={}", name, value);
    if (!seen.insert(key).second)
      continue;
    auto source = machine.readKernelFile(each.kernel.file);
    if (source)
      request.source = *source;
    auto compiled = source ? compiler.compile(request) : Expected<CompileResult>(takeError(source));
    tally.add(key, compiled ? std::vector<std::string>{} : std::vector<std::string>{compiled.error().render()});
  }
}

void runCases(const std::vector<TestCase> &cases, Machine &machine, Tally &tally) {
  std::vector<KernelSpec> specs;
  for (const TestCase &each : cases)
    specs.push_back(each.kernel), specs.insert(specs.end(), each.others.begin(), each.others.end());
  machine.compileAhead(std::move(specs));
  for (const TestCase &each : cases) {
    auto kernel = machine.compile(each.kernel);
    tally.add(each.name, kernel ? each.run(machine, *kernel) : std::vector<std::string>{kernel.error().render()});
  }
}

/// Every launch of these is done twice.
Expected<std::vector<TestCase>> casesOfSchedules(const Options &options) {
  auto choice = ScheduleChoice::parse(options.schedules);
  if (!choice)
    return takeError(choice);
  choice->seed = options.seed;
  choice->only = options.only;
  auto space = ScheduleSpace::create(options.kernelFolder);
  if (!space)
    return takeError(space);
  const std::vector<int64_t> points = space->choose(*choice, std::max(1u, std::thread::hardware_concurrency()));
  std::printf("%zu of %lld schedules\n", points.size(), static_cast<long long>(space->size()));
  return scheduleCases(*space, points, options.seed, options.casesOfPoint);
}

int fail(const Error &error) {
  std::fprintf(stderr, "lacuna-numeric-tests: %s\n", error.render().c_str());
  return error.code == ErrorCode::InvalidArgument ? 2 : 1;
}

int run(const Options &options) {
  const bool usual = options.schedules.empty();
  std::unique_ptr<Machine> machine;
  if (!options.list) { // before anything that takes time
    auto created = Machine::create(options.device == "gpu", options.kernelFolder);
    if (!created)
      return fail(created.error());
    machine = std::move(*created);
  }
  auto made = usual ? Expected<std::vector<TestCase>>(allCases(options)) : casesOfSchedules(options);
  if (!made)
    return fail(made.error());
  const std::vector<TestCase> &cases = *made;
  if (options.list) {
    for (const TestCase &each : cases)
      std::printf("%s\n", each.name.c_str());
    return 0;
  }
  if (!usual)
    machine->setRepeats(2);
  const auto start = std::chrono::steady_clock::now();
  Tally tally;
  if (options.compileOnly)
    compileForGpu(cases, *machine, options, tally);
  else
    runCases(cases, *machine, tally);
  if (usual && std::string(kRenameName).find(options.only) != std::string::npos)
    tally.add(kRenameName, checkRenamedKernel(*machine));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%zu specialisations compiled, %.0f s\n", machine->compiledKernels(), seconds);
  std::printf("%lld passed, %lld failed\n", static_cast<long long>(tally.passed), static_cast<long long>(tally.failed));
  return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Runs kernels on generated cases and compares them with float64", "lacuna-numeric-tests");
  app.add_option("--device", options.device, "where the kernels run")->check(CLI::IsMember({"cpu", "gpu"}));
  app.add_option("--cases", options.cases, "how many attention cases")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "all data and shapes follow from it")->capture_default_str();
  app.add_option("--only", options.only, "only cases whose name contains this");
  app.add_option("--kernels", options.kernelFolder, "the folder of the .tile files")->capture_default_str();
  app.add_option("--schedules", options.schedules,
                 "in place of the usual cases, schedules that the tuner may choose: all, defaults, how many to "
                 "sample, or PART/PARTS; with --only those whose text contains it");
  app.add_option("--cases-of-schedule", options.casesOfPoint, "how many cases each of them runs")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--list", options.list, "print the cases' names");
  app.add_flag("--compile-only", options.compileOnly, "compile every kernel for the GPU and run none; needs no GPU");
  app.add_option("--target", options.target, "what kernels for the GPU are compiled for (what the GPU is best at)")
      ->check(CLI::IsMember({"sm_90a", "sm_80"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!options.target.empty()) // The facade, and the tiles of the cases, go by it.
    setenv("LACUNA_TARGET", options.target.c_str(), /*overwrite=*/1);
  return run(options);
}
