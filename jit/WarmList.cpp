// The text of a list of kernels (Warm.h has its form).
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Jit/Warm.h"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace lacuna {
namespace {

using Settings = std::map<std::string, std::string>;

/// One line, before params of several values were multiplied out.
struct Line {
  WarmRequest request;
  std::map<std::string, std::vector<std::string>> alternatives;
};

/// Splits at blanks; quotes keep what is between them together. Errors: InvalidArgument for one that does not end.
Expected<std::vector<std::string>> splitWords(std::string_view line) {
  std::vector<std::string> words;
  bool inWord = false;
  char quote = 0;
  for (char each : line) {
    if (quote) {
      quote == each ? void(quote = 0) : words.back().push_back(each);
      continue;
    }
    if (each == '#' && !inWord)
      break;
    const bool blank = each == ' ' || each == '\t' || each == '\r';
    if (!blank && !inWord)
      words.emplace_back();
    inWord = !blank;
    if (each == '"' || each == '\'')
      quote = each;
    else if (!blank)
      words.back().push_back(each);
  }
  if (quote)
    return makeError(ErrorCode::InvalidArgument, "the quote {} does not end; close it on the same line", quote);
  return words;
}

/// The text that a name means: of the library, or a file below `folder`.
Expected<void> setText(KernelSpec &spec, const std::string &name, const std::string &folder) {
  if (!libraryText(name).empty()) {
    spec.library = name;
    return {};
  }
  if (!name.ends_with(".tile")) {
    std::string known;
    for (const LibraryText &each : kernelLibrary())
      known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
    return makeError(ErrorCode::InvalidArgument,
                     "the library has no kernel text '{}'; it has {}. A file's name ends in "
                     ".tile",
                     name, known);
  }
  spec.file = folder.empty() || name.starts_with('/') ? name : folder + "/" + name;
  if (std::error_code ignored; !std::filesystem::is_regular_file(spec.file, ignored))
    return makeError(ErrorCode::InvalidArgument, "there is no file '{}'; paths are relative to the list's folder",
                     spec.file);
  return {};
}

Expected<void> setTarget(WarmRequest &request, const std::string &name) {
  request.target = parseTarget(name);
  if (request.target)
    return {};
  return makeError(ErrorCode::InvalidArgument, "target={}: give sm_90a, sm_80 or cpu", name);
}

Expected<void> setScalars(WarmRequest &request, const std::string &value) {
  if (value != "any" && value != "positive")
    return makeError(ErrorCode::InvalidArgument, "scalars={}: give any, or positive, the default", value);
  request.anyScalars = value == "any";
  return {};
}

std::vector<std::string> splitValues(std::string_view text) {
  std::vector<std::string> values;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    values.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

/// NAME=VALUE behind the first word.
Expected<void> setWord(Line &line, const std::string &word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0)
    return makeError(ErrorCode::InvalidArgument,
                     "'{}' is no NAME=VALUE; behind the kernel come params (D=128), hooks (hook.keep=causal), kernel=, "
                     "target= and scalars=",
                     word);
  std::string name = word.substr(0, equals), value = word.substr(equals + 1);
  auto twice = [&] { return makeError(ErrorCode::InvalidArgument, "'{}' is given twice; give it once", name); };
  if (name == "kernel") {
    if (!line.request.spec.kernel.empty())
      return twice();
    line.request.spec.kernel = value;
    return {};
  }
  if (name == "target")
    return line.request.target ? twice() : setTarget(line.request, value);
  if (name == "scalars")
    return setScalars(line.request, value);
  if (name.starts_with("hook."))
    return line.request.spec.hooks.emplace(name.substr(5), value).second ? Expected<void>() : twice();
  if (name.starts_with("param."))
    name = name.substr(6);
  return line.alternatives.emplace(name, splitValues(value)).second ? Expected<void>() : twice();
}

Expected<Line> readWords(std::string_view text, const std::string &folder) {
  auto words = splitWords(text);
  if (!words)
    return takeError(words);
  Line line;
  if (auto set = setText(line.request.spec, words->front(), folder); !set)
    return takeError(set);
  for (size_t index = 1; index < words->size(); ++index)
    if (auto set = setWord(line, (*words)[index]); !set)
      return takeError(set);
  return line;
}

/// A value of a param as the language writes it.
std::string valueText(const nlohmann::json &value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Expected<Settings> readSettings(const std::string &key, const nlohmann::json &object) {
  Settings settings;
  if (!object.is_object())
    return makeError(ErrorCode::InvalidArgument, "\"{}\" is no object of names and values", key);
  for (const auto &[name, value] : object.items()) {
    if (!value.is_string() && !value.is_number_integer())
      return makeError(ErrorCode::InvalidArgument, "\"{}\" in \"{}\" is no string or whole number", name, key);
    settings[name] = valueText(value);
  }
  return settings;
}

Expected<Line> readObject(const nlohmann::json &object, const std::string &folder) {
  Line line;
  KernelSpec &spec = line.request.spec;
  if (object.contains("library") == object.contains("file"))
    return makeError(ErrorCode::InvalidArgument, "the object names {}; give \"library\" or \"file\"",
                     object.contains("file") ? "two texts" : "no text");
  for (const auto &[key, value] : object.items()) {
    Expected<void> set;
    if (key == "params" || key == "hooks") {
      auto settings = readSettings(key, value);
      if (!settings)
        return takeError(settings);
      (key == "params" ? spec.params : spec.hooks) = std::move(*settings);
    } else if (!value.is_string()) {
      return makeError(ErrorCode::InvalidArgument,
                       "\"{}\" is no string, or no key of a request; those are library, "
                       "file, kernel, params, hooks, target and scalars",
                       key);
    } else if (key == "library" || key == "file") {
      set = setText(spec, value, folder);
    } else if (key == "kernel") {
      spec.kernel = value;
    } else if (key == "target") {
      set = setTarget(line.request, value);
    } else if (key == "scalars") {
      set = setScalars(line.request, value);
    } else {
      set = makeError(ErrorCode::InvalidArgument,
                      "\"{}\" is no key of a request; those are library, file, kernel, "
                      "params, hooks, target and scalars",
                      key);
    }
    if (!set)
      return takeError(set);
  }
  return line;
}

Expected<Line> readJson(std::string_view text, const std::string &folder) {
  try {
    return readObject(nlohmann::json::parse(text), folder);
  } catch (const nlohmann::json::exception &fault) { // Syntax, or text that is no UTF-8.
    return makeError(ErrorCode::InvalidArgument, "this is no JSON object: {}", fault.what());
  }
}

/// One request for each combination of values.
void multiplyOut(const Line &line, std::vector<WarmRequest> &requests) {
  std::vector<WarmRequest> all = {line.request};
  for (const auto &[name, values] : line.alternatives) {
    std::vector<WarmRequest> more;
    for (const WarmRequest &request : all)
      for (const std::string &value : values) {
        more.push_back(request);
        more.back().spec.params[name] = value;
      }
    all = std::move(more);
  }
  requests.insert(requests.end(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
}

} // namespace

Expected<std::vector<WarmRequest>> parseWarmList(std::string_view name, std::string_view text) {
  const std::string folder = std::filesystem::path(name).parent_path().string();
  std::vector<WarmRequest> requests;
  std::string mistakes;
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view content = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    const size_t first = content.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || content[first] == '#')
      continue;
    auto line = content[first] == '{' ? readJson(content, folder) : readWords(content, folder);
    if (line) {
      line->request.place = fmt::format("{}:{}", name, number);
      multiplyOut(*line, requests);
    } else {
      mistakes += fmt::format("{}{}:{}: error: {}", mistakes.empty() ? "" : "\n", name, number, line.error().message);
    }
  }
  if (!mistakes.empty())
    return tl::unexpected(Error{ErrorCode::InvalidArgument, std::move(mistakes)});
  return requests;
}

Expected<std::vector<WarmRequest>> readWarmList(const std::string &path) {
  auto text = readTextFile(path);
  return text ? parseWarmList(path, *text) : takeError(text);
}

} // namespace lacuna
