// Listing, pruning and removing: what goes over the whole cache.
#include "CacheLock.h"
#include "DiskCacheState.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <ctime>
#include <tuple>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace lacuna::runtime {
namespace {

/// Calls visit(name) for every name in `directory`.
void eachName(const FileDescriptor &directory, const std::function<void(const std::string &)> &visit) {
  int copy = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (!stream) {
    if (copy >= 0)
      ::close(copy);
    return;
  }
  while (const dirent *entry = ::readdir(stream))
    if (std::string name = entry->d_name; name != "." && name != "..")
      visit(name);
  ::closedir(stream);
}

bool isHex(std::string_view text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Removes the files in `directory` that are older than `age`, but `kept`: what processes that died left in v1/tmp, or
/// notes that nobody reads.
uint64_t removeOlder(const FileDescriptor &directory, std::chrono::seconds age, std::string_view kept = {}) {
  uint64_t removed = 0;
  time_t now = ::time(nullptr);
  eachName(directory, [&](const std::string &name) {
    struct stat status{};
    if (name != kept && ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_mtime + age.count() <= now && ::unlinkat(directory.get(), name.c_str(), 0) == 0)
      ++removed;
  });
  return removed;
}

FileDescriptor openNotes(const DiskCache::State &state) {
  return openDirectoryIn(state.folders()->version.get(), "notes", /*create=*/false);
}

} // namespace

std::vector<ListedEntry> DiskCache::list() const {
  std::vector<ListedEntry> entries;
  auto folders = state->folders();
  constexpr std::string_view kSuffix = ".lac";
  eachName(folders->version, [&](const std::string &shard) {
    if (!isHex(shard, 2))
      return;
    FileDescriptor directory = openDirectoryIn(folders->version.get(), shard.c_str(), /*create=*/false);
    if (!directory)
      return;
    eachName(directory, [&](const std::string &name) {
      struct stat status{};
      if (!name.ends_with(kSuffix) || !isHex(name.substr(0, name.size() - kSuffix.size()), 64) ||
          !name.starts_with(shard) || ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return;
      entries.push_back({name.substr(0, 64), static_cast<uint64_t>(status.st_size),
                         status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec});
    });
  });
  std::ranges::sort(entries, {}, &ListedEntry::hex);
  return entries;
}

bool DiskCache::removeFile(const std::string &hex) const {
  EntryName name(hex);
  FileDescriptor shard = openDirectoryIn(state->folders()->version.get(), name.shard.c_str(), /*create=*/false);
  return shard && ::unlinkat(shard.get(), name.file.c_str(), 0) == 0;
}

NoteTotals DiskCache::notes() const {
  NoteTotals totals;
  if (FileDescriptor notes = openNotes(*state))
    eachName(notes, [&](const std::string &name) {
      struct stat status{};
      if (::fstatat(notes.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        ++totals.count;
        totals.bytes += static_cast<uint64_t>(status.st_size);
      }
    });
  return totals;
}

uint64_t DiskCache::clearNotes() const {
  FileDescriptor notes = openNotes(*state);
  uint64_t removed = 0;
  if (notes)
    eachName(notes, [&](const std::string &name) { removed += ::unlinkat(notes.get(), name.c_str(), 0) == 0; });
  return removed;
}

PruneResult DiskCache::prune(uint64_t sizeLimit) const {
  PruneResult result;
  auto folders = state->folders();
  CacheLock lock(folders->version.get());
  if (lock.take(CacheLock::kPruneOffset, std::chrono::milliseconds(0), nullptr) == CacheLock::Outcome::TimedOut) {
    result.busy = true;
    return result;
  }
  result.stale = removeOlder(folders->scratch, state->options.staleAfter);
  if (FileDescriptor notes = openNotes(*state))
    result.notes = removeOlder(notes, state->options.notesAfter, noteFileName(kFillersNote));
  std::vector<ListedEntry> entries = list();
  std::ranges::sort(entries, {}, [](const ListedEntry &entry) { return std::tie(entry.usedAt, entry.hex); });
  result.kept = entries.size();
  for (const ListedEntry &entry : entries)
    result.keptBytes += entry.bytes;
  for (const ListedEntry &entry : entries) {
    if (result.keptBytes <= sizeLimit)
      break;
    if (!removeFile(entry.hex))
      continue;
    ++result.removed;
    --result.kept;
    result.removedBytes += entry.bytes;
    result.keptBytes -= entry.bytes;
  }
  state->evicted += result.removed;
  if (result.removed > 0)
    log("cache", LogLevel::Debug, "{} entries of {} bytes removed, {} of {} bytes kept", result.removed,
        result.removedBytes, result.kept, result.keptBytes);
  return result;
}

} // namespace lacuna::runtime
