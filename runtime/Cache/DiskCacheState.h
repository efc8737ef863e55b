// What the copies of a DiskCache share.
#pragma once

#include "CacheFiles.h"
#include "lacuna/Runtime/Hash.h"

#include <atomic>
#include <mutex>

namespace lacuna::runtime {

struct DiskCache::State {
  std::string directory;
  DiskCacheOptions options;

  /// The descriptors of v1 and v1/tmp. They are opened again where somebody removed the directory meanwhile.
  struct Folders {
    FileDescriptor version, scratch;
  };
  std::shared_ptr<const Folders> folders() const {
    std::lock_guard lock(mutex);
    return opened;
  }
  Expected<void> openFolders(bool create);

  std::atomic<uint64_t> hits{0}, stored{0}, storeFailures{0}, evicted{0}, lockTimeouts{0};
  std::array<std::atomic<uint64_t>, kMissReasons> misses{};
  std::atomic<uint64_t> writtenSincePrune{0};
  std::atomic<bool> warned{false}, pruned{false};

private:
  mutable std::mutex mutex; // of `opened`
  std::shared_ptr<const Folders> opened;
};

/// "ab" and "<64 digits>.lac".
struct EntryName {
  explicit EntryName(const std::string &hex) : shard(hex.substr(0, 2)), file(hex + ".lac") {}
  std::string shard, file;
};

/// The file of a note, in v1/notes.
inline std::string noteFileName(std::string_view name) {
  return fmt::format("{:016x}", hash64(name));
}

} // namespace lacuna::runtime
