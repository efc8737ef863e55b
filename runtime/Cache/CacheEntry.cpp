#include "lacuna/Runtime/CacheEntry.h"

#include "ByteStream.h"

#include <cstring>

namespace lacuna::runtime {
namespace {

constexpr std::string_view kMagic = "lacuna\r\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 80, kChecksumBytes = sizeof(Checksum);
constexpr uint32_t kCubin = 1, kPtx = 2;
constexpr std::string_view kElfMagic = "\x7f"
                                       "ELF";

template <class Bytes> std::string_view asView(const Bytes &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// The parts of an entry whose sizes and checksum are right.
struct Parts {
  uint32_t imageKind = 0;
  Sha256 digest = {};
  std::string_view target, symbol, metadata, record, fields, image;
};

tl::expected<Parts, EntryFault> split(std::string_view bytes) {
  if (bytes.size() >= kMagic.size() && bytes.substr(0, kMagic.size()) != kMagic)
    return tl::unexpected(EntryFault::NotAnEntry);
  if (bytes.size() < kHeaderBytes + kChecksumBytes)
    return tl::unexpected(EntryFault::Truncated);
  ByteReader reader(bytes.substr(0, bytes.size() - kChecksumBytes));
  (void)reader.bytes(kMagic.size());
  if (reader.number<uint32_t>() != kVersion)
    return tl::unexpected(EntryFault::OtherVersion);
  Parts parts;
  parts.imageKind = reader.number<uint32_t>();
  std::memcpy(parts.digest.data(), reader.bytes(parts.digest.size()).data(), parts.digest.size());
  uint64_t sizes[6];
  for (size_t index = 0; index < 4; ++index)
    sizes[index] = reader.number<uint32_t>();
  sizes[4] = reader.number<uint64_t>();
  sizes[5] = reader.number<uint64_t>();
  std::string_view *views[] = {&parts.target, &parts.symbol, &parts.metadata,
                               &parts.record, &parts.fields, &parts.image};
  for (size_t index = 0; index < std::size(views); ++index)
    *views[index] = reader.bytes(sizes[index]);
  if (!reader.ok() || !reader.atEnd())
    return tl::unexpected(EntryFault::Truncated);
  if (asView(checksum128(bytes.substr(0, bytes.size() - kChecksumBytes))) !=
      bytes.substr(bytes.size() - kChecksumBytes))
    return tl::unexpected(EntryFault::Damaged);
  return parts;
}

tl::expected<CacheEntry, EntryFault> readParts(const Parts &parts) {
  Expected<LaunchMetadata> metadata = LaunchMetadata::fromJson(parts.metadata);
  bool isCubin = parts.imageKind == kCubin;
  if (!metadata || metadata->target != parts.target || metadata->symbol != parts.symbol || parts.image.empty() ||
      (!isCubin && parts.imageKind != kPtx) || isCubin != parts.image.starts_with(kElfMagic))
    return tl::unexpected(EntryFault::BadContents);
  return CacheEntry{std::move(*metadata), std::string(parts.image), isCubin, std::string(parts.record)};
}

} // namespace

std::string encodeEntry(const CacheKey &key, const CacheEntry &entry) {
  const std::string metadata = entry.metadata.toJson();
  std::string bytes;
  bytes.reserve(kHeaderBytes + metadata.size() + entry.record.size() + key.fields.size() + entry.image.size() + 256);
  bytes += kMagic;
  appendNumber(bytes, kVersion);
  appendNumber(bytes, entry.isCubin ? kCubin : kPtx);
  bytes += asView(key.digest);
  for (const std::string *part : {&entry.metadata.target, &entry.metadata.symbol, &metadata, &entry.record})
    appendNumber(bytes, static_cast<uint32_t>(part->size()));
  for (const std::string *part : {&key.fields, &entry.image})
    appendNumber(bytes, static_cast<uint64_t>(part->size()));
  for (const std::string *part :
       {&entry.metadata.target, &entry.metadata.symbol, &metadata, &entry.record, &key.fields, &entry.image})
    bytes += *part;
  bytes += asView(checksum128(bytes));
  return bytes;
}

tl::expected<CacheEntry, EntryFault> decodeEntry(std::string_view bytes, const CacheKey &key) {
  auto parts = split(bytes);
  if (!parts)
    return tl::unexpected(parts.error());
  // Equal fields are more than an equal digest, and cost less than computing it.
  if (parts->digest != key.digest || parts->fields != key.fields)
    return tl::unexpected(EntryFault::OtherKey);
  return readParts(*parts);
}

tl::expected<KeyedEntry, EntryFault> decodeAnyEntry(std::string_view bytes) {
  auto parts = split(bytes);
  if (!parts)
    return tl::unexpected(parts.error());
  if (sha256(parts->fields) != parts->digest)
    return tl::unexpected(EntryFault::OtherKey);
  if (!readKeyFields(parts->fields))
    return tl::unexpected(EntryFault::BadContents);
  auto entry = readParts(*parts);
  if (!entry)
    return tl::unexpected(entry.error());
  return KeyedEntry{{parts->digest, std::string(parts->fields)}, std::move(*entry)};
}

} // namespace lacuna::runtime
