#include "lacuna/Autotune/TunedRecords.h"

#include "ShippedRecords.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <cmath>
#include <sys/stat.h>
#include <tuple>

namespace lacuna::autotune {

namespace {

bool isNumber(const std::string &text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// Patterns that behave alike.
std::string patternClass(const std::string &pattern) {
  std::string name = pattern.substr(0, pattern.find(':'));
  return name == "random" ? "lists" : name;
}

/// How well a record of class `record` serves one of class `wanted`; nothing: not at all.
std::optional<double> patternDistance(const std::string &wanted, const std::string &record) {
  constexpr double kNear = 20, kFar = 40; // Beyond any difference of sizes.
  if (wanted == record)
    return 0;
  if (wanted.empty()) // Whoever asks knows no pattern: any will do, dense first.
    return record == "dense" ? 0 : kNear;
  if (wanted == "window" && record == "causal")
    return kNear;
  if (wanted != "dense" && record == "dense")
    return kFar;
  return std::nullopt;
}

std::optional<double> distanceOf(const Shape &wanted, const Shape &record) {
  constexpr double kOtherType = 2;
  double distance = 0;
  for (const auto &[name, value] : record.params) {
    auto given = wanted.params.find(name);
    if (given == wanted.params.end() || given->second == value)
      continue;
    if (isNumber(value))
      return std::nullopt;
    distance += kOtherType;
  }
  // A number that the record does not fix was another value than the asker's, or the default: not comparable.
  for (const auto &[name, value] : wanted.params)
    if (isNumber(value) && !record.params.contains(name))
      return std::nullopt;
  std::optional<double> pattern = patternDistance(patternClass(wanted.pattern), patternClass(record.pattern));
  if (!pattern || (record.block && wanted.block != record.block))
    return std::nullopt;
  distance += *pattern;
  for (const auto &[name, extent] : record.dims)
    if (auto given = wanted.dims.find(name); given != wanted.dims.end())
      distance += std::abs(std::log2(static_cast<double>(given->second) / static_cast<double>(extent)));
  return distance;
}

} // namespace

std::vector<WinnerRecord> TunedRecords::shipped() {
  Expected<Records> records = recordsFromJson("autotune/records/h200.json", kShippedRecords);
  if (records)
    return std::move(records->winners);
  runtime::log("tuning", runtime::LogLevel::Error, "{}", records.error().render());
  return {};
}

TunedRecords TunedRecords::load() {
  std::vector<WinnerRecord> winners;
  bool complete = true;
  if (std::optional<std::string> path = userDatabasePath()) {
    Expected<Database> database = Database::openToRead(*path);
    Expected<std::vector<WinnerRecord>> own = database ? database->allWinners() : takeError(database);
    if (own)
      winners = std::move(*own);
    else if (own.error().code != ErrorCode::NotFound) {
      complete = false;
      runtime::log("tuning", runtime::LogLevel::Warn, "{}", own.error().render());
    }
  }
  for (WinnerRecord &record : shipped())
    winners.push_back(std::move(record));
  TunedRecords records(std::move(winners));
  records.complete = complete;
  return records;
}

std::string TunedRecords::stamp() {
  std::optional<std::string> path = userDatabasePath();
  std::string stamp = path.value_or("none");
  struct stat status;
  for (const char *suffix : {"", "-wal"}) // What was committed last may lie beside the file alone.
    if (path && stat((*path + suffix).c_str(), &status) == 0)
      stamp +=
          fmt::format(" {}:{}:{}.{:09}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return stamp;
}

/// Shipped records do not say their limits: they are of sm_90a.
static bool isOfTarget(const WinnerRecord &record, const std::string &target) {
  if (record.key.limits.empty())
    return target == "sm_90a";
  return record.key.limits == target || record.key.limits.starts_with(target + ",");
}

std::vector<TunedChoice> TunedRecords::find(const TuningQuestion &question) const {
  // At equal distance: the user's own before shipped ones, those of the present assembler, the newest.
  using Rank = std::tuple<double, bool, bool, int64_t>;
  std::vector<std::pair<Rank, TunedChoice>> ranked;
  for (const WinnerRecord &record : winners) {
    if (record.key.kernel != question.kernel || record.key.machine != question.machine ||
        !isOfTarget(record, question.target))
      continue;
    if (!record.key.hash.empty() && record.key.hash != question.hash)
      continue;
    Expected<Shape> shape = readShapeText(record.shape, question.dims);
    if (!shape)
      continue;
    if (std::optional<double> distance = distanceOf(question.shape, *shape))
      ranked.emplace_back(Rank{*distance, record.key.hash.empty(),
                               !question.assembler.empty() && record.key.assembler != question.assembler, -record.time},
                          TunedChoice{record.point, fmt::format("tuned on {} ({})", record.key.machine, record.shape),
                                      shape->pattern, *distance});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  std::vector<TunedChoice> choices;
  for (auto &[rank, choice] : ranked)
    choices.push_back(std::move(choice));
  return choices;
}

} // namespace lacuna::autotune
