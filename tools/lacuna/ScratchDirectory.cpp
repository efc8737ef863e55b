#include "ScratchDirectory.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace lacuna::tools {

static constexpr const char *kLock = "/lock";

/// Whether `path` is a directory of ours whose owner is gone.
static bool isAbandoned(const std::string &path) {
  constexpr time_t kHour = 3600;
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid())
    return false;
  int lock = open((path + kLock).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) // Its owner is about to make the lock, or never came to it.
    return errno == ENOENT && time(nullptr) - status.st_mtime > kHour;
  bool free = flock(lock, LOCK_EX | LOCK_NB) == 0;
  close(lock);
  return free;
}

static void removeAbandoned(const std::filesystem::path &parent, const std::string &prefix) {
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(parent, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with(prefix) && isAbandoned(entry->path().string()))
      std::filesystem::remove_all(entry->path(), ignored);
  }
}

Expected<ScratchDirectory> ScratchDirectory::create(const std::string &prefix) {
  std::error_code failed;
  std::filesystem::path parent = std::filesystem::temp_directory_path(failed);
  if (!failed)
    removeAbandoned(parent, prefix);
  std::string path = (parent / (prefix + "XXXXXX")).string();
  if (failed || !mkdtemp(path.data()))
    return makeError(ErrorCode::Unavailable, "no temporary directory can be made: {}; set TMPDIR to a writable one",
                     failed ? failed.message() : std::strerror(errno));
  // Locked before it has its name: nobody finds it free meanwhile.
  const std::string making = path + "/making";
  int lock = open(making.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    (void)std::rename(making.c_str(), (path + kLock).c_str());
  return ScratchDirectory(std::move(path), lock);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!directory.empty())
    std::filesystem::remove_all(directory, ignored);
  if (lock >= 0)
    close(lock);
}

} // namespace lacuna::tools
