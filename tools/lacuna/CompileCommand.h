// `lacuna compile`: one kernel through the stages, with what each one makes open to see and to replace.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace lacuna::tools {

struct CompileOptions {
  std::string file, kernel, target = "sm_90a", emit, output, dumpDirectory;
  std::vector<std::string> params, hooks, overrides, positive;
  bool time = false, report = false;
};

CLI::App *addCompileCommand(CLI::App &app, CompileOptions &options);
/// Returns the exit status: 0 done, 1 the compilation failed, 2 the call was wrong.
int runCompileCommand(const CompileOptions &options);

} // namespace lacuna::tools
