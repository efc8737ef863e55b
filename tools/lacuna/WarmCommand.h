// `lacuna warm`: fills the cache ahead, or says what is missing in it (lacuna/Jit/Warm.h).
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace lacuna::tools {

/// The flags as they were given.
struct WarmCommandOptions {
  std::vector<std::string> texts, lists;      ///< names of library texts or paths of .tile files; files of requests
  std::vector<std::string> params, hooks;     ///< NAME=VALUE, of `texts`
  std::string kernel, target, processor, gpu; ///< empty: not given
  std::vector<int64_t> headDims;              ///< of --library
  std::vector<std::string> dtypes;            ///< of --library
  bool library = false, anyScalars = false, check = false, json = false;
  int jobs = 0; ///< 0: one for each processor
};

CLI::App *addWarmCommand(CLI::App &app, WarmCommandOptions &options);
/// Returns the exit status: 0 all is there, 1 something failed or is missing, 2 the call was wrong.
int runWarmCommand(const WarmCommandOptions &options);

} // namespace lacuna::tools
