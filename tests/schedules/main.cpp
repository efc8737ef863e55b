// lacuna-schedules: compiles every schedule that the tuner may choose (tests/numeric/SchedulePoints.h), and prints a
// table of what the assembler says of each and how long it took; with --interpret it runs them on the interpreter
// instead.
//
// The exit status is 1 where a point does not compile, where a schedule that runs without any tuning is not clean, or
// where an interpreted one is wrong; a point that spills is told, and is no failure: the tuner rejects it by the same
// rule.
#include "Crew.h"
#include "ScheduleInterpreter.h"
#include "SchedulePoints.h"
#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/AttentionShape.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

using namespace lacuna;
using namespace lacuna::numeric;
using Json = nlohmann::ordered_json;

namespace {

struct Options {
  std::string schedules = "all", only, kernelFolder = "kernels_dsl";
  uint64_t seed = 1;
  int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool list = false, interpret = false, quiet = false;
};

/// What became of one point.
struct Row {
  int64_t index = 0;
  std::string verdict; ///< clean, rejected, failed; right, wrong
  std::string reason;
  int64_t registers = 0, spilled = 0; ///< of a consumer's thread; bytes
  double milliseconds = 0, cpuMilliseconds = 0;
};

double millisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::string oneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Json compileRow(Compiler &compiler, const CompileRequest &request) {
  const auto start = std::chrono::steady_clock::now();
  const double before = schedules::cpuMilliseconds();
  auto compiled = compiler.compile(request);
  Json row{{"ms", millisecondsSince(start)}, {"cpu_ms", schedules::cpuMilliseconds() - before}};
  if (!compiled) {
    row["verdict"] = "failed";
    row["reason"] = compiled.error().render();
    return row;
  }
  const auto rejection = rejectionOf(compiled->report);
  row["verdict"] = rejection ? "rejected" : "clean";
  row["reason"] = rejection.value_or("");
  if (compiled->report)
    row["spilled"] = compiled->report->spillStoreBytes + compiled->report->spillLoadBytes;
  if (compiled->kernel.structure)
    row["registers"] = compiled->kernel.structure->consumerRegisters;
  return row;
}

Json interpretRow(const ScheduleSpace &space, int64_t index, uint64_t seed) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> wrong = schedules::interpretSchedule(space, index, seed);
  return {{"verdict", wrong.empty() ? "right" : "wrong"},
          {"reason", wrong.empty() ? "" : wrong.front()},
          {"ms", millisecondsSince(start)}};
}

void print(const ScheduleSpace &space, const Row &row) {
  std::printf("%-8s %4lld %6lld %7.0f %7.0f %s%s%s%s\n", row.verdict.c_str(), static_cast<long long>(row.registers),
              static_cast<long long>(row.spilled), row.milliseconds, row.cpuMilliseconds,
              space.textOf(row.index).c_str(), space.isDefault(row.index) ? " (default)" : "",
              row.reason.empty() ? "" : ": ", row.reason.c_str());
  std::fflush(stdout);
}

std::vector<Row> runPoints(const Options &options, const ScheduleSpace &space, const std::vector<int64_t> &points) {
  std::unique_ptr<Compiler> compiler;
  std::vector<Row> rows;
  schedules::Crew crew;
  crew.jobs = options.jobs;
  crew.warmUp = [&] {
    compiler = std::make_unique<Compiler>();
    if (!options.interpret && !points.empty())
      (void)compiler->compile(space.request(points.front()));
  };
  crew.work = [&](size_t task) {
    const Json row = options.interpret ? interpretRow(space, points[task], options.seed)
                                       : compileRow(*compiler, space.request(points[task]));
    return row.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  crew.died = [](int signal) {
    return Json{{"verdict", "failed"}, {"reason", fmt::format("the process ended by signal {}", signal)}}.dump();
  };
  crew.take = [&](size_t task, const std::string &text) {
    const Json json = Json::parse(text);
    Row row{points[task], json["verdict"], oneLine(json["reason"]), json.value("registers", int64_t(0)),
            json.value("spilled", int64_t(0))};
    row.milliseconds = json.value("ms", 0.0);
    row.cpuMilliseconds = json.value("cpu_ms", 0.0);
    if (!options.quiet || row.verdict == "failed" || row.verdict == "wrong")
      print(space, row);
    rows.push_back(std::move(row));
  };
  crew.run(points.size());
  return rows;
}

/// The CPU time of tiles of 128x128 for a head dimension of 128, the measure of the others; 0 where there is none.
double usualTime(const ScheduleSpace &space, const std::vector<Row> &rows) {
  std::vector<double> times;
  for (const Row &row : rows) {
    const KernelSpec kernel = space.kernel(row.index);
    auto is = [&](const char *name, const char *value) {
      auto found = kernel.params.find(name);
      return found != kernel.params.end() && found->second == value;
    };
    if (kernel.kernel == "attention_forward" && kernel.hooks.empty() && is("D", "128") && is("BM", "128") &&
        is("BN", "128"))
      times.push_back(row.cpuMilliseconds);
  }
  std::sort(times.begin(), times.end());
  return times.empty() ? 0 : times[times.size() / 2];
}

int summarise(const ScheduleSpace &space, const std::vector<int64_t> &points, std::vector<Row> rows) {
  auto count = [&](std::string_view verdict) {
    return std::count_if(rows.begin(), rows.end(), [&](const Row &row) { return row.verdict == verdict; });
  };
  int64_t badDefaults = 0;
  for (const Row &row : rows)
    if (row.verdict == "rejected" && space.isDefault(row.index)) {
      ++badDefaults;
      std::printf("NOT CLEAN, and runs without tuning: %s: %s\n", space.textOf(row.index).c_str(), row.reason.c_str());
    }
  const auto slowest = std::max_element(
      rows.begin(), rows.end(), [](const Row &a, const Row &b) { return a.cpuMilliseconds < b.cpuMilliseconds; });
  if (slowest != rows.end() && slowest->cpuMilliseconds > 0) {
    const double usual = usualTime(space, rows);
    std::printf("longest compilation: %.0f ms of CPU time%s, %s\n", slowest->cpuMilliseconds,
                usual > 0 ? fmt::format(" ({:.2f} times that of 128x128, D = 128: {:.0f} ms)",
                                        slowest->cpuMilliseconds / usual, usual)
                                .c_str()
                          : "",
                space.textOf(slowest->index).c_str());
  }
  const int64_t missing = static_cast<int64_t>(points.size()) - static_cast<int64_t>(rows.size());
  std::printf("%zu schedules: %lld clean, %lld rejected by the tuner, %lld right, %lld wrong, %lld failed, %lld not "
              "reached\n",
              points.size(), static_cast<long long>(count("clean")), static_cast<long long>(count("rejected")),
              static_cast<long long>(count("right")), static_cast<long long>(count("wrong")),
              static_cast<long long>(count("failed")), static_cast<long long>(missing));
  const bool good = !points.empty() && missing == 0 && badDefaults == 0 && count("failed") == 0 && count("wrong") == 0;
  return good ? 0 : 1;
}

int run(const Options &options, ScheduleChoice choice) {
  auto space = ScheduleSpace::create(options.kernelFolder);
  if (!space) {
    std::fprintf(stderr, "lacuna-schedules: %s\n", space.error().render().c_str());
    return 1;
  }
  choice.seed = options.seed;
  choice.only = options.only;
  const std::vector<int64_t> points = space->choose(choice, static_cast<size_t>(options.jobs));
  std::printf("%zu variants of kernels, %lld points, of which %zu are tried here\n", space->variants().size(),
              static_cast<long long>(space->size()), points.size());
  if (options.list) {
    for (int64_t index : points)
      std::printf("%s%s\n", space->textOf(index).c_str(), space->isDefault(index) ? " (default)" : "");
    return 0;
  }
  if (!options.interpret)
    if (auto assembler = Assembler::find(); !assembler) {
      std::fprintf(stderr, "lacuna-schedules: %s\n", assembler.error().render().c_str());
      return 1;
    }
  if (!options.quiet)
    std::printf("%-8s %4s %6s %7s %7s\n", "", "regs", "spill", "ms", "cpu ms");
  return summarise(*space, points, runPoints(options, *space, points));
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Compiles the schedules that the tuner may choose", "lacuna-schedules");
  app.add_option("SCHEDULES", options.schedules, "all, defaults, how many to sample, or PART/PARTS")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the sample, and of interpreted data")->capture_default_str();
  app.add_option("--only", options.only, "only variants whose text contains this, as 'attention_forward D=64'");
  auto *kernels =
      app.add_option("--kernels", options.kernelFolder, "the folder of the .tile files")->capture_default_str();
  app.add_option("--jobs", options.jobs, "processes")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_flag("--list", options.list, "print the points");
  app.add_flag("--interpret", options.interpret, "run them on the interpreter, against float64")->excludes(kernels);
  app.add_flag("--quiet", options.quiet, "print what is wrong, and the summary");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto choice = ScheduleChoice::parse(options.schedules);
  if (!choice) {
    std::fprintf(stderr, "lacuna-schedules: %s\n", choice.error().render().c_str());
    return 2;
  }
  return run(options, *choice);
}
