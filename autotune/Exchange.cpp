#include "lacuna/Autotune/Exchange.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <map>

namespace lacuna::autotune {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormatName = "lacuna-tuning";
constexpr int kVersion = 1;

/// Leaves out what says nothing.
class Writer {
public:
  void text(const char *name, const std::string &value) {
    if (!value.empty())
      json[name] = value;
  }
  void number(const char *name, double value) {
    if (value != 0)
      json[name] = value;
  }
  void key(const RecordKey &key) {
    text("kernel", key.kernel);
    text("hash", key.hash);
    text("machine", key.machine);
    text("limits", key.limits);
    text("assembler", key.assembler);
  }
  /// What both kinds of records begin with.
  void subject(const auto &record) {
    key(record.key);
    text("shape", record.shape);
    text("point", settingsText(record.point));
  }
  void times(const auto &record) {
    number("us", record.microseconds);
    number("preset_us", record.presetMicroseconds);
  }
  Json json = Json::object();
};

/// Reads fields, and keeps the first mistake.
class Reader {
public:
  Reader(const Json &json, std::string place) : json(json), place(std::move(place)) {
    if (!json.is_object())
      mistake = this->place + " is no object";
  }
  std::string text(const char *name, bool required = false) {
    const Json *field = find(name, &Json::is_string, "text", required);
    return field ? field->get<std::string>() : "";
  }
  /// Seconds since 1970; far more than any clock says, and what a double holds exactly.
  int64_t time() {
    constexpr double kLatest = 1e12;
    double seconds = number("time");
    if (seconds > kLatest || seconds != std::floor(seconds)) {
      note(fmt::format("has the 'time' {}; it must be whole seconds since 1970, up to {:.0f}", seconds, kLatest));
      return 0;
    }
    return static_cast<int64_t>(seconds);
  }
  /// No figure of a record is negative.
  double number(const char *name) {
    const Json *field = find(name, &Json::is_number, "number", /*required=*/false);
    if (!field)
      return 0;
    double value = field->get<double>();
    if (!std::isfinite(value) || value < 0) {
      note(fmt::format("has the '{}' {}; it must be 0 or more", name, value));
      return 0;
    }
    return value;
  }
  RecordKey key() {
    return {text("kernel", true), text("hash"), text("machine", true), text("limits"), text("assembler")};
  }
  Point point() {
    Expected<Settings> point = parseSettings(text("point", true));
    if (!point)
      note(fmt::format("has a 'point' where {}", point.error().message));
    return point ? std::move(*point) : Point();
  }
  /// What both kinds of records begin with.
  void subject(auto &record) {
    record.key = key();
    record.shape = text("shape", true);
    record.point = point();
  }
  void times(auto &record) {
    record.microseconds = number("us");
    record.presetMicroseconds = number("preset_us");
  }
  void note(const std::string &what) {
    if (mistake.empty())
      mistake = place + " " + what;
  }
  std::string mistake;

private:
  /// The field of that name, if there is one of that type.
  const Json *find(const char *name, bool (Json::*isType)() const, const char *type, bool required) {
    auto field = json.is_object() ? json.find(name) : json.end();
    if (field == json.end()) {
      if (required)
        note(fmt::format("lacks '{}'", name));
      return nullptr;
    }
    if (((*field).*isType)())
      return &*field;
    note(fmt::format("has a '{}' that is no {}", name, type));
    return nullptr;
  }

  const Json &json;
  std::string place;
};

/// What a record is of; winners have one for each case, points for each of its points.
std::string caseOf(const auto &record) {
  const RecordKey &key = record.key;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", key.kernel, key.hash, key.machine, key.limits, key.assembler,
                     record.shape);
}
std::string idOf(const WinnerRecord &record) {
  return "winner\n" + caseOf(record);
}
std::string idOf(const PointRecord &record) {
  return "point\n" + caseOf(record) + settingsText(record.point);
}

} // namespace

std::string recordsToJson(const Records &records) {
  Json json;
  json["format"] = kFormatName;
  json["version"] = kVersion;
  json["winners"] = Json::array();
  for (const WinnerRecord &record : records.winners) {
    Writer writer;
    writer.subject(record);
    writer.text("source", record.source);
    writer.times(record);
    writer.number("time", static_cast<double>(record.time));
    json["winners"].push_back(std::move(writer.json));
  }
  json["points"] = Json::array();
  for (const PointRecord &record : records.points) {
    Writer writer;
    writer.subject(record);
    writer.text("status", std::string(statusName(record.status)));
    writer.text("kind", record.kind);
    writer.text("reason", record.reason);
    writer.number("predicted", record.predicted);
    writer.times(record);
    writer.number("spread", record.spread);
    writer.number("time", static_cast<double>(record.time));
    json["points"].push_back(std::move(writer.json));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<Records> recordsFromJson(const std::string &name, std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object() || json.value("format", Json()) != kFormatName)
    return makeError(ErrorCode::ParseError,
                     "{} holds no tuning records: it must be a JSON object with \"format\": \"{}\", as `lacuna tune "
                     "--export` writes",
                     name, kFormatName);
  if (Json version = json.value("version", Json()); version != kVersion)
    return makeError(ErrorCode::Incompatible, "{} has version {} of the records, and this program reads version {}",
                     name, version.dump(), kVersion);
  Records records;
  for (const char *list : {"winners", "points"})
    if (json.contains(list) && !json[list].is_array())
      return makeError(ErrorCode::ParseError, "{}: '{}' is no list", name, list);
  auto refuse = [&](const std::string &mistake) { return makeError(ErrorCode::ParseError, "{}: {}", name, mistake); };
  for (const Json &entry : json.value("winners", Json::array())) {
    Reader reader(entry, fmt::format("winner {}", records.winners.size() + 1));
    WinnerRecord record;
    reader.subject(record);
    record.source = reader.text("source");
    reader.times(record);
    record.time = reader.time();
    if (!reader.mistake.empty())
      return refuse(reader.mistake);
    records.winners.push_back(std::move(record));
  }
  for (const Json &entry : json.value("points", Json::array())) {
    Reader reader(entry, fmt::format("point {}", records.points.size() + 1));
    PointRecord record;
    reader.subject(record);
    std::string status = reader.text("status", true);
    if (auto known = parseStatus(status))
      record.status = *known;
    else
      reader.note(fmt::format("has the status '{}'; it may be dropped, failed, lost or measured", status));
    record.kind = reader.text("kind");
    record.reason = reader.text("reason");
    record.predicted = reader.number("predicted");
    reader.times(record);
    record.spread = reader.number("spread");
    record.time = reader.time();
    if (!reader.mistake.empty())
      return refuse(reader.mistake);
    records.points.push_back(std::move(record));
  }
  return records;
}

Expected<Records> exportRecords(Database &database) {
  Expected<std::vector<WinnerRecord>> winners = database.allWinners();
  if (!winners)
    return takeError(winners);
  Expected<std::vector<PointRecord>> points = database.allPoints();
  if (!points)
    return takeError(points);
  return Records{std::move(*winners), std::move(*points)};
}

static Expected<MergeCounts> mergeEach(Database &database, const Records &records) {
  Expected<Records> present = exportRecords(database);
  if (!present)
    return takeError(present);
  std::map<std::string, int64_t> times;
  for (const WinnerRecord &record : present->winners)
    times[idOf(record)] = record.time;
  for (const PointRecord &record : present->points)
    times[idOf(record)] = record.time;
  MergeCounts counts;
  auto merge = [&](const auto &record) -> Expected<void> {
    auto [known, isNew] = times.try_emplace(idOf(record), record.time);
    if (!isNew && known->second >= record.time) {
      ++counts.kept;
      return {};
    }
    ++counts.taken;
    known->second = record.time;
    return database.put(record);
  };
  for (const WinnerRecord &record : records.winners)
    if (Expected<void> done = merge(record); !done)
      return takeError(done);
  for (const PointRecord &record : records.points)
    if (Expected<void> done = merge(record); !done)
      return takeError(done);
  return counts;
}

Expected<MergeCounts> mergeRecords(Database &database, const Records &records) {
  MergeCounts counts;
  Expected<void> done = database.together([&]() -> Expected<void> {
    Expected<MergeCounts> merged = mergeEach(database, records);
    if (!merged)
      return takeError(merged);
    counts = *merged;
    return {};
  });
  if (!done)
    return takeError(done);
  return counts;
}

} // namespace lacuna::autotune
