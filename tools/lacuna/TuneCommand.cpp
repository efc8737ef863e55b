#include "TuneCommand.h"

#include "Interrupt.h"
#include "OptionChecks.h"
#include "ScratchDirectory.h"
#include "TunePlan.h"
#include "TuneWorker.h"

#include "lacuna/Autotune/Exchange.h"
#include "lacuna/Autotune/Report.h"
#include "lacuna/Jit/DeviceTarget.h"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

namespace lacuna::tools {

using namespace autotune;

CLI::App *addTuneCommand(CLI::App &app, TuneCommandOptions &options) {
  CLI::App *command = app.add_subcommand("tune", "Find the fastest tiles of kernels on this machine");
  command->add_option(
      "KERNEL", options.kernels,
      "library kernels or .tile files with a `tune` entry (attention_forward); NAME:KERNEL where a text "
      "has several");
  command
      ->add_option("--shape", options.shapes,
                   "a shape to tune on, such as 'H=16 M=4096 D=64 pattern=causal' (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--shapes", options.shapesFile, "a file of shapes, one a line (docs/tuning.md)")
      ->check(refuseEmpty);
  addTraceOption(*command);
  command->add_option("--device", options.device, "cpu or gpu (default: gpu where there is one)");
  command->add_option("--budget", options.budget, "seconds that all of it may take")
      ->check(CLI::Number)
      ->capture_default_str();
  command->add_option("--limit", options.limit, "seconds that one candidate may take to compile, or for a turn")
      ->check(CLI::Number)
      ->capture_default_str();
  command->add_option("--jobs", options.jobs, "processes that compile side by side; 0: one for each processor")
      ->capture_default_str();
  command->add_flag("--resume", options.resume, "go on with what the database has of these shapes");
  command->add_flag(
      "--exhaustive", options.exhaustive,
      "measure every point that can run: nothing is left out by the cost model, and no loser leaves early; "
      "says how far the earlier winner is from the best");
  command->add_option("--report", options.report, "write a report for a person into this directory, as index.html")
      ->check(refuseEmpty);
  command->add_option("--database", options.database, "the tuning database (default: LACUNA_TUNING says)")
      ->check(refuseEmpty);
  command
      ->add_option("--import", options.imports,
                   "take the records of an export or of another database, the newer of two (repeatable)")
      ->take_all()
      ->allow_extra_args(false)
      ->check(refuseEmpty);
  command->add_option("--export", options.exportTo, "write every record as JSON into this file, - is standard output")
      ->check(refuseEmpty);
  command->add_flag("--worker", options.worker, "")->group("");
  command->footer("With --import or --export and no KERNEL nothing is tuned.\n"
                  "Exit status: 0 done, also where the budget ended before; 1 the work failed; 2 the call is wrong;\n"
                  "128 + N: signal N ended it (Ctrl-C: 130), and the best so far was kept.");
  return command;
}

namespace {

constexpr int kFailed = 1, kWrongCall = 2, kSignalled = 128;

int fail(int status, const Error &error) {
  fmt::print(stderr, "lacuna tune: {}\n", error.render());
  return status;
}

Expected<Records> readRecords(const std::string &path) {
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return takeError(text);
  if (!text->starts_with("SQLite format 3"))
    return recordsFromJson(path, *text);
  Expected<Database> other = Database::openToRead(path);
  if (!other)
    return takeError(other);
  return exportRecords(*other);
}

Expected<void> importAll(const TuneCommandOptions &options, Database &database) {
  for (const std::string &path : options.imports) {
    Expected<Records> records = readRecords(path);
    if (!records)
      return takeError(records);
    Expected<MergeCounts> counts = mergeRecords(database, *records);
    if (!counts)
      return takeError(counts);
    fmt::print(stderr, "lacuna tune: {}: {} records taken, {} were there as new or newer\n", path, counts->taken,
               counts->kept);
  }
  return {};
}

Expected<void> exportAll(const std::string &path, Database &database) {
  Expected<Records> records = exportRecords(database);
  if (!records)
    return takeError(records);
  std::string text = recordsToJson(*records);
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  }
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file)
    return makeError(ErrorCode::Unavailable, "cannot write '{}': {}; check the path and the space left", path,
                     std::strerror(errno));
  return {};
}

std::unique_ptr<Progress> makeProgress() {
  if (!isatty(STDOUT_FILENO))
    return std::make_unique<JsonProgress>(stdout);
  winsize size{};
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return std::make_unique<TerminalProgress>(stdout, known ? size.ws_col : 80);
}

int tune(const TuneCommandOptions &options, Database &database) {
  std::optional<runtime::Device> device;
  if (options.device != "cpu") {
    Expected<runtime::Device> opened = runtime::Device::open();
    if (opened)
      device = std::move(*opened);
    else if (options.device == "gpu")
      return fail(kFailed, opened.error());
  }
  Expected<DeviceTarget> chosen = device ? chooseTarget(device->info()) : DeviceTarget{Target::Cpu, {}};
  if (!chosen)
    return fail(kFailed, chosen.error());
  const Target target = chosen->target;
  unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  MachineLimits machine = machineLimits(device ? &*device : nullptr, target, runtime::ThreadPool().threads());
  Expected<std::vector<TunedKernel>> kernels = kernelsToTune(options, target);
  if (!kernels)
    return fail(kernels.error().code == ErrorCode::InvalidArgument || kernels.error().code == ErrorCode::NotFound
                    ? kWrongCall
                    : kFailed,
                kernels.error());
  Expected<std::vector<TuneCase>> cases = planCases(options, *kernels, target, machine);
  if (!cases)
    return fail(options.shapesFile.empty() ? kWrongCall : kFailed, cases.error());
  device.reset(); // The workers have the GPU.

  Interrupt interrupt;
  auto interrupted = [] { return Interrupt::signal() != 0; };
  Expected<ScratchDirectory> scratch = ScratchDirectory::create("lacuna-tune-");
  if (!scratch)
    return fail(kFailed, scratch.error());
  std::error_code failed;
  std::string self = std::filesystem::read_symlink("/proc/self/exe", failed).string();
  ProcessWorkshop workshop({.command = {self, "tune", "--worker"},
                            .jobs = options.jobs > 0 ? static_cast<int>(options.jobs) : static_cast<int>(processors),
                            .directory = scratch->path(),
                            .limit = std::chrono::milliseconds(static_cast<int64_t>(options.limit * 1000)),
                            .stopped = interrupted});
  std::unique_ptr<Progress> progress = makeProgress();
  TuneOptions tuneOptions;
  tuneOptions.budgetSeconds = options.budget;
  tuneOptions.resume = options.resume;
  tuneOptions.exhaustive = options.exhaustive;
  tuneOptions.stopped = interrupted;
  tuneOptions.assembler = assemblerOfRecords();
  Tuner tuner(workshop, database, *progress, std::move(tuneOptions));
  Expected<std::vector<CaseResult>> results = tuner.run(*cases);
  if (!results)
    return fail(kFailed, results.error());
  if (!options.report.empty()) {
    Expected<std::string> written = writeReport(options.report, *results);
    if (!written)
      return fail(kFailed, written.error());
    fmt::print(stderr, "lacuna tune: the report is {}\n", *written);
  }
  if (int signal = Interrupt::signal())
    return kSignalled + signal;
  bool allWell =
      std::all_of(results->begin(), results->end(), [](const CaseResult &result) { return result.failure.empty(); });
  return allWell ? 0 : kFailed;
}

/// What of a call cannot be meant.
Expected<void> checkCall(const TuneCommandOptions &options) {
  if (options.device && *options.device != "cpu" && *options.device != "gpu")
    return makeError(ErrorCode::InvalidArgument, "--device is '{}'; give cpu or gpu", *options.device);
  for (auto [name, seconds] : {std::pair("--budget", options.budget), std::pair("--limit", options.limit)})
    if (!std::isfinite(seconds) || seconds <= 0 || seconds > 1e6)
      return makeError(ErrorCode::InvalidArgument, "{} is {}; give seconds above 0, up to a million", name, seconds);
  if (options.jobs < 0 || options.jobs > 1024)
    return makeError(ErrorCode::InvalidArgument, "--jobs is {}; give 1 to 1024, or 0 for one on each processor",
                     options.jobs);
  return {};
}

} // namespace

int runTuneCommand(const TuneCommandOptions &options) {
  if (options.worker) {
    (void)setenv("LACUNA_RECOVER", "0", /*overwrite=*/1); // A crash costs the worker, and with it what it has damaged.
    return runTuneWorker();
  }
  if (Expected<void> checked = checkCall(options); !checked)
    return fail(kWrongCall, checked.error());
  std::string path = options.database.empty() ? userDatabasePath().value_or("") : options.database;
  if (path.empty())
    fmt::print(stderr, "lacuna tune: there is no place for a database (LACUNA_TUNING, an absolute XDG_CACHE_HOME, "
                       "HOME): records are kept for this "
                       "run alone; give --database or --export\n");
  Expected<Database> database = Database::open(path);
  if (!database)
    return fail(kFailed, database.error());
  if (Expected<void> done = importAll(options, *database); !done)
    return fail(kFailed, done.error());
  bool exchangeOnly = options.kernels.empty() && (!options.imports.empty() || !options.exportTo.empty());
  int status = exchangeOnly ? 0 : tune(options, *database);
  if (!options.exportTo.empty())
    if (Expected<void> done = exportAll(options.exportTo, *database); !done)
      return fail(kFailed, done.error());
  return status;
}

} // namespace lacuna::tools
