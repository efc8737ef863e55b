#include "lacuna/Autotune/SearchSpace.h"

namespace lacuna::autotune {

std::string settingsText(const Settings &settings) {
  std::string text;
  for (const auto &[name, value] : settings)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

Expected<Settings> parseSettings(std::string_view text) {
  Settings settings;
  while (true) {
    size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos)
      return settings;
    text.remove_prefix(begin);
    std::string_view word = text.substr(0, text.find_first_of(" \t\r"));
    text.remove_prefix(word.size());
    size_t equals = word.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == word.size())
      return makeError(ErrorCode::ParseError, "'{}' is not of the form NAME=VALUE", word);
    std::string name(word.substr(0, equals));
    if (!settings.emplace(name, word.substr(equals + 1)).second)
      return makeError(ErrorCode::ParseError, "'{}' is given twice", name);
  }
}

Expected<SearchSpace> SearchSpace::create(std::vector<Knob> knobs) {
  if (knobs.empty())
    return makeError(ErrorCode::InvalidArgument,
                     "there is nothing to vary: the kernel's schedule has no `tune` entry that acts on this target");
  int64_t count = 1;
  for (const Knob &knob : knobs) {
    if (knob.values.empty())
      return makeError(ErrorCode::InvalidArgument, "the knob '{}' has no value to take", knob.name);
    if (__builtin_mul_overflow(count, static_cast<int64_t>(knob.values.size()), &count) || count > kMaxPoints)
      return makeError(ErrorCode::InvalidArgument,
                       "the `tune` entry spans more than {} points; give its knobs smaller domains", kMaxPoints);
  }
  return SearchSpace(std::move(knobs), count);
}

Point SearchSpace::point(int64_t index) const {
  Point result;
  for (size_t k = all.size(); k-- > 0;) {
    int64_t values = static_cast<int64_t>(all[k].values.size());
    result[all[k].name] = all[k].values[static_cast<size_t>(index % values)];
    index /= values;
  }
  return result;
}

Point SearchSpace::preset() const {
  Point result;
  for (const Knob &knob : all)
    result[knob.name] = knob.preset;
  return result;
}

} // namespace lacuna::autotune
