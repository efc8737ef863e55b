//===- CacheKey.h - What a compiled kernel depends on -----------*- C++ -*-===//
//
// A key is a list of named fields and their SHA-256. Everything that can change the generated code is a field; what
// cannot (the directory, the user, the time, which GPU of several) is none.
//
//   CacheKey key = CacheKeyBuilder().text("source", text).table("params", {{"D", "128"}}).flag("fast", true).finish();
//   key.hex();    // "3f9a…", the entry's name
//   key.fields;   // the fields themselves, which the entry keeps: `lacuna cache explain` compares them
//
// The bytes that are hashed, all numbers little-endian:
//
//   fields := { field }
//   field  := type:u8 nameLength:u32 name valueLength:u64 value
//   type   := 't' text | 'n' number, 8 bytes | 'f' flag, 1 byte
//
// Type and lengths stand before the bytes, so that no two different lists of fields give the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_CACHEKEY_H
#define LACUNA_RUNTIME_CACHEKEY_H

#include "lacuna/Runtime/Error.h"
#include "lacuna/Runtime/Hash.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::runtime {

/// Thread safety: a value.
struct CacheKey {
  Sha256 digest = {};
  std::string fields; ///< as hashed

  /// The digest as 64 hexadecimal digits.
  std::string hex() const { return toHex(digest.data(), digest.size()); }
};

/// Collects the fields of a key. The order of the calls matters. Thread safety: one thread at a time.
class CacheKeyBuilder {
public:
  CacheKeyBuilder &text(std::string_view name, std::string_view value);
  CacheKeyBuilder &number(std::string_view name, int64_t value);
  CacheKeyBuilder &flag(std::string_view name, bool value);
  /// One text field a row, named "name.row".
  CacheKeyBuilder &table(std::string_view name, const std::map<std::string, std::string> &rows);

  /// The bytes so far.
  const std::string &bytes() const { return fields; }
  CacheKey finish() const;

private:
  void add(char type, std::string_view name, std::string_view value);
  std::string fields;
};

/// A field for a person to read.
struct KeyField {
  std::string name, value;
  bool operator==(const KeyField &) const = default;
};

/// Reads CacheKey::fields. Errors: ParseError for bytes that are not such a list.
Expected<std::vector<KeyField>> readKeyFields(std::string_view bytes);

/// A field that two keys do not share, or in which they differ.
struct KeyDifference {
  std::string name;
  std::optional<std::string> left, right; ///< nothing: that key has no such field
};

/// Why two keys are not the same, in the order of their fields; empty for equal ones.
std::vector<KeyDifference> compareKeyFields(const std::vector<KeyField> &left, const std::vector<KeyField> &right);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_CACHEKEY_H
