//===- CacheDirectory.h - Where the cache lies ------------------*- C++ -*-===//
//
// Whoever can write into the directory chooses what runs on the GPU, so it must be the user's alone:
//
//   1. LACUNA_CACHE_DIR, else XDG_CACHE_HOME/lacuna, else HOME/.cache/lacuna. The path is absolute and has no `..`.
//   2. What is missing of it is made, mode 0700.
//   3. It is a directory and no link, belongs to this user or to root, and nobody else may write into it.
//   4. None of the directories above may be written by everyone, unless its sticky bit keeps others from renaming what
//   is
//      not theirs (/tmp).
//
// Where one of these does not hold, nothing is stored, and kernels live in memory only.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_CACHEDIRECTORY_H
#define LACUNA_RUNTIME_CACHEDIRECTORY_H

#include "lacuna/Runtime/Knobs.h"

#include <string>

namespace lacuna::runtime {

/// What LACUNA_CACHE asks for.
enum class CacheMode {
  Disk,   ///< memory, then disk
  Memory, ///< nothing on disk
  Off,    ///< every request compiles
};

/// Errors: InvalidArgument with the values that are allowed.
Expected<CacheMode> cacheModeOf(const Knobs &knobs);

/// The path by rule 1; nothing is looked at on disk. Errors: Unavailable where neither variable is set nor HOME;
/// InvalidArgument for a path that is not absolute or has `..`.
Expected<std::string> chooseCacheDirectory(const Knobs &knobs);

/// The part of rule 1 that the environment decides without knobs: XDG_CACHE_HOME/lacuna, else HOME/.cache/lacuna.
/// Errors: as chooseCacheDirectory.
Expected<std::string> userCacheDirectory();

/// Opens `path` by rules 2 to 4 and returns a descriptor, the caller's to close; without `create`, a missing one is not
/// made. Errors: NotFound (missing, and not to be made); Unavailable, with the reason and what to do.
Expected<int> openCacheDirectory(const std::string &path, bool create = true);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_CACHEDIRECTORY_H
