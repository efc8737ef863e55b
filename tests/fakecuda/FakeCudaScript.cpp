// LACUNA_FAKECUDA, and what is said of what is left.
#include "FakeCuda.h"

#include <cstdio>
#include <cstdlib>

namespace lacuna::runtime::fake {
namespace {

/// Reads "NAME@CALL:RESULT" or "CALL:RESULT"; false where it is neither.
bool readFailure(const std::string &value, bool named, State &state) {
  int call = 0, result = 0;
  if (!named) {
    if (std::sscanf(value.c_str(), "%d:%d", &call, &result) != 2)
      return false;
    state.failCall = call - 1;
  } else {
    size_t at = value.find('@');
    if (at == std::string::npos || std::sscanf(value.c_str() + at, "@%d:%d", &call, &result) != 2)
      return false;
    state.failFunction = value.substr(0, at);
    state.failAt = call;
  }
  state.failResult = static_cast<cu::Result>(result);
  return true;
}

bool apply(const std::string &key, const std::string &value, State &state) {
  if (key == "missing")
    return state.missingFunction = value, true;
  if (key == "fail" || key == "failcall")
    return readFailure(value, key == "fail", state);
  if (key == "capability")
    return std::sscanf(value.c_str(), "%d.%d", &state.major, &state.minor) == 2;
  if (key == "ptx" && value == "only")
    return state.refuse = Refuse::Cubins, true;
  if (key == "image" && value == "none")
    return state.refuse = Refuse::Everything, true;
  if (key == "report" && value == "leaks")
    return state.reportLeaks = true;
  if (key == "memory")
    return (state.memoryBytes = std::strtoull(value.c_str(), nullptr, 10)) != 0;
  const std::pair<const char *, int *> numbers[] = {{"version", &state.version},
                                                    {"devices", &state.deviceCount},
                                                    {"multiprocessors", &state.multiprocessors},
                                                    {"shared", &state.sharedBytes},
                                                    {"threads", &state.maxThreads}};
  for (auto [name, number] : numbers)
    if (key == name)
      return std::sscanf(value.c_str(), "%d", number) == 1;
  return false;
}

} // namespace

std::string State::script(std::string_view text) {
  while (!text.empty()) {
    std::string entry(text.substr(0, text.find(';')));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    entry.erase(0, entry.find_first_not_of(' '));
    size_t equals = entry.find('=');
    if (!entry.empty() &&
        (equals == std::string::npos || !apply(entry.substr(0, equals), entry.substr(equals + 1), *this)))
      return entry;
  }
  return "";
}

std::string State::leaks() const {
  std::string text;
  for (const auto &[kind, count] : live)
    if (count != 0)
      text += (text.empty() ? "" : ", ") + kind + ": " + std::to_string(count);
  return text;
}

} // namespace lacuna::runtime::fake
