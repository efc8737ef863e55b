//===- Log.h - The one log sink: stderr -------------------------*- C++ -*-===//
//
// LACUNA_LOG chooses what is printed: a level for everything, then exceptions by category, separated by commas:
//
//   LACUNA_LOG=warn              warnings and errors (the default)
//   LACUNA_LOG=warn,driver=debug the same, and all that the driver layer says
//   LACUNA_LOG=off
//
// Levels: off, error, warn, info, debug. Nothing is ever logged to stdout, and nothing on the launch path.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_LOG_H
#define LACUNA_RUNTIME_LOG_H

#include "lacuna/Runtime/Error.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lacuna::runtime {

enum class LogLevel { Off, Error, Warn, Info, Debug };

/// What LACUNA_LOG lets through. Thread safety: immutable.
class LogFilter {
public:
  /// Errors: InvalidArgument for an unknown level or a malformed entry, naming the allowed levels.
  static Expected<LogFilter> parse(std::string_view text);
  bool enabled(std::string_view category, LogLevel level) const;

private:
  LogLevel general = LogLevel::Warn;
  std::vector<std::pair<std::string, LogLevel>> categories;
};

/// Whether the process's filter (LACUNA_LOG, read once) lets a message through.
bool logEnabled(std::string_view category, LogLevel level);

/// Prints "lacuna: level: category: message" as one write to stderr. Thread safety: any thread.
void logMessage(std::string_view category, LogLevel level, std::string_view message);

template <class... Args>
void log(std::string_view category, LogLevel level, fmt::format_string<Args...> format, Args &&...args) {
  if (logEnabled(category, level))
    logMessage(category, level, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_LOG_H
