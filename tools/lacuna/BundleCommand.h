// `lacuna bundle`: compiled kernels in one file, for programs that have no compiler (lacuna/Runtime/Bundle.h).
#pragma once

#include "CompileCommand.h"

namespace lacuna::tools {

struct BundleOptions {
  std::string bundle;
  CompileOptions compile; ///< file, kernel, params, hooks, positive
};

CLI::App *addBundleCommand(CLI::App &app, BundleOptions &options);
/// Returns the exit status: 0 done, 1 the work failed, 2 the call was wrong.
int runBundleCommand(const BundleOptions &options);

} // namespace lacuna::tools
