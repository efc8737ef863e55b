//===- TuneCommand.h - `lacuna tune` ----------------------------*- C++ -*-===//

#ifndef LACUNA_TOOLS_TUNECOMMAND_H
#define LACUNA_TOOLS_TUNECOMMAND_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lacuna::tools {

/// The flags as they were given.
struct TuneCommandOptions {
  std::vector<std::string> kernels = {}; ///< names of library kernels, or paths of .tile files
  std::vector<std::string> shapes = {};  ///< lines of shapes
  std::string shapesFile = {}, report = {}, database = {}, exportTo = {};
  std::vector<std::string> imports = {};
  std::optional<std::string> device = {};
  double budget = 300, limit = 20; ///< seconds
  int64_t jobs = 0;                ///< 0: one for each processor
  bool resume = false, exhaustive = false, worker = false;
};

CLI::App *addTuneCommand(CLI::App &app, TuneCommandOptions &options);

/// Tunes, imports, exports; prints; the exit status.
int runTuneCommand(const TuneCommandOptions &options);

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_TUNECOMMAND_H
