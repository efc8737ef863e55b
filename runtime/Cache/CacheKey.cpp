#include "lacuna/Runtime/CacheKey.h"

#include "ByteStream.h"

#include <algorithm>

namespace lacuna::runtime {

void CacheKeyBuilder::add(char type, std::string_view name, std::string_view value) {
  fields += type;
  appendNumber(fields, static_cast<uint32_t>(name.size()));
  fields += name;
  appendNumber(fields, static_cast<uint64_t>(value.size()));
  fields += value;
}

CacheKeyBuilder &CacheKeyBuilder::text(std::string_view name, std::string_view value) {
  add('t', name, value);
  return *this;
}

CacheKeyBuilder &CacheKeyBuilder::number(std::string_view name, int64_t value) {
  std::string bytes;
  appendNumber(bytes, static_cast<uint64_t>(value));
  add('n', name, bytes);
  return *this;
}

CacheKeyBuilder &CacheKeyBuilder::flag(std::string_view name, bool value) {
  add('f', name, value ? std::string_view("\1", 1) : std::string_view("\0", 1));
  return *this;
}

CacheKeyBuilder &CacheKeyBuilder::table(std::string_view name, const std::map<std::string, std::string> &rows) {
  std::string full;
  for (const auto &[row, value] : rows) {
    full.assign(name).append(1, '.').append(row);
    text(full, value);
  }
  return *this;
}

CacheKey CacheKeyBuilder::finish() const {
  return {sha256(fields), fields};
}

Expected<std::vector<KeyField>> readKeyFields(std::string_view bytes) {
  std::vector<KeyField> fields;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.atEnd()) {
    auto type = static_cast<char>(reader.number<uint8_t>());
    std::string name(reader.bytes(reader.number<uint32_t>()));
    std::string_view value = reader.bytes(reader.number<uint64_t>());
    std::string shown(value);
    bool known = type == 't';
    if (type == 'n' && value.size() == 8) {
      known = true;
      shown = fmt::format("{}", static_cast<int64_t>(ByteReader(value).number<uint64_t>()));
    } else if (type == 'f' && value.size() == 1 && static_cast<uint8_t>(value[0]) <= 1) {
      known = true;
      shown = value[0] ? "true" : "false";
    }
    if (!reader.ok() || !known)
      return makeError(ErrorCode::ParseError, "the fields of a key are cut off or damaged in field {}",
                       fields.size() + 1);
    fields.push_back({std::move(name), std::move(shown)});
  }
  return fields;
}

std::vector<KeyDifference> compareKeyFields(const std::vector<KeyField> &left, const std::vector<KeyField> &right) {
  auto find = [](const std::vector<KeyField> &fields, const std::string &name) -> std::optional<std::string> {
    auto found = std::find_if(fields.begin(), fields.end(), [&](const KeyField &field) { return field.name == name; });
    return found == fields.end() ? std::nullopt : std::optional(found->value);
  };
  std::vector<KeyDifference> differences;
  for (const KeyField &field : left)
    if (std::optional<std::string> other = find(right, field.name); other != field.value)
      differences.push_back({field.name, field.value, std::move(other)});
  for (const KeyField &field : right)
    if (!find(left, field.name))
      differences.push_back({field.name, std::nullopt, field.value});
  return differences;
}

} // namespace lacuna::runtime
