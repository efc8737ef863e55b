// Preloaded (LD_PRELOAD) in front of the C library: counts the calls that change the file system, and lets one or all
// of a kind fail or be the process's last. By the environment:
//
//   LACUNA_FAULT_KIND    create, mkdir, write, fsync, rename, unlink, or all: the calls that count
//   LACUNA_FAULT_CALL    the number of the call to strike, from 1; 0: every one
//   LACUNA_FAULT_ACTION  an errno: the call fails with it
//                        kill: SIGKILL before the call; after: behind it; half-write: behind a write of half the bytes
//   LACUNA_FAULT_COUNT   a file that gets the number of calls when the process ends by itself
//   LACUNA_FAULT_EUID    geteuid() gives this
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <class Function> Function *next(const char *name) {
  return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

const char *setting(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

int calls = 0;
bool struck = false; ///< the call at hand

bool is(const char *action) {
  return std::strcmp(setting("LACUNA_FAULT_ACTION"), action) == 0;
}

[[noreturn]] void die() {
  ::raise(SIGKILL);
  std::abort();
}

/// Counts a call of `kind` and says whether it is the one to strike.
bool strikes(const char *kind) {
  const char *wanted = setting("LACUNA_FAULT_KIND");
  if (std::strcmp(wanted, "all") != 0 && std::strcmp(wanted, kind) != 0)
    return false;
  int call = std::atoi(setting("LACUNA_FAULT_CALL"));
  return struck = ++calls == call || call == 0;
}

/// Around a call: `real` does it.
template <class Real> auto around(const char *kind, Real real) -> decltype(real()) {
  if (!strikes(kind))
    return real();
  if (is("kill"))
    die();
  if (is("after") || is("half-write")) {
    (void)real();
    die();
  }
  if (int code = std::atoi(setting("LACUNA_FAULT_ACTION"))) {
    errno = code;
    return -1;
  }
  return real();
}

struct Count {
  ~Count() {
    if (const char *path = std::getenv("LACUNA_FAULT_COUNT"))
      if (FILE *file = std::fopen(path, "w")) {
        std::fprintf(file, "%d", calls);
        std::fclose(file);
      }
  }
} count;

} // namespace

extern "C" {

int openat(int directory, const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  auto real = [&] { return next<int(int, const char *, int, ...)>("openat")(directory, path, flags, mode); };
  return flags & O_CREAT ? around("create", real) : real();
}

int mkdir(const char *path, mode_t mode) {
  return around("mkdir", [&] { return next<int(const char *, mode_t)>("mkdir")(path, mode); });
}

int mkdirat(int directory, const char *path, mode_t mode) {
  return around("mkdir", [&] { return next<int(int, const char *, mode_t)>("mkdirat")(directory, path, mode); });
}

ssize_t write(int file, const void *bytes, size_t size) {
  auto *real = next<ssize_t(int, const void *, size_t)>("write");
  if (file <= 2)
    return real(file, bytes, size);
  return around("write", [&]() -> ssize_t { return real(file, bytes, is("half-write") && struck ? size / 2 : size); });
}

int fsync(int file) {
  return around("fsync", [&] { return next<int(int)>("fsync")(file); });
}

int renameat(int from, const char *path, int to, const char *name) {
  return around("rename",
                [&] { return next<int(int, const char *, int, const char *)>("renameat")(from, path, to, name); });
}

int unlinkat(int directory, const char *path, int flags) {
  return around("unlink", [&] { return next<int(int, const char *, int)>("unlinkat")(directory, path, flags); });
}

uid_t geteuid() {
  if (const char *text = std::getenv("LACUNA_FAULT_EUID"))
    return static_cast<uid_t>(std::atoi(text));
  return next<uid_t()>("geteuid")();
}
}
