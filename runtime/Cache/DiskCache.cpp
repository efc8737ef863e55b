#include "lacuna/Runtime/DiskCache.h"

#include "CacheLock.h"
#include "DiskCacheState.h"
#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/Log.h"
#include "lacuna/Runtime/Trace.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>

namespace lacuna::runtime {
namespace {

MissReason reasonOf(EntryFault fault) {
  return static_cast<MissReason>(static_cast<int>(MissReason::Truncated) + static_cast<int>(fault));
}
static_assert(static_cast<size_t>(MissReason::BadContents) + 1 == kMissReasons);
static_assert(static_cast<int>(MissReason::BadContents) - static_cast<int>(MissReason::Truncated) ==
              static_cast<int>(EntryFault::BadContents));

/// The directory of the entry, if it is there and ours.
FileDescriptor openShard(const DiskCache::State &state, const EntryName &name, bool create) {
  return openDirectoryIn(state.folders()->version.get(), name.shard.c_str(), create);
}

constexpr uint64_t kNoteLimit = 16384;

tl::expected<std::string, MissReason> readEntry(const DiskCache::State &state, const EntryName &name) {
  FileDescriptor shard = openShard(state, name, /*create=*/false);
  if (!shard)
    return tl::unexpected(errno == ENOENT ? MissReason::Absent : MissReason::Unreadable);
  return readOwnFile(shard.get(), name.file.c_str(), state.options.entryLimit);
}

tl::expected<CacheEntry, MissReason> find(const DiskCache::State &state, const CacheKey &key) {
  auto bytes = readEntry(state, EntryName(key.hex()));
  if (!bytes)
    return tl::unexpected(bytes.error());
  return decodeEntry(*bytes, key).map_error(reasonOf);
}

bool isThere(const DiskCache::State &state, const EntryName &name) {
  FileDescriptor shard = openShard(state, name, /*create=*/false);
  struct stat status{};
  return shard && ::fstatat(shard.get(), name.file.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// Does what writes into the folders; once more in new ones where somebody removed them since they were opened.
Expected<void> inFolders(DiskCache::State &state, const std::function<Expected<void>()> &write) {
  Expected<void> done = write();
  if (!done && done.error().code == ErrorCode::NotFound && state.openFolders(/*create=*/true))
    done = write();
  return done;
}

Expected<void> store(const DiskCache::State &state, const EntryName &name, std::string_view bytes) {
  if (bytes.size() > state.options.entryLimit)
    return makeError(ErrorCode::Unavailable, "the entry has {} bytes, and one may have at most {}", bytes.size(),
                     state.options.entryLimit);
  FileDescriptor shard = openShard(state, name, /*create=*/true);
  if (!shard)
    return makeError(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable,
                     "the directory v1/{} cannot be used: {}", name.shard, std::strerror(errno));
  return writeFile(state.folders()->scratch.get(), shard.get(), name.file.c_str(), bytes);
}

} // namespace

std::string_view missReasonName(MissReason reason) {
  constexpr std::string_view kNames[] = {
      "absent",         "unreadable",         "not a regular file", "another owner's",    "writable by others",
      "too large",      "cut off or padded",  "not an entry",       "of another version", "damaged",
      "of another key", "with unfit contents"};
  static_assert(std::size(kNames) == kMissReasons);
  return kNames[static_cast<size_t>(reason)];
}

Expected<void> DiskCache::State::openFolders(bool create) {
  Expected<int> root = openCacheDirectory(directory, create);
  if (!root)
    return takeError(root);
  FileDescriptor owned(*root);
  auto folders = std::make_shared<Folders>();
  auto refuse = [&](std::string_view name) {
    return makeError(!create && errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable,
                     "the cache directory {} is not used: {} in it is not a directory of this user's, or cannot be "
                     "made: {}",
                     directory, name, std::strerror(errno));
  };
  folders->version = openDirectoryIn(owned.get(), "v1", create);
  if (!folders->version)
    return refuse("v1");
  folders->scratch = openDirectoryIn(folders->version.get(), "tmp", create);
  if (!folders->scratch)
    return refuse("v1/tmp");
  std::lock_guard lock(mutex);
  opened = std::move(folders);
  return {};
}

Expected<DiskCache> DiskCache::open(const std::string &directory, const DiskCacheOptions &options, bool create) {
  auto state = std::make_shared<State>();
  state->directory = directory;
  state->options = options;
  if (Expected<void> done = state->openFolders(create); !done)
    return takeError(done);
  return DiskCache(std::move(state));
}

tl::expected<CacheEntry, MissReason> DiskCache::get(const CacheKey &key) const {
  TraceSpan span("cache get", spansHeard() ? key.hex() : std::string());
  auto found = find(*state, key);
  if (found) {
    ++state->hits;
    log("cache", LogLevel::Debug, "{}: found", key.hex());
  } else {
    ++state->misses[static_cast<size_t>(found.error())];
    log("cache", found.error() == MissReason::Absent ? LogLevel::Debug : LogLevel::Info, "{}: missed, {}", key.hex(),
        missReasonName(found.error()));
  }
  return found;
}

bool DiskCache::put(const CacheKey &key, const CacheEntry &entry) const {
  TraceSpan span("cache put", entry.metadata.symbol);
  std::string bytes = encodeEntry(key, entry);
  EntryName name(key.hex());
  Expected<void> done = inFolders(*state, [&] { return store(*state, name, bytes); });
  if (!done) {
    ++state->storeFailures;
    log("cache", state->warned.exchange(true) ? LogLevel::Debug : LogLevel::Warn,
        "a compiled kernel could not be stored in {}, and is kept in memory: {}", state->directory,
        done.error().message);
    return false;
  }
  ++state->stored;
  log("cache", LogLevel::Debug, "{}: stored, {} bytes", key.hex(), bytes.size());
  // The first put looks after what earlier processes left; afterwards the limit may be passed by a 32nd.
  uint64_t written = state->writtenSincePrune += bytes.size();
  if (!state->pruned.exchange(true) || written > state->options.sizeLimit / 32) {
    state->writtenSincePrune = 0;
    (void)prune(state->options.sizeLimit);
  }
  return true;
}

void DiskCache::remove(const CacheKey &key) const {
  (void)removeFile(key.hex());
}

Expected<ObtainedEntry> DiskCache::obtain(const CacheKey &key,
                                          const std::function<Expected<CacheEntry>()> &make) const {
  auto first = get(key);
  if (first)
    return ObtainedEntry{std::move(*first), true};
  EntryName name(key.hex());
  CacheLock lock(state->folders()->version.get());
  // Where a file of no use is in the way, only the lock tells that a better one has come.
  std::function<bool()> hasCome = [&] { return isThere(*state, name); };
  CacheLock::Outcome outcome = lock.take(CacheLock::offsetOf(key), state->options.lockTimeout,
                                         first.error() == MissReason::Absent ? hasCome : nullptr);
  if (outcome == CacheLock::Outcome::TimedOut) {
    ++state->lockTimeouts;
    log("cache", LogLevel::Info, "{}: another process has been compiling it for {} ms; compiling it here too",
        key.hex(), state->options.lockTimeout.count());
  }
  // Between the miss and the lock another may have stored it. A miss is not counted twice.
  if (auto entry = find(*state, key)) {
    ++state->hits;
    return ObtainedEntry{std::move(*entry), true};
  }
  Expected<CacheEntry> made = make();
  if (!made)
    return takeError(made);
  (void)put(key, *made);
  return ObtainedEntry{std::move(*made), false};
}

std::optional<std::string> DiskCache::note(std::string_view name) const {
  FileDescriptor notes = openDirectoryIn(state->folders()->version.get(), "notes", /*create=*/false);
  auto bytes = notes ? readOwnFile(notes.get(), noteFileName(name).c_str(), kNoteLimit)
                     : tl::expected<std::string, MissReason>(tl::unexpected(MissReason::Absent));
  // The name comes first, as two may share a file.
  std::string head = fmt::format("{}\n", name);
  if (!bytes || bytes->size() < head.size() + sizeof(Checksum) || !bytes->starts_with(head))
    return std::nullopt;
  std::string_view text(bytes->data(), bytes->size() - sizeof(Checksum));
  Checksum checksum = checksum128(text);
  if (std::memcmp(checksum.data(), text.data() + text.size(), checksum.size()) != 0)
    return std::nullopt;
  return std::string(text.substr(head.size()));
}

void DiskCache::setNote(std::string_view name, std::string_view text) const {
  std::string bytes = fmt::format("{}\n{}", name, text);
  Checksum checksum = checksum128(bytes);
  bytes.append(reinterpret_cast<const char *>(checksum.data()), checksum.size());
  if (bytes.size() > kNoteLimit)
    return;
  (void)inFolders(*state, [&]() -> Expected<void> {
    FileDescriptor notes = openDirectoryIn(state->folders()->version.get(), "notes", /*create=*/true);
    if (!notes)
      return makeError(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable, "no notes can be written");
    return writeFile(state->folders()->scratch.get(), notes.get(), noteFileName(name).c_str(), bytes);
  });
}

DiskCacheStats DiskCache::stats() const {
  DiskCacheStats stats{state->hits, state->stored, state->storeFailures, state->evicted, state->lockTimeouts, {}};
  for (size_t index = 0; index < kMissReasons; ++index)
    stats.misses[index] = state->misses[index];
  return stats;
}

const std::string &DiskCache::directory() const {
  return state->directory;
}
const DiskCacheOptions &DiskCache::options() const {
  return state->options;
}

tl::expected<KeyedEntry, MissReason> DiskCache::read(const std::string &hex) const {
  auto bytes = readEntry(*state, EntryName(hex));
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto entry = decodeAnyEntry(*bytes);
  if (!entry)
    return tl::unexpected(reasonOf(entry.error()));
  if (entry->key.hex() != hex)
    return tl::unexpected(MissReason::OtherKey);
  return std::move(*entry);
}

} // namespace lacuna::runtime
