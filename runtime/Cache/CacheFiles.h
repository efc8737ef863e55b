// Files of the cache: opened without following links, looked at through what was opened, written beside and renamed.
#pragma once

#include "lacuna/Runtime/DiskCache.h"

#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

namespace lacuna::runtime {

/// Closes what it holds.
class FileDescriptor {
public:
  FileDescriptor() = default;
  explicit FileDescriptor(int handle) : handle(handle) {}
  FileDescriptor(FileDescriptor &&other) noexcept : handle(std::exchange(other.handle, -1)) {}
  FileDescriptor &operator=(FileDescriptor &&other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return handle; }
  explicit operator bool() const { return handle >= 0; }
  /// The handle, now the caller's.
  int release() { return std::exchange(handle, -1); }
  /// Closes it and says whether that succeeded: a file system may tell only then that it could not write.
  bool close();

private:
  int handle = -1;
};

/// What is wrong with a directory of ours, as the end of a sentence ("… is a link").
std::optional<std::string> faultOfDirectory(const struct stat &status);

/// Opens the directory `name` in `parent`, which must be ours alone to write; `create` makes it where there is none.
/// Nothing: it is not there, or is not such a directory (errno is then ENOENT only where nothing is there).
FileDescriptor openDirectoryIn(int parent, const char *name, bool create);

/// Reads a file in `directory`, if it is a regular file, ours, not writable by others and of at most `limit` bytes.
/// Marks it as used now.
tl::expected<std::string, MissReason> readOwnFile(int directory, const char *name, uint64_t limit);

/// Writes a file: a temporary one of mode 0600 in `scratch`, written, synchronised, then renamed to `name` in
/// `directory`, in whose place nothing of ours is ever seen half written. Errors: NotFound where a directory, open
/// here, was removed; Unavailable with the reason.
Expected<void> writeFile(int scratch, int directory, const char *name, std::string_view bytes);

} // namespace lacuna::runtime
