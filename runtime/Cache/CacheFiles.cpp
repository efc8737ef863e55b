#include "CacheFiles.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lacuna::runtime {
namespace {

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

/// This user, or the one who may do anything on this machine: a cache may come with a container's image.
bool isOwnerTrusted(const struct stat &status) {
  return status.st_uid == geteuid() || status.st_uid == 0;
}

/// A name that no other process and no other thread uses.
std::string temporaryName() {
  static std::atomic<uint64_t> counter{0};
  uint64_t random = 0;
  (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
  return fmt::format("{}-{}-{:016x}", getpid(), counter++, random);
}

/// NotFound where one of the two directories was removed since it was opened.
Expected<void> failure(std::string_view what) {
  return makeError(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable, "{}: {}", what,
                   std::strerror(errno));
}

bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

/// A write past the process's limit on file sizes would raise SIGXFSZ, which ends the process.
bool withinFileSizeLimit(size_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
}

} // namespace

FileDescriptor::~FileDescriptor() {
  if (handle >= 0)
    ::close(handle);
}

bool FileDescriptor::close() {
  int closing = std::exchange(handle, -1);
  return ::close(closing) == 0;
}

std::optional<std::string> faultOfDirectory(const struct stat &status) {
  if (S_ISLNK(status.st_mode))
    return "is a link";
  if (!S_ISDIR(status.st_mode))
    return "is not a directory";
  if (!isOwnerTrusted(status))
    return fmt::format("belongs to user {}, not to {}", status.st_uid, geteuid());
  if (status.st_mode & kWritableByOthers)
    return fmt::format("can be written by others (mode {:04o}; chmod go-w makes it fit)", status.st_mode & 07777);
  return std::nullopt;
}

FileDescriptor openDirectoryIn(int parent, const char *name, bool create) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor directory(::openat(parent, name, kFlags));
  if (!directory && errno == ENOENT && create) {
    if (::mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
      return {};
    directory = FileDescriptor(::openat(parent, name, kFlags));
  }
  struct stat status{};
  if (directory && (::fstat(directory.get(), &status) != 0 || faultOfDirectory(status))) {
    errno = EPERM;
    return {};
  }
  return directory;
}

tl::expected<std::string, MissReason> readOwnFile(int directory, const char *name, uint64_t limit) {
  // O_NONBLOCK: opening a FIFO would else wait for a writer.
  FileDescriptor file(::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file)
    return tl::unexpected(errno == ENOENT  ? MissReason::Absent
                          : errno == ELOOP ? MissReason::NotAFile
                                           : MissReason::Unreadable);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0)
    return tl::unexpected(MissReason::Unreadable);
  if (!S_ISREG(status.st_mode))
    return tl::unexpected(MissReason::NotAFile);
  if (!isOwnerTrusted(status))
    return tl::unexpected(MissReason::OtherOwner);
  if (status.st_mode & kWritableByOthers)
    return tl::unexpected(MissReason::WritableByOthers);
  if (static_cast<uint64_t>(status.st_size) > limit)
    return tl::unexpected(MissReason::TooLarge);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return tl::unexpected(MissReason::Unreadable);
    if (count == 0)
      break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  constexpr timespec kNow[] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  (void)::futimens(file.get(), kNow); // A read-only file system keeps no track of use; that is no fault.
  return bytes;
}

Expected<void> writeFile(int scratch, int directory, const char *name, std::string_view bytes) {
  if (!withinFileSizeLimit(bytes.size()))
    return makeError(ErrorCode::Unavailable, "{} bytes are over this process's limit on file sizes (ulimit -f)",
                     bytes.size());
  std::string temporary = temporaryName();
  FileDescriptor file(::openat(scratch, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file)
    return failure("a temporary file cannot be made");
  auto abandon = [&](std::string_view what) {
    Expected<void> failed = failure(what);
    (void)::unlinkat(scratch, temporary.c_str(), 0);
    return failed;
  };
  if (!writeAll(file.get(), bytes))
    return abandon("writing failed");
  if (::fsync(file.get()) != 0)
    return abandon("synchronising failed");
  if (!file.close())
    return abandon("closing failed");
  if (::renameat(scratch, temporary.c_str(), directory, name) != 0)
    return abandon("renaming failed");
  return {};
}

} // namespace lacuna::runtime
