// `lacuna cache`: looks at the cache of compiled kernels, and removes from it. Needs no compiler.
#pragma once

#include "CommandResult.h"

#include "lacuna/Runtime/Knobs.h"

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace lacuna::tools {

struct CacheOptions {
  enum class Action { Stat, Verify, Explain, Extract, Prune, Clear };
  Action action = Action::Stat;
  std::string directory; ///< empty: by the environment
  bool json = false;     ///< stat
  bool remove = false;   ///< verify
  std::string key, other;
  std::string part = "image", output; ///< extract
  std::optional<int64_t> megabytes;   ///< prune; none: LACUNA_CACHE_MB
};

CLI::App *addCacheCommand(CLI::App &app, CacheOptions &options);
CommandResult cacheCommand(const CacheOptions &options);

/// One line for `lacuna doctor`: where the cache lies and what is in it, or why there is none.
std::string describeCache(const runtime::Knobs &knobs);

} // namespace lacuna::tools
