#include "lacuna/Runtime/Log.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace lacuna::runtime {
namespace {

constexpr std::string_view kLevelNames[] = {"off", "error", "warn", "info", "debug"};

std::optional<LogLevel> parseLevel(std::string_view name) {
  for (int level = 0; level <= static_cast<int>(LogLevel::Debug); ++level)
    if (kLevelNames[level] == name)
      return static_cast<LogLevel>(level);
  return std::nullopt;
}

void writeLine(std::string_view category, LogLevel level, std::string_view message) {
  std::string line = fmt::format("lacuna: {}: {}: {}\n", kLevelNames[static_cast<int>(level)], category, message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

/// LACUNA_LOG, read at the first message of the process.
const LogFilter &processFilter() {
  static const LogFilter filter = [] {
    const char *text = std::getenv("LACUNA_LOG");
    Expected<LogFilter> parsed = LogFilter::parse(text ? text : "");
    if (parsed)
      return *parsed;
    writeLine("log", LogLevel::Warn, parsed.error().message);
    return LogFilter();
  }();
  return filter;
}

} // namespace

Expected<LogFilter> LogFilter::parse(std::string_view text) {
  LogFilter filter;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    size_t equals = entry.find('=');
    std::string_view levelName = equals == std::string_view::npos ? entry : entry.substr(equals + 1);
    std::optional<LogLevel> level = parseLevel(levelName);
    if (!level || equals == 0)
      return makeError(ErrorCode::InvalidArgument,
                       "LACUNA_LOG has the entry '{}'; write LEVEL or CATEGORY=LEVEL, where LEVEL is off, error, warn, "
                       "info or debug",
                       entry);
    if (equals == std::string_view::npos)
      filter.general = *level;
    else
      filter.categories.emplace_back(entry.substr(0, equals), *level);
  }
  return filter;
}

bool LogFilter::enabled(std::string_view category, LogLevel level) const {
  LogLevel limit = general;
  for (const auto &[name, categoryLevel] : categories)
    if (name == category)
      limit = categoryLevel;
  return level != LogLevel::Off && level <= limit;
}

bool logEnabled(std::string_view category, LogLevel level) {
  return processFilter().enabled(category, level);
}

void logMessage(std::string_view category, LogLevel level, std::string_view message) {
  if (logEnabled(category, level))
    writeLine(category, level, message);
}

} // namespace lacuna::runtime
