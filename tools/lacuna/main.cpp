// lacuna: the user's command.
#include "AttentionCommand.h"
#include "CompileCommand.h"
#include "DoctorCommand.h"
#include "JitBackend.h"

#include <CLI/CLI.hpp>

int main(int argc, char **argv) {
  using namespace lacuna::tools;
  CLI::App app("Lacuna: a JIT compiler for sparse attention on NVIDIA GPUs", "lacuna");
  app.require_subcommand(1);
  CompileOptions compileOptions;
  AttentionOptions attentionOptions;
  CLI::App *compile = addCompileCommand(app, compileOptions);
  CLI::App *attention = addAttentionCommand(app, attentionOptions);
  CLI::App *doctor = app.add_subcommand("doctor", "Say what was found on this machine and what each absence means");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  if (compile->parsed())
    return runCompileCommand(compileOptions);
  if (doctor->parsed())
    return runDoctorCommand();
  if (attention->parsed()) {
    JitBackend backend;
    return runAttentionCommand(attentionOptions, backend);
  }
  return 2;
}
