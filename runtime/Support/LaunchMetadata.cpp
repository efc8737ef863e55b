#include "lacuna/Runtime/LaunchMetadata.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace lacuna::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 4;
constexpr std::string_view kKindNames[] = {"view", "blocks", "scalar"};

Json toJsonValue(const Extent &extent) {
  return extent.symbol.empty() ? Json(extent.value) : Json(extent.symbol);
}

Json toJsonValue(const Argument &argument) {
  Json json;
  json["name"] = argument.name;
  json["kind"] = kKindNames[static_cast<int>(argument.kind)];
  json["dtype"] = dtypeName(argument.dtype);
  json["shape"] = Json::array();
  for (const Extent &extent : argument.shape)
    json["shape"].push_back(toJsonValue(extent));
  json["output"] = argument.output;
  json["query_block"] = argument.queryBlock;
  json["key_block"] = argument.keyBlock;
  json["alignment"] = argument.alignment;
  return json;
}

/// Reads fields of one JSON object; the first failure stays in `error`, later reads do nothing. nlohmann's own
/// exceptions cannot arise: every type is checked before it is taken.
class Reader {
public:
  Reader(const Json &json, std::string path, std::string &error) : json(json), path(std::move(path)), error(error) {
    if (!json.is_object())
      fail("", "an object");
  }

  const Json *field(const char *key) {
    if (!error.empty())
      return nullptr;
    auto found = json.find(key);
    if (found != json.end())
      return &*found;
    fail(key, "a value, found nothing");
    return nullptr;
  }

  void read(const char *key, std::string &value) {
    if (const Json *found = field(key))
      found->is_string() ? void(value = found->get<std::string>()) : fail(key, "a string");
  }
  void read(const char *key, bool &value) {
    if (const Json *found = field(key))
      found->is_boolean() ? void(value = found->get<bool>()) : fail(key, "true or false");
  }
  void read(const char *key, int64_t &value) {
    if (const Json *found = field(key))
      if (!toInteger(*found, value))
        fail(key, "an integer of 64 bits");
  }
  void read(const char *key, int &value) {
    int64_t wide = 0;
    read(key, wide);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
      fail(key, "an integer of 32 bits");
    else
      value = static_cast<int>(wide);
  }

  /// Calls visit(element, its path) for each element of the array `key`.
  template <class Visit> void each(const char *key, Visit visit) {
    const Json *found = field(key);
    if (!found)
      return;
    if (!found->is_array())
      return fail(key, "an array");
    size_t index = 0;
    for (const Json &element : *found)
      visit(element, fmt::format("{}{}[{}]", path, key, index++));
  }

  void readStrings(const char *key, std::vector<std::string> &values) {
    each(key, [&](const Json &element, const std::string &) {
      element.is_string() ? values.push_back(element.get<std::string>()) : fail(key, "an array of strings");
    });
  }

  void fail(std::string_view key, std::string_view expected) {
    if (error.empty())
      error = fmt::format("'{}{}': expected {}", path, key, expected);
  }

  static bool toInteger(const Json &json, int64_t &value) {
    bool fits = json.is_number_integer() &&
                (!json.is_number_unsigned() || json.get<uint64_t>() <= uint64_t(std::numeric_limits<int64_t>::max()));
    if (fits)
      value = json.get<int64_t>();
    return fits;
  }

  const Json &json;
  std::string path;
  std::string &error;
};

void readArgument(const Json &json, const std::string &path, std::string &error, LaunchMetadata &metadata) {
  Reader reader(json, path + ".", error);
  Argument argument;
  std::string kind, dtype;
  reader.read("name", argument.name);
  reader.read("kind", kind);
  reader.read("dtype", dtype);
  auto known = std::find(std::begin(kKindNames), std::end(kKindNames), kind);
  if (known == std::end(kKindNames))
    reader.fail("kind", "view, blocks or scalar");
  else
    argument.kind = static_cast<Argument::Kind>(known - std::begin(kKindNames));
  if (Expected<DType> parsed = parseDType(dtype))
    argument.dtype = *parsed;
  else
    reader.fail("dtype", "bf16, f16, f32 or i32");
  reader.each("shape", [&](const Json &element, const std::string &) {
    Extent extent;
    if (element.is_string())
      extent.symbol = element.get<std::string>();
    else if (!Reader::toInteger(element, extent.value))
      reader.fail("shape", "names and integers");
    argument.shape.push_back(extent);
  });
  reader.read("output", argument.output);
  reader.read("query_block", argument.queryBlock);
  reader.read("key_block", argument.keyBlock);
  reader.read("alignment", argument.alignment);
  metadata.arguments.push_back(std::move(argument));
}

void readMetadata(const Json &json, std::string &error, LaunchMetadata &metadata) {
  Reader reader(json, "", error);
  int schema = 0;
  reader.read("schema", schema);
  if (schema != kSchema)
    reader.fail("schema", fmt::format("{}, found {}", kSchema, schema));
  reader.read("kernel", metadata.kernel);
  reader.read("symbol", metadata.symbol);
  reader.read("target", metadata.target);
  reader.read("processor", metadata.processor);
  reader.each("arguments",
              [&](const Json &element, const std::string &path) { readArgument(element, path, error, metadata); });
  reader.readStrings("dims", metadata.dims);
  reader.readStrings("grid", metadata.grid);
  reader.each("constraints", [&](const Json &element, const std::string &path) {
    Reader constraint(element, path + ".", error);
    constraint.read("expression", metadata.constraints.emplace_back().expression);
    constraint.read("source", metadata.constraints.back().source);
  });
  reader.readStrings("positive_scalars", metadata.positiveScalars);
  reader.read("threads", metadata.threads);
  reader.read("shared_bytes", metadata.sharedBytes);
  reader.read("persistent_blocks", metadata.persistentBlocks);
  reader.each("tensor_maps", [&](const Json &element, const std::string &path) {
    Reader map(element, path + ".", error);
    TensorMapSpec &spec = metadata.tensorMaps.emplace_back();
    map.read("argument", spec.argument);
    map.read("row_axis", spec.rowAxis);
    map.read("box_rows", spec.boxRows);
    map.read("outer_rows", spec.outerRows);
  });
}

} // namespace

std::string LaunchMetadata::toJson() const {
  Json json;
  json["schema"] = kSchema;
  json["kernel"] = kernel;
  json["symbol"] = symbol;
  json["target"] = target;
  json["processor"] = processor;
  json["arguments"] = Json::array();
  for (const Argument &argument : arguments)
    json["arguments"].push_back(toJsonValue(argument));
  json["dims"] = dims;
  json["grid"] = grid;
  json["constraints"] = Json::array();
  for (const Constraint &constraint : constraints)
    json["constraints"].push_back(Json{{"expression", constraint.expression}, {"source", constraint.source}});
  json["positive_scalars"] = positiveScalars;
  json["threads"] = threads;
  json["shared_bytes"] = sharedBytes;
  json["persistent_blocks"] = persistentBlocks;
  json["tensor_maps"] = Json::array();
  for (const TensorMapSpec &map : tensorMaps)
    json["tensor_maps"].push_back(Json{{"argument", map.argument},
                                       {"row_axis", map.rowAxis},
                                       {"box_rows", map.boxRows},
                                       {"outer_rows", map.outerRows}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Expected<LaunchMetadata> LaunchMetadata::fromJson(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return makeError(ErrorCode::ParseError, "launch metadata of {} bytes is not JSON", text.size());
  LaunchMetadata metadata;
  std::string error;
  readMetadata(json, error, metadata);
  if (!error.empty())
    return makeError(ErrorCode::ParseError,
                     "launch metadata, field {}; the entry was made by another version or is damaged", error);
  return metadata;
}

} // namespace lacuna::runtime
