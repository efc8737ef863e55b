// What came of a command.
#pragma once

#include <cstdio>
#include <string>

namespace lacuna::tools {

/// An exit status (0 done, 1 the work failed, 2 the call was wrong) and what to print where.
struct CommandResult {
  int status = 0;
  std::string output = {}; ///< for stdout
  std::string errors = {}; ///< for stderr

  /// Prints it; returns the exit status. Whether it arrived, finishOutput asks at the end of the process.
  int print() const {
    std::fwrite(output.data(), 1, output.size(), stdout);
    std::fwrite(errors.data(), 1, errors.size(), stderr);
    return status;
  }
};

} // namespace lacuna::tools
