// Whether what a command prints arrives.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lacuna::tools {

/// The exit status of a command that ends with `status`: 1 in place of 0 where standard output did not take all that
/// was written to it (a full disk, a closed descriptor), which is then told. The last thing that a process does.
inline int finishOutput(int status) {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return status;
  std::fprintf(stderr, "lacuna: cannot write to standard output%s%s; check where it goes and the space left there\n",
               errno ? ": " : "", errno ? std::strerror(errno) : "");
  return status == 0 ? 1 : status;
}

} // namespace lacuna::tools
