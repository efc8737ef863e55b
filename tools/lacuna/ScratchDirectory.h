//===- ScratchDirectory.h - A directory for the time of a run ---*- C++ -*-===//
//
// Its owner holds a lock on a file in it as long as it lives, which the system lets go however the owner ends. So the
// directories of owners that were killed can be told from those in use, also where process numbers mean nothing
// (containers that share /tmp), and the next run removes them.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_SCRATCHDIRECTORY_H
#define LACUNA_TOOLS_SCRATCHDIRECTORY_H

#include "lacuna/Runtime/Error.h"

#include <string>

namespace lacuna::tools {

/// A new directory that is removed with all it holds.
class ScratchDirectory {
public:
  /// Makes PREFIXxxxxxx in the directory for temporary files (TMPDIR), and removes those of dead owners.
  /// Errors: Unavailable.
  static Expected<ScratchDirectory> create(const std::string &prefix);
  ScratchDirectory(ScratchDirectory &&other) noexcept
      : directory(std::exchange(other.directory, {})), lock(std::exchange(other.lock, -1)) {}
  ~ScratchDirectory();
  const std::string &path() const { return directory; }

private:
  ScratchDirectory(std::string directory, int lock) : directory(std::move(directory)), lock(lock) {}
  std::string directory;
  int lock; ///< the descriptor that holds it
};

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_SCRATCHDIRECTORY_H
