// `lacuna compile`: one kernel through the stages, with what each one makes open to see and to replace.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace lacuna::tools {

struct CompileOptions {
  std::string file, kernel, target = "sm_90a", processor, emit, output, dumpDirectory;
  std::vector<std::string> params, hooks, overrides, positive;
  bool time = false, report = false, lineInfo = false;
};

CLI::App *addCompileCommand(CLI::App &app, CompileOptions &options);
/// Returns the exit status: 0 done, 1 the compilation failed, 2 the call was wrong.
int runCompileCommand(const CompileOptions &options);

/// What the options ask the compiler for, texts read. Errors: InvalidArgument for a wrong call; Unavailable for a file
/// that cannot be read.
Expected<CompileRequest> makeCompileRequest(const CompileOptions &options);
/// Puts the values of --set and --hook into `request`. Errors: InvalidArgument, by option.
Expected<void> readSettings(const std::vector<std::string> &params, const std::vector<std::string> &hooks,
                            CompileRequest &request);
/// Prints an error and returns the exit status that goes with it.
int failCommand(const Error &error);

} // namespace lacuna::tools
