#include "lacuna/Runtime/Bundle.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace lacuna::runtime {

Expected<Bundle> Bundle::read(const std::string &path) {
  constexpr uintmax_t kLimit = uintmax_t(1) << 30;
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    return makeError(ErrorCode::NotFound, "cannot read the bundle '{}': there is no such file", path);
  if (!std::filesystem::is_regular_file(status))
    return makeError(ErrorCode::InvalidArgument, "cannot read the bundle '{}': it is not a regular file", path);
  if (uintmax_t size = std::filesystem::file_size(path, error); error || size > kLimit)
    return makeError(ErrorCode::InvalidArgument, "the bundle '{}' has {} bytes; at most {} are read", path, size,
                     kLimit);
  std::ifstream stream(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  if (!stream)
    return makeError(ErrorCode::NotFound, "cannot read the bundle '{}'; check its permissions", path);
  return parse(bytes, path);
}

Expected<void> Bundle::write(const std::string &path) const {
  auto failed = [&](int reason) {
    return makeError(ErrorCode::Unavailable, "cannot write the bundle '{}': {}; check the path and the space left",
                     path, std::strerror(reason));
  };
  std::string temporary = path + ".XXXXXX";
  int file = mkstemp(temporary.data());
  if (file < 0)
    return failed(errno);
  const std::string bytes = serialize();
  size_t written = 0;
  bool good = true;
  while (good && written < bytes.size()) {
    ssize_t step = ::write(file, bytes.data() + written, bytes.size() - written);
    good = step > 0 || (step < 0 && errno == EINTR);
    written += step > 0 ? static_cast<size_t>(step) : 0;
  }
  int reason = errno;
  good = good && fchmod(file, 0644) == 0;
  if (close(file) != 0 || !good || std::rename(temporary.c_str(), path.c_str()) != 0) {
    reason = good ? errno : reason;
    (void)unlink(temporary.c_str());
    return failed(reason);
  }
  return {};
}

} // namespace lacuna::runtime
