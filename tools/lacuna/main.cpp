// lacuna: the user's command.
#include "AttentionCommand.h"
#include "BundleCommand.h"
#include "CacheCommand.h"
#include "CompileCommand.h"
#include "DoctorCommand.h"
#include "JitBackend.h"
#include "StandardOutput.h"
#include "TuneCommand.h"
#include "WarmCommand.h"

#include "lacuna/Runtime/Log.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

/// What is said of a call that cannot be understood: the fault, and where the right form is written. Without any
/// subcommand, the usage itself.
std::string describeWrongCall(const CLI::App *app, const CLI::Error &error) {
  const CLI::App *command = app;
  for (const CLI::App *parsed : app->get_subcommands())
    command = parsed;
  if (command == app && app->remaining().empty())
    return app->help();
  std::string fault = command == app ? "there is no command '" + app->remaining().front() + "'" : error.what();
  if (dynamic_cast<const CLI::ConversionError *>(&error))
    fault += ", which is no whole number of 64 bits";
  return "lacuna: " + fault + "\nRun " + (command == app ? "" : "lacuna ") + command->get_name() +
         " --help for what is allowed.\n";
}

int run(int argc, char **argv) {
  using namespace lacuna::tools;
  CLI::App app("Lacuna: a JIT compiler for sparse attention on NVIDIA GPUs", "lacuna");
  app.require_subcommand(1);
  app.failure_message(describeWrongCall);
  CompileOptions compileOptions;
  BundleOptions bundleOptions;
  AttentionOptions attentionOptions;
  TuneCommandOptions tuneOptions;
  CLI::App *compile = addCompileCommand(app, compileOptions);
  CLI::App *bundle = addBundleCommand(app, bundleOptions);
  CLI::App *attention = addAttentionCommand(app, attentionOptions);
  CacheOptions cacheOptions;
  CLI::App *cache = addCacheCommand(app, cacheOptions);
  CLI::App *tune = addTuneCommand(app, tuneOptions);
  WarmCommandOptions warmOptions;
  CLI::App *warm = addWarmCommand(app, warmOptions);
  CLI::App *doctor = app.add_subcommand("doctor", "Say what was found on this machine and what each absence means");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  // A LACUNA_LOG that cannot be read is told now, also where nothing would be logged.
  (void)lacuna::runtime::logEnabled("log", lacuna::runtime::LogLevel::Warn);
  if (compile->parsed())
    return runCompileCommand(compileOptions);
  if (bundle->parsed())
    return runBundleCommand(bundleOptions);
  if (cache->parsed())
    return cacheCommand(cacheOptions).print();
  if (tune->parsed())
    return runTuneCommand(tuneOptions);
  if (warm->parsed())
    return runWarmCommand(warmOptions);
  if (doctor->parsed())
    return runDoctorCommand();
  if (attention->parsed()) {
    JitBackend backend;
    return runAttentionCommand(attentionOptions, backend);
  }
  return 2;
}

} // namespace

int main(int argc, char **argv) {
  // This process is ours: a crash of the compiler may be an error of one kernel.
  (void)setenv("LACUNA_RECOVER", "1", /*overwrite=*/0);
  // Nothing of ours throws; what the standard library throws is memory that the machine does not have.
  try {
    return lacuna::tools::finishOutput(run(argc, argv));
  } catch (const std::exception &failure) {
    if (!std::ferror(stdout)) // fmt throws where it cannot write.
      std::fprintf(stderr, "lacuna: stopped: %s\n", failure.what());
    return lacuna::tools::finishOutput(1);
  }
}
