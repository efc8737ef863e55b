// Little-endian numbers and counted bytes, into and out of a string.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace lacuna::runtime {

template <std::unsigned_integral T> void appendNumber(std::string &bytes, T value) {
  for (size_t index = 0; index < sizeof(T); ++index)
    bytes += static_cast<char>(static_cast<uint64_t>(value) >> (8 * index));
}

/// Takes bytes from the front of a view. What goes past its end sets `failed` and gives nothing.
class ByteReader {
public:
  explicit ByteReader(std::string_view bytes) : rest(bytes) {}

  template <std::unsigned_integral T> T number() {
    uint64_t value = 0;
    std::string_view taken = bytes(sizeof(T));
    for (size_t index = 0; index < taken.size(); ++index)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(taken[index])) << (8 * index);
    return static_cast<T>(value);
  }

  std::string_view bytes(uint64_t count) {
    if (count > rest.size()) {
      failed = true;
      rest = {};
      return {};
    }
    std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }

  bool atEnd() const { return rest.empty(); }
  bool ok() const { return !failed; }

private:
  std::string_view rest;
  bool failed = false;
};

} // namespace lacuna::runtime
