#include "lacuna/Autotune/Shape.h"

#include "lacuna/Runtime/IntExpr.h"

#include <algorithm>
#include <charconv>

namespace lacuna::autotune {

namespace {

constexpr int64_t kMaxExtent = (int64_t(1) << 31) - 1;

bool parseNumber(std::string_view text, int64_t &value) {
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

std::optional<ListBlock> parseBlock(std::string_view text) {
  ListBlock block;
  size_t cross = text.find('x');
  if (cross == std::string_view::npos || !parseNumber(text.substr(0, cross), block.rows) ||
      !parseNumber(text.substr(cross + 1), block.columns))
    return std::nullopt;
  return block;
}

template <class Range> std::string listed(const Range &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// What a shape of `kernel` may name.
std::vector<std::string> knownNames(const KernelDescription &kernel) {
  std::vector<std::string> names = kernel.dims;
  for (const ParamDescription &param : kernel.params) {
    names.push_back(param.name);
    if (param.name == "T")
      names.emplace_back("dtype");
  }
  if (kernel.hasLists())
    names.insert(names.end(), {"pattern", "block"});
  return names;
}

class ShapeReader {
public:
  explicit ShapeReader(const KernelDescription &kernel) : kernel(kernel) {}

  Expected<Shape> read(const Settings &settings) {
    if (kernel.hasLists())
      shape.pattern = "dense";
    for (const auto &[name, value] : settings)
      if (Expected<void> done = take(name, value); !done)
        return takeError(done);
    if (Expected<void> done = complete(); !done)
      return takeError(done);
    return std::move(shape);
  }

private:
  Expected<void> take(const std::string &name, const std::string &value) {
    if (std::find(kernel.dims.begin(), kernel.dims.end(), name) != kernel.dims.end()) {
      int64_t extent = 0;
      if (!parseNumber(value, extent) || extent < 1 || extent > kMaxExtent)
        return makeError(ErrorCode::InvalidArgument, "{} is '{}'; give a whole number from 1 to {}", name, value,
                         kMaxExtent);
      shape.dims[name] = extent;
      return {};
    }
    if (kernel.hasLists() && name == "pattern")
      return takePattern(value);
    if (kernel.hasLists() && name == "block") {
      shape.block = parseBlock(value);
      if (!shape.block)
        return makeError(ErrorCode::InvalidArgument, "block is '{}'; give ROWSxCOLUMNS, for example 128x128", value);
      return runtime::checkListBlock(shape.block->rows, shape.block->columns);
    }
    const std::string &param = name == "dtype" ? std::string("T") : name;
    for (const Knob &knob : kernel.knobs)
      if (knob.name == param)
        return makeError(ErrorCode::InvalidArgument, "{} is what the tuner varies; leave it out of the shape", name);
    for (const ParamDescription &known : kernel.params) {
      if (known.name != param)
        continue;
      if (std::find(known.values.begin(), known.values.end(), value) == known.values.end())
        return makeError(ErrorCode::InvalidArgument, "{} is '{}'; it may be {}", name, value,
                         known.values.size() <= 8
                             ? listed(known.values)
                             : fmt::format("{}, {}, … {}", known.values[0], known.values[1], known.values.back()));
      shape.params[param] = value;
      return {};
    }
    return makeError(ErrorCode::InvalidArgument, "'{}' is nothing that {} has; a shape may give {}", name,
                     kernel.kernel, listed(knownNames(kernel)));
  }

  Expected<void> takePattern(const std::string &value) {
    Expected<runtime::Pattern> pattern = runtime::Pattern::parse(value);
    if (!pattern)
      return takeError(pattern);
    if (pattern->kind == runtime::Pattern::Kind::Lists)
      return makeError(ErrorCode::InvalidArgument,
                       "the pattern '{}' reads lists from files; for tuning give dense, causal, window or random",
                       value);
    if (!pattern->keepHook().empty() && !kernel.hasMask)
      return makeError(ErrorCode::InvalidArgument,
                       "the pattern '{}' needs a mask, and {} has no hook `keep`; give dense or random:DENSITY", value,
                       kernel.kernel);
    shape.pattern = value;
    return {};
  }

  /// Dimensions that were left out, and what must hold between them.
  Expected<void> complete() {
    auto has = [&](const char *name) { return shape.dims.contains(name); };
    auto supply = [&](const char *name, int64_t value) {
      if (std::find(kernel.dims.begin(), kernel.dims.end(), name) != kernel.dims.end())
        shape.dims.try_emplace(name, value);
    };
    supply("B", 1);
    supply("H", has("G") ? shape.dims["G"] : 1);
    supply("G", has("H") ? shape.dims["H"] : 1);
    if (has("M"))
      supply("N", shape.dims["M"]);
    std::vector<std::string> missing;
    std::vector<int64_t> values;
    for (const std::string &dim : kernel.dims) {
      if (!shape.dims.contains(dim))
        missing.push_back(dim);
      else
        values.push_back(shape.dims[dim]);
    }
    if (!missing.empty())
      return makeError(ErrorCode::InvalidArgument, "{} {} missing; {} has the dimensions {}", listed(missing),
                       missing.size() == 1 ? "is" : "are", kernel.kernel, listed(kernel.dims));
    for (const std::string &text : kernel.constraints) {
      Expected<runtime::IntExpr> constraint = runtime::IntExpr::parse(text, kernel.dims);
      Expected<int64_t> holds = constraint ? constraint->evaluate(values) : takeError(constraint);
      if (!holds)
        return takeError(holds);
      if (*holds == 0)
        return makeError(ErrorCode::InvalidArgument, "{} requires {}, and {} breaks it", kernel.kernel, text,
                         shape.text());
    }
    if (shape.pattern.starts_with("random") && !shape.block)
      shape.block = ListBlock{128, 128};
    return {};
  }

  const KernelDescription &kernel;
  Shape shape;
};

} // namespace

std::string Shape::text() const {
  std::string text;
  auto add = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  };
  for (const auto &[name, value] : dims)
    add(name, std::to_string(value));
  for (const auto &[name, value] : params)
    add(name, value);
  if (!pattern.empty())
    add("pattern", pattern);
  if (block)
    add("block", fmt::format("{}x{}", block->rows, block->columns));
  return text;
}

Settings Shape::fixedParams(const KernelDescription &kernel) const {
  Settings fixed = params;
  if (block && kernel.hasLists()) {
    fixed[kernel.listRowParam] = std::to_string(block->rows);
    fixed[kernel.listColumnParam] = std::to_string(block->columns);
  }
  return fixed;
}

std::string Shape::keepHook() const {
  if (pattern.empty())
    return "";
  Expected<runtime::Pattern> parsed = runtime::Pattern::parse(pattern);
  return parsed ? parsed->keepHook() : "";
}

static Expected<Shape> readShape(const Settings &settings, const KernelDescription &kernel) {
  if (settings.contains("dtype") && settings.contains("T"))
    return makeError(ErrorCode::InvalidArgument, "dtype and T are the same param; give one of them");
  return ShapeReader(kernel).read(settings);
}

Expected<Shape> parseShape(std::string_view line, const KernelDescription &kernel) {
  Expected<Settings> settings = parseSettings(line);
  if (!settings)
    return takeError(settings);
  return readShape(*settings, kernel);
}

Expected<std::vector<Shape>> parseShapesFile(const std::string &name, std::string_view text,
                                             const KernelDescription &kernel,
                                             const std::vector<std::string> &allKernels) {
  std::vector<Shape> shapes;
  bool forOthers = false;
  std::map<std::string, int> lines;
  std::string mistakes;
  auto report = [&](int line, std::string_view sentence) {
    mistakes += fmt::format("{}{}:{}: {}", mistakes.empty() ? "" : "\n", name, line, sentence);
  };
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    Expected<Settings> words = parseSettings(line);
    if (words && words->contains("kernel")) {
      std::string wanted = words->extract("kernel").mapped();
      if (std::find(allKernels.begin(), allKernels.end(), wanted) == allKernels.end())
        report(number,
               fmt::format("kernel is '{}', which is not tuned in this call; it tunes {}", wanted, listed(allKernels)));
      forOthers |= wanted != kernel.kernel;
      if (wanted != kernel.kernel)
        continue;
    }
    Expected<Shape> shape = words ? readShape(*words, kernel) : takeError(words);
    if (!shape) {
      report(number, shape.error().message);
      continue;
    }
    auto [previous, isNew] = lines.try_emplace(shape->text(), number);
    if (isNew)
      shapes.push_back(std::move(*shape));
    else
      report(number, fmt::format("this is the shape of line {} again; remove one of them", previous->second));
  }
  if (mistakes.empty() && shapes.empty() && !forOthers)
    report(1, fmt::format("there is no shape; write one a line, for example: M=4096 ({} has the dimensions {})",
                          kernel.kernel, listed(kernel.dims)));
  if (!mistakes.empty())
    return makeError(ErrorCode::InvalidArgument, "{}", mistakes);
  return shapes;
}

Expected<Shape> readShapeText(std::string_view text, const std::vector<std::string> &dims) {
  Expected<Settings> settings = parseSettings(text);
  if (!settings)
    return takeError(settings);
  Shape shape;
  for (const auto &[name, value] : *settings) {
    int64_t number = 0;
    if (name == "pattern")
      shape.pattern = value;
    else if (name == "block") {
      shape.block = parseBlock(value);
      if (!shape.block)
        return makeError(ErrorCode::ParseError, "the shape '{}' has a block that is not ROWSxCOLUMNS", text);
    } else if (std::find(dims.begin(), dims.end(), name) != dims.end()) {
      if (!parseNumber(value, number) || number < 1)
        return makeError(ErrorCode::ParseError, "the shape '{}' has no number of at least 1 for {}", text, name);
      shape.dims[name] = number;
    } else {
      shape.params[name] = value;
    }
  }
  return shape;
}

} // namespace lacuna::autotune
