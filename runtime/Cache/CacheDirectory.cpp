#include "lacuna/Runtime/CacheDirectory.h"

#include "CacheFiles.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lacuna::runtime {
namespace {

Expected<std::string> checkedPath(std::string path, std::string_view origin) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  bool climbs = (path + "/").find("/../") != std::string::npos || path.starts_with("../");
  if (!path.starts_with('/') || path == "/" || climbs)
    return makeError(ErrorCode::InvalidArgument,
                     "the cache directory '{}' (from {}) {}; give an absolute path without '..'", path, origin,
                     climbs                  ? "has '..' in it"
                     : path.starts_with('/') ? "is the root directory"
                                             : "is not absolute");
  return path;
}

/// Makes every missing directory of `path`, mode 0700.
bool makeDirectories(const std::string &path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string prefix = path.substr(0, end);
    if (::mkdir(prefix.c_str(), 0700) != 0 && errno != EEXIST) {
      struct stat status{};
      int reason = errno; // A read-only file system says so even of what is there.
      if (::stat(prefix.c_str(), &status) != 0) {
        errno = reason;
        return false;
      }
    }
    if (end == std::string::npos)
      return true;
  }
}

/// Rule 4, on the path without links. Returns what is wrong, or nothing.
std::optional<std::string> faultAbove(const std::string &directory) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(directory.c_str(), nullptr), &std::free);
  if (!real)
    return fmt::format("{}: {}", directory, std::strerror(errno));
  std::string path = real.get();
  for (;;) {
    struct stat status{};
    if (::stat(path.empty() ? "/" : path.c_str(), &status) != 0)
      return fmt::format("{}: {}", path, std::strerror(errno));
    if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
      return fmt::format("{} can be written by everyone", path.empty() ? "/" : path);
    if (path.empty())
      return std::nullopt;
    path.resize(path.rfind('/'));
  }
}

} // namespace

Expected<CacheMode> cacheModeOf(const Knobs &knobs) {
  if (knobs.cache == "disk")
    return CacheMode::Disk;
  if (knobs.cache == "memory")
    return CacheMode::Memory;
  if (knobs.cache == "off")
    return CacheMode::Off;
  return makeError(ErrorCode::InvalidArgument, "LACUNA_CACHE={}: give disk, memory or off", knobs.cache);
}

Expected<std::string> chooseCacheDirectory(const Knobs &knobs) {
  return knobs.cacheDirectory.empty() ? userCacheDirectory() : checkedPath(knobs.cacheDirectory, "LACUNA_CACHE_DIR");
}

Expected<std::string> userCacheDirectory() {
  if (const char *xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg)
    return checkedPath(std::string(xdg) + "/lacuna", "XDG_CACHE_HOME");
  if (const char *home = std::getenv("HOME"); home && *home)
    return checkedPath(std::string(home) + "/.cache/lacuna", "HOME");
  return makeError(ErrorCode::Unavailable, "there is no directory for the cache: HOME is not set; set LACUNA_CACHE_DIR "
                                           "to an absolute path, or LACUNA_CACHE=memory");
}

Expected<int> openCacheDirectory(const std::string &path, bool create) {
  size_t slash = path.rfind('/');
  std::string above = slash == 0 ? "/" : path.substr(0, slash), name = path.substr(slash + 1);
  auto refuse = [&](std::string_view reason) {
    return makeError(ErrorCode::Unavailable, "the cache directory {} is not used: {}", path, reason);
  };
  struct stat status{};
  if (!create && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT)
    return makeError(ErrorCode::NotFound, "there is no cache directory {}", path);
  if (create && above != "/" && !makeDirectories(above))
    return refuse(fmt::format("{} cannot be made: {}", above, std::strerror(errno)));
  if (std::optional<std::string> fault = faultAbove(above))
    return refuse(*fault);
  FileDescriptor parent(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent)
    return refuse(fmt::format("{}: {}", above, std::strerror(errno)));
  if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (std::optional<std::string> fault = faultOfDirectory(status))
      return refuse(fmt::format("it {}", *fault));
  } else if (create && ::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return refuse(fmt::format("it cannot be made: {}", std::strerror(errno)));
  }
  // Looked at again through the descriptor: what is checked is what is used.
  FileDescriptor directory = openDirectoryIn(parent.get(), name.c_str(), /*create=*/false);
  if (!directory)
    return refuse(fmt::format("it cannot be opened: {}", std::strerror(errno)));
  return directory.release();
}

} // namespace lacuna::runtime
