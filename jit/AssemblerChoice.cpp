#include "AssemblerChoice.h"

#include <algorithm>

#include <sys/stat.h>

namespace lacuna {

/// Changes with every change of the file; "" where it cannot be seen.
static std::string identityOf(const std::string &path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return "";
  return fmt::format("assembler {} device {} inode {} bytes {} modified {}.{:09} changed {}.{:09}", path, status.st_dev,
                     status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

Expected<ChosenAssembler> AssemblerChoice::get(const runtime::DiskCache *cache) {
  std::lock_guard lock(mutex);
  if (!looked) {
    auto found = Assembler::find();
    if (!found && found.error().code != ErrorCode::Unavailable)
      return takeError(found);
    if (found)
      assembler = std::move(*found);
    looked = true;
  }
  if (!assembler)
    return ChosenAssembler{};
  std::string now = identityOf(assembler->path());
  if (now.empty() || now != identity) {
    std::optional<std::string> known = cache && !now.empty() ? cache->note(now) : std::nullopt;
    if (!known) {
      auto asked = assembler->version();
      if (!asked)
        return takeError(asked);
      known = std::move(*asked);
      if (cache && !now.empty())
        cache->setNote(now, *known);
    }
    version = std::move(*known);
    identity = std::move(now);
  }
  return ChosenAssembler{assembler, version};
}

std::vector<std::string> notedAssemblers(const runtime::DiskCache *cache) {
  std::vector<std::string> versions;
  const std::string text = cache ? cache->note(runtime::DiskCache::kFillersNote).value_or("") : "";
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    versions.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return versions;
}

void noteAssembler(const runtime::DiskCache &cache, const std::string &version) {
  constexpr size_t kMost = 8; // Each is one more look for a kernel that is missing.
  std::vector<std::string> versions = notedAssemblers(&cache);
  if (!versions.empty() && versions.front() == version)
    return;
  std::erase(versions, version);
  std::string text = version + "\n";
  for (size_t index = 0; index < std::min(versions.size(), kMost - 1); ++index)
    text += versions[index] + "\n";
  cache.setNote(runtime::DiskCache::kFillersNote, text);
}

} // namespace lacuna
