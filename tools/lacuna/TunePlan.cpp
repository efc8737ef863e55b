#include "TunePlan.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Runtime/IntExpr.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace lacuna::tools {

using namespace autotune;

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels
//===--------------------------------------------------------------------------------------------------------------===//

/// NAME or NAME:KERNEL, for texts with several kernels.
static Expected<KernelSpec> findKernel(const std::string &given) {
  std::string name = given, kernelName;
  if (size_t colon = given.rfind(':'); colon != std::string::npos && given.find('/', colon) == std::string::npos) {
    name = given.substr(0, colon);
    kernelName = given.substr(colon + 1);
  }
  std::string known;
  for (const LibraryText &kernel : kernelLibrary()) {
    if (kernel.name == name)
      return KernelSpec{.file = name + ".tile", .source = std::string(kernel.text), .kernel = kernelName};
    known += (known.empty() ? "" : ", ") + std::string(kernel.name);
  }
  if (!name.ends_with(".tile"))
    return makeError(ErrorCode::NotFound, "the library has no kernel '{}'; it has {}. A file's name ends in .tile",
                     name, known);
  Expected<std::string> source = readTextFile(name);
  if (!source)
    return takeError(source);
  return KernelSpec{.file = name, .source = std::move(*source), .kernel = kernelName};
}

Expected<std::vector<TunedKernel>> kernelsToTune(const TuneCommandOptions &options, Target target) {
  std::vector<std::string> names = options.kernels;
  if (names.empty())
    names = {"attention_forward"};
  std::vector<TunedKernel> kernels;
  for (const std::string &name : names) {
    Expected<KernelSpec> spec = findKernel(name);
    if (!spec)
      return takeError(spec);
    Expected<KernelDescription> description = describeForTuning(*spec, target);
    if (!description) {
      if (description.error().code == ErrorCode::NotFound)
        description.error().message +=
            fmt::format("; the call is `lacuna tune {}:KERNEL`", name.substr(0, name.rfind(':')));
      return takeError(description);
    }
    spec->kernel = description->kernel;
    if (description->knobs.empty())
      return makeError(ErrorCode::InvalidArgument,
                       "{} has nothing to tune for {}: its schedule for {} has no `tune` entry that names params; "
                       "docs/language.md, section 13",
                       name, targetName(target), targetName(target == Target::Cpu ? Target::Sm90a : target));
    kernels.push_back({std::move(*spec), std::move(*description)});
  }
  return kernels;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Shapes
//===--------------------------------------------------------------------------------------------------------------===//

/// The most KV heads, up to `heads`, with which a launch of `kernel` is accepted; nothing: there are none.
static std::optional<int64_t> kvHeadsFor(const KernelDescription &kernel, int64_t heads, int64_t size) {
  std::vector<int64_t> values;
  for (int64_t kvHeads = heads; kvHeads >= 1; --kvHeads) {
    values.clear();
    for (const std::string &dim : kernel.dims)
      values.push_back(dim == "B" ? 1 : dim == "H" ? heads : dim == "G" ? kvHeads : size);
    bool holds = std::all_of(kernel.constraints.begin(), kernel.constraints.end(), [&](const std::string &constraint) {
      auto parsed = runtime::IntExpr::parse(constraint, kernel.dims);
      return !parsed || parsed->evaluate(values).value_or(0) != 0;
    });
    if (holds)
      return kvHeads;
  }
  return std::nullopt;
}

std::vector<std::string> usualShapes(const KernelDescription &kernel, Target target) {
  // Small on a CPU, where a launch takes a thousand times as long.
  std::vector<int64_t> sizes = target == Target::Cpu ? std::vector<int64_t>{512}
                               : kernel.hasLists()   ? std::vector<int64_t>{4096, 16384}
                                                     : std::vector<int64_t>{2048, 8192};
  std::vector<std::string> patterns = {""};
  if (kernel.hasLists())
    patterns = {"pattern=dense", "pattern=random:0.1 block=128x128"};
  if (kernel.hasLists() && kernel.hasMask)
    patterns = {"pattern=dense", "pattern=causal", "pattern=random:0.1 block=128x128"};
  int64_t heads = !kernel.hasMask ? 1 : target == Target::Cpu ? 2 : 16;
  while (heads < 16 && !kvHeadsFor(kernel, heads, sizes.front())) // Groups of a fixed size need as many.
    heads *= 2;
  std::vector<std::string> lines;
  for (const std::string &pattern : patterns)
    for (int64_t size : sizes) {
      std::string line;
      int64_t kvHeads = kvHeadsFor(kernel, heads, size).value_or(heads);
      for (const std::string &dim : kernel.dims)
        line += fmt::format("{}={} ", dim, dim == "B" ? 1 : dim == "H" ? heads : dim == "G" ? kvHeads : size);
      lines.push_back(line + pattern);
    }
  return lines;
}

/// The shapes of one kernel.
static Expected<std::vector<Shape>> shapesOf(const TuneCommandOptions &options, const KernelDescription &kernel,
                                             const std::vector<std::string> &allKernels, Target target) {
  std::vector<Shape> shapes;
  std::vector<std::string> lines = options.shapes;
  if (lines.empty() && options.shapesFile.empty())
    lines = usualShapes(kernel, target);
  for (const std::string &line : lines) {
    Expected<Shape> shape = parseShape(line, kernel);
    if (!shape) {
      shape.error().message = options.shapes.empty()
                                  ? fmt::format("{} has no usual shapes ('{}' is none: {}); give --shape",
                                                kernel.kernel, line, shape.error().message)
                                  : fmt::format("--shape '{}': {}", line, shape.error().message);
      return takeError(shape);
    }
    shapes.push_back(std::move(*shape));
  }
  if (options.shapesFile.empty())
    return shapes;
  Expected<std::string> text = readTextFile(options.shapesFile);
  if (!text)
    return takeError(text);
  Expected<std::vector<Shape>> read = parseShapesFile(options.shapesFile, *text, kernel, allKernels);
  if (!read)
    return takeError(read);
  shapes.insert(shapes.end(), read->begin(), read->end());
  return shapes;
}

/// The value of a param that is a number.
static std::optional<int64_t> numberIn(const Settings &params, const std::string &name) {
  auto found = params.find(name);
  int64_t value = 0;
  if (found == params.end())
    return std::nullopt;
  const char *end = found->second.data() + found->second.size();
  auto [stop, status] = std::from_chars(found->second.data(), end, value);
  return status == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// What an untuned caller runs with: the kernel's own defaults, or for attention through given lists the operator's
/// tile.
static Point presetOf(const KernelDescription &kernel, const Shape &shape, Target target) {
  Point preset;
  for (const Knob &knob : kernel.knobs)
    preset[knob.name] = knob.preset;
  // A user's kernel may have that name and other params.
  std::optional<int64_t> headDim = numberIn(shape.params, "D"), valueDim = numberIn(shape.params, "DV");
  bool isOperator = kernel.kernel == "attention_forward" && preset.contains("BM") && preset.contains("BN");
  if (!isOperator || !shape.block || !headDim || !valueDim)
    return preset;
  auto tile = runtime::chooseTile(*headDim, *valueDim, shape.block->rows, shape.block->columns, tileLimitsOf(target));
  if (tile) {
    preset["BM"] = std::to_string(tile->queries);
    preset["BN"] = std::to_string(tile->keys);
  }
  return preset;
}

static Expected<TuneCase> planCase(const TunedKernel &kernel, Shape shape, Target target,
                                   const MachineLimits &machine) {
  KernelSpec spec = kernel.spec;
  spec.params = shape.params;
  Expected<Settings> params = completeParams(spec, kernel.description, target);
  if (!params)
    return takeError(params);
  shape.params = *params;
  spec.params = *params;
  Expected<KernelDescription> description = describeForTuning(spec, target);
  if (!description)
    return takeError(description);
  Point preset = presetOf(*description, shape, target);
  Variant variant{std::move(*description), {}, shape.keepHook(), machine};
  variant.fixed = shape.fixedParams(variant.kernel);
  return TuneCase{std::move(variant), std::move(shape), std::move(preset)};
}

Expected<std::vector<TuneCase>> planCases(const TuneCommandOptions &options, const std::vector<TunedKernel> &kernels,
                                          Target target, const MachineLimits &machine) {
  std::vector<std::string> names;
  for (const TunedKernel &kernel : kernels)
    names.push_back(kernel.description.kernel);
  std::vector<TuneCase> cases;
  std::vector<std::string> mistakes;
  std::optional<Error> failure;
  for (const TunedKernel &kernel : kernels) {
    Expected<std::vector<Shape>> shapes = shapesOf(options, kernel.description, names, target);
    if (!shapes) {
      // One file serves several kernels: each finds its mistakes, many of them the same.
      failure = shapes.error();
      std::istringstream lines(shapes.error().message);
      for (std::string line; std::getline(lines, line);)
        if (std::find(mistakes.begin(), mistakes.end(), line) == mistakes.end())
          mistakes.push_back(line);
      continue;
    }
    for (Shape &shape : *shapes) {
      Expected<TuneCase> planned = planCase(kernel, std::move(shape), target, machine);
      if (!planned)
        return takeError(planned);
      cases.push_back(std::move(*planned));
    }
  }
  if (failure) {
    failure->message.clear();
    for (const std::string &mistake : mistakes)
      failure->message += (failure->message.empty() ? "" : "\n") + mistake;
    return tl::unexpected(std::move(*failure));
  }
  if (cases.empty())
    return makeError(ErrorCode::InvalidArgument, "{} has no shape for {}", options.shapesFile, names.front());
  auto variantText = [](const TuneCase &each) {
    return each.variant.kernel.kernel + settingsText(each.variant.fixed) + each.variant.keep;
  };
  std::stable_sort(cases.begin(), cases.end(),
                   [&](const TuneCase &a, const TuneCase &b) { return variantText(a) < variantText(b); });
  return cases;
}

} // namespace lacuna::tools
