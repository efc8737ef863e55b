//===- Hash.h - The two hashes of the cache ---------------------*- C++ -*-===//
//
// SHA-256 names what may come from anybody (two different requests must never share a name); XXH3 finds accidents and
// spreads keys over a table, and is some ten times faster.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_HASH_H
#define LACUNA_RUNTIME_HASH_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lacuna::runtime {

using Sha256 = std::array<uint8_t, 32>;
using Checksum = std::array<uint8_t, 16>;

/// SHA-256 (FIPS 180-4).
Sha256 sha256(std::string_view bytes);

/// XXH3 of 128 bits in its canonical byte order.
Checksum checksum128(std::string_view bytes);

/// XXH3 of 64 bits.
uint64_t hash64(std::string_view bytes);

/// Lower case, two digits a byte.
std::string toHex(const uint8_t *bytes, size_t count);

/// For unordered containers of strings, found by string_view too.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return hash64(text); }
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_HASH_H
