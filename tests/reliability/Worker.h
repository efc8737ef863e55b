// Processes that use one cache directory, and what is left of it.
#pragma once

#include "Figures.h"
#include "Runtime/CacheSamples.h"
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Runtime/DiskCache.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace lacuna::runtime {

/// A directory with a cache in it, and the log of what was made.
struct WorkerFixture {
  ScratchDirectory scratch;
  int keys = 1;
  size_t bytes = 3000;
  int pauseUs = 2000;
  std::string directory = scratch / "lacuna";

  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// Starts a worker; standard error goes to the file `errors` in the scratch directory. With `faults`, the library of
  /// faults is in front of it.
  pid_t start(int seed, const Environment &environment = {}) const;
  /// Starts one and waits for it; its status as waitpid gives it. One that does not end within a minute is a failure.
  int run(int seed, const Environment &environment = {}) const;
  /// Waits for a worker that was started.
  static int wait(pid_t worker);

  /// How often each key was made.
  std::map<int, int> made() const;
  std::string errors() const { return readFile(scratch / "errors"); }
  /// How many lines of the workers' standard error are warnings.
  int warnings() const;
  /// Checks that every entry file in the directory is a whole one.
  void checkEntries() const;
};

} // namespace lacuna::runtime
