#include "lacuna/Autotune/Exchange.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <tuple>

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
    if (!json.is_object() || !json.contains(name)) {
      if (required)
        note(fmt::format("lacks '{}'", name));
      return "";
    }
    if (!json[name].is_string()) {
      note(fmt::format("has a '{}' that is no text", name));
      return "";
    }
    return json[name].get<std::string>();
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
    if (!json.is_object() || !json.contains(name))
      return 0;
    if (!json[name].is_number()) {
      note(fmt::format("has a '{}' that is no number", name));
      return 0;
    }
    double value = json[name].get<double>();
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
  void note(const std::string &what) {
    if (mistake.empty())
      mistake = place + " " + what;
  }
  std::string mistake;

private:
  const Json &json;
  std::string place;
};

template <class Record> auto identity(const Record &record) {
  return std::tie(record.key.kernel, record.key.hash, record.key.machine, record.key.limits, record.key.assembler,
                  record.shape);
}

} // namespace

std::string recordsToJson(const Records &records) {
  Json json;
  json["format"] = kFormatName;
  json["version"] = kVersion;
  json["winners"] = Json::array();
  for (const WinnerRecord &record : records.winners) {
    Writer writer;
    writer.key(record.key);
    writer.text("shape", record.shape);
    writer.text("point", settingsText(record.point));
    writer.text("source", record.source);
    writer.number("us", record.microseconds);
    writer.number("preset_us", record.presetMicroseconds);
    writer.number("time", static_cast<double>(record.time));
    json["winners"].push_back(std::move(writer.json));
  }
  json["points"] = Json::array();
  for (const PointRecord &record : records.points) {
    Writer writer;
    writer.key(record.key);
    writer.text("shape", record.shape);
    writer.text("point", settingsText(record.point));
    writer.text("status", std::string(statusName(record.status)));
    writer.text("kind", record.kind);
    writer.text("reason", record.reason);
    writer.number("predicted", record.predicted);
    writer.number("us", record.microseconds);
    writer.number("preset_us", record.presetMicroseconds);
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
    record.key = reader.key();
    record.shape = reader.text("shape", true);
    record.point = reader.point();
    record.source = reader.text("source");
    record.microseconds = reader.number("us");
    record.presetMicroseconds = reader.number("preset_us");
    record.time = reader.time();
    if (!reader.mistake.empty())
      return refuse(reader.mistake);
    records.winners.push_back(std::move(record));
  }
  for (const Json &entry : json.value("points", Json::array())) {
    Reader reader(entry, fmt::format("point {}", records.points.size() + 1));
    PointRecord record;
    record.key = reader.key();
    record.shape = reader.text("shape", true);
    record.point = reader.point();
    std::string status = reader.text("status", true);
    if (auto known = parseStatus(status))
      record.status = *known;
    else
      reader.note(fmt::format("has the status '{}'; it may be dropped, failed, lost or measured", status));
    record.kind = reader.text("kind");
    record.reason = reader.text("reason");
    record.predicted = reader.number("predicted");
    record.microseconds = reader.number("us");
    record.presetMicroseconds = reader.number("preset_us");
    record.spread = reader.number("spread");
    record.time = reader.time();
    if (!reader.mistake.empty())
      return refuse(reader.mistake);
    records.points.push_back(std::move(record));
  }
  return records;
}

Expected<Records> exportRecords(Database &database) {
  Records records;
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
  auto idOf = [](const auto &record, bool withPoint) {
    std::string id;
    std::apply([&](const auto &...parts) { ((id += parts, id += '\n'), ...); }, identity(record));
    return withPoint ? id + settingsText(record.point) : id;
  };
  for (const WinnerRecord &record : present->winners)
    times["w" + idOf(record, false)] = record.time;
  for (const PointRecord &record : present->points)
    times["p" + idOf(record, true)] = record.time;
  MergeCounts counts;
  auto merge = [&](const auto &record, const std::string &id) -> Expected<void> {
    auto known = times.find(id);
    if (known != times.end() && known->second >= record.time) {
      ++counts.kept;
      return {};
    }
    ++counts.taken;
    times[id] = record.time;
    return database.put(record);
  };
  for (const WinnerRecord &record : records.winners)
    if (Expected<void> done = merge(record, "w" + idOf(record, false)); !done)
      return takeError(done);
  for (const PointRecord &record : records.points)
    if (Expected<void> done = merge(record, "p" + idOf(record, true)); !done)
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
