// Which assembler makes the cubins of this process, and its version.
#pragma once

#include "lacuna/Compiler/Codegen/Assembler.h"
#include "lacuna/Runtime/DiskCache.h"

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lacuna {

struct ChosenAssembler {
  std::optional<Assembler> assembler; ///< nothing: the driver assembles
  std::string version;
};

/// Asking ptxas for its version starts a process, which takes longer than loading a kernel from the cache. So it is
/// asked once for each file, told apart by path, inode, size and times; the cache keeps the answer for other processes.
/// (A script that starts an assembler is taken by its own file: touch it when what it starts has changed.)
/// Thread safety: any thread.
class AssemblerChoice {
public:
  /// Errors: NotFound, ToolFailed as Assembler's. `cache`, where there is one, keeps the version.
  Expected<ChosenAssembler> get(const runtime::DiskCache *cache);

private:
  std::mutex mutex;
  bool looked = false;
  std::optional<Assembler> assembler;
  std::string identity, version; ///< of the file when it was asked
};

/// The versions of the assemblers that made what `cache` holds, latest first. A machine without one looks for their
/// kernels, so that a cache may be filled elsewhere. None for null.
std::vector<std::string> notedAssemblers(const runtime::DiskCache *cache);
/// Puts `version` first among them.
void noteAssembler(const runtime::DiskCache &cache, const std::string &version);

} // namespace lacuna
