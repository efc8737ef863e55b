//===- CacheEntry.h - One compiled kernel as one file -----------*- C++ -*-===//
//
// An entry holds all that a launch needs and all that tells whether it is what was asked for. Numbers are
// little-endian.
//
//   entry     := header target symbol metadata record fields image checksum
//   header    := magic:8 version:u32 imageKind:u32 digest:32 sizes           80 bytes
//   magic     := "lacuna\r\n"                    a transfer as text destroys it
//   version   := 1
//   imageKind := 1 cubin | 2 PTX text, which the driver assembles
//   digest    := SHA-256 of fields; the file's name is its 64 hexadecimal digits and ".lac"
//   sizes     := target:u32 symbol:u32 metadata:u32 record:u32 fields:u64 image:u64     bytes of each part
//   target    := what the image is for, "sm_90a"
//   symbol    := the entry point in the image
//   metadata  := LaunchMetadata::toJson
//   record    := what the compiler reports of the kernel; its own text, not looked into here
//   fields    := the fields of the key (CacheKey.h)
//   image     := the cubin, or PTX without a final zero
//   checksum  := XXH3 of 128 bits of all bytes before it, canonical byte order           16 bytes
//
// Reading trusts nothing: every size is checked before it is used, and the whole before any part is handed out.
// Nothing of an entry is ever executed on the host.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_CACHEENTRY_H
#define LACUNA_RUNTIME_CACHEENTRY_H

#include "lacuna/Runtime/CacheKey.h"
#include "lacuna/Runtime/LaunchMetadata.h"

#include <string>
#include <string_view>

namespace lacuna::runtime {

/// Thread safety: a value.
struct CacheEntry {
  LaunchMetadata metadata; ///< with target and symbol
  std::string image;
  bool isCubin = false; ///< else PTX
  std::string record = {};
  bool operator==(const CacheEntry &) const = default;
};

/// Why bytes are not the entry that was asked for.
enum class EntryFault {
  Truncated,    ///< fewer or more bytes than the sizes say
  NotAnEntry,   ///< no magic
  OtherVersion, ///< of the format
  Damaged,      ///< the checksum does not fit
  OtherKey,     ///< for another key than the one asked for, or than its name says
  BadContents,  ///< a part that is not what it should be, under a checksum that fits
};

/// The file's bytes. Equal keys and entries give equal bytes.
std::string encodeEntry(const CacheKey &key, const CacheEntry &entry);

/// The reverse, for the key that was asked for.
tl::expected<CacheEntry, EntryFault> decodeEntry(std::string_view bytes, const CacheKey &key);

/// An entry with its key, which is checked against its fields; for tools that go over whole directories.
struct KeyedEntry {
  CacheKey key;
  CacheEntry entry;
};
tl::expected<KeyedEntry, EntryFault> decodeAnyEntry(std::string_view bytes);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_CACHEENTRY_H
