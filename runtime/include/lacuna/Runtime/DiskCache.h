//===- DiskCache.h - Compiled kernels on disk -------------------*- C++ -*-===//
//
//   <directory>/v1/ab/<64 hexadecimal digits>.lac    entries (CacheEntry.h); ab: the first two digits
//   <directory>/v1/notes/<16 digits>                 facts that cost time to find out; text, then its checksum
//   <directory>/v1/tmp/                              files being written
//   <directory>/v1/locks                             locked by the byte; empty
//
// A file is read as a stranger's would be, and anything wrong with it is a miss; it is written beside, synchronised and
// renamed, so that it is there whole or not at all. Nothing depends on locks: they only save a second compilation of
// the same kernel, and the kernel drops those of a process that dies. Nothing is listed to find an entry, and nothing
// just written is read again.
//
//   auto cache = DiskCache::open(path, {});
//   auto obtained = cache->obtain(key, [&]() -> Expected<CacheEntry> { return compile(); });
//   load(obtained->entry.image);
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DISKCACHE_H
#define LACUNA_RUNTIME_DISKCACHE_H

#include "lacuna/Runtime/CacheEntry.h"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace lacuna::runtime {

/// Why there was no usable entry.
enum class MissReason {
  Absent,           ///< never stored, or removed
  Unreadable,       ///< the system refused
  NotAFile,         ///< a link, a FIFO, a directory
  OtherOwner,       ///< another user's file
  WritableByOthers, ///< group or others may write it
  TooLarge,         ///< over DiskCacheOptions::entryLimit
  Truncated,        ///< EntryFault, from here on
  NotAnEntry,
  OtherVersion,
  Damaged,
  OtherKey,
  BadContents,
};
inline constexpr size_t kMissReasons = 12;
/// "absent", "another owner's", …
std::string_view missReasonName(MissReason reason);

struct DiskCacheOptions {
  uint64_t sizeLimit = uint64_t(1) << 30;                           ///< bytes of all entries together
  uint64_t entryLimit = uint64_t(64) << 20;                         ///< bytes of one entry
  std::chrono::milliseconds lockTimeout = std::chrono::seconds(60); ///< then a kernel is compiled a second time
  std::chrono::seconds staleAfter = std::chrono::hours(1);          ///< temporary files older than this are removed
  std::chrono::seconds notesAfter = std::chrono::hours(24 * 30);    ///< notes not read for this long are removed
};

/// Of this object and its copies.
struct DiskCacheStats {
  uint64_t hits = 0, stored = 0, storeFailures = 0, evicted = 0, lockTimeouts = 0;
  std::array<uint64_t, kMissReasons> misses = {};
  uint64_t missesFor(MissReason reason) const { return misses[static_cast<size_t>(reason)]; }
};

/// What obtain() gives.
struct ObtainedEntry {
  CacheEntry entry;
  bool found = false; ///< on disk; else made just now
};

/// An entry file as a listing sees it.
struct ListedEntry {
  std::string hex; ///< the file's name
  uint64_t bytes = 0;
  int64_t usedAt = 0; ///< nanoseconds since 1970
};

/// The files of all notes.
struct NoteTotals {
  uint64_t count = 0, bytes = 0;
};

struct PruneResult {
  uint64_t removed = 0, removedBytes = 0, stale = 0, notes = 0;
  uint64_t kept = 0, keptBytes = 0;
  bool busy = false; ///< another process is at it; nothing was done
};

/// A handle: copies share counters. Thread safety: every call, from any thread and any process.
class DiskCache {
public:
  /// Opens the cache in `directory` and makes what is missing (`create`). Errors: as openCacheDirectory; Unavailable
  /// for a `v1` in it that is not such a directory.
  static Expected<DiskCache> open(const std::string &directory, const DiskCacheOptions &options, bool create = true);

  /// The entry of `key`, or why there is none; a miss is counted by its reason.
  tl::expected<CacheEntry, MissReason> get(const CacheKey &key) const;
  /// Stores an entry in place of any other of its key, and prunes now and then. Returns false where that failed; the
  /// first failure is told as a warning.
  bool put(const CacheKey &key, const CacheEntry &entry) const;
  /// Removes an entry that turned out to be of no use.
  void remove(const CacheKey &key) const;
  /// The entry of `key`; else what `make` gives, stored. Of all processes and threads that ask at once, one makes and
  /// the others wait for it, up to the time limit. Errors: those of `make`.
  Expected<ObtainedEntry> obtain(const CacheKey &key, const std::function<Expected<CacheEntry>()> &make) const;

  /// A small fact that costs time to find out, such as a tool's version, under a name that makes it unique; nothing
  /// where there is none that is whole.
  std::optional<std::string> note(std::string_view name) const;
  /// The note that says who filled the cache, without which a machine of another kind finds nothing: prune leaves it.
  static constexpr std::string_view kFillersNote = "assemblers";
  void setNote(std::string_view name, std::string_view text) const;
  NoteTotals notes() const;
  /// Removes every note. Returns how many there were.
  uint64_t clearNotes() const;

  DiskCacheStats stats() const;
  const std::string &directory() const;
  const DiskCacheOptions &options() const;

  /// All entry files, in the order of their names.
  std::vector<ListedEntry> list() const;
  /// Reads the entry file named `hex` and checks it by itself and against its name.
  tl::expected<KeyedEntry, MissReason> read(const std::string &hex) const;
  /// Removes an entry file by name. Returns whether it was there.
  bool removeFile(const std::string &hex) const;
  /// Removes stale temporary files, notes that nobody reads, and those entries used longest ago until all take at most
  /// `sizeLimit` bytes.
  PruneResult prune(uint64_t sizeLimit) const;

  struct State;

private:
  explicit DiskCache(std::shared_ptr<State> state) : state(std::move(state)) {}
  std::shared_ptr<State> state;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_DISKCACHE_H
