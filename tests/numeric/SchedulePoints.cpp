#include "SchedulePoints.h"

#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/AttentionShape.h"
#include "lacuna/Runtime/BestTile.h"
#include "lacuna/Runtime/Random.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <numeric>
#include <set>
#include <thread>

namespace lacuna::numeric {

using autotune::Drop;
using autotune::Point;
using autotune::Settings;

std::map<std::string, std::string> ScheduleVariant::hooks() const {
  std::map<std::string, std::string> result;
  if (mask && !mask->body.empty())
    result["keep"] = mask->body;
  if (score && !score->body.empty())
    result["score"] = score->body;
  if (!rows.empty())
    result["rows"] = rows;
  if (!activation.empty())
    result["activation"] = activation;
  return result;
}

std::string ScheduleVariant::text() const {
  std::string result = fmt::format("{} {}", kernel, autotune::settingsText(fixed));
  if (mask && !mask->body.empty())
    result += fmt::format(" mask={}", mask->name);
  if (score && !score->body.empty())
    result += fmt::format(" score={}", score->name);
  if (!rows.empty())
    result += fmt::format(" rows={}", rows);
  if (!activation.empty())
    result += fmt::format(" activation={}", activation);
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The space
//===--------------------------------------------------------------------------------------------------------------===//

struct ScheduleSpace::Entry {
  Entry(autotune::KernelDescription kernel, autotune::SearchSpace space)
      : kernel(std::move(kernel)), space(std::move(space)) {}
  autotune::KernelDescription kernel;
  autotune::SearchSpace space;
  std::optional<autotune::Pruner> pruner; ///< refers to `kernel`
  std::vector<Point> defaults;            ///< the first is the preset
  std::once_flag presetAnalyzed;
  double presetFraction = 0;
};

/// The machine of sm_90a: H100 and H200 differ in nothing that judges a point.
static autotune::MachineLimits hopper() {
  return {"H100", std::string(targetName(Target::Sm90a)), 227 * 1024, 132};
}

/// What a variant runs with where nothing was measured.
static std::vector<Point> defaultsOf(const ScheduleVariant &variant, const autotune::KernelDescription &kernel,
                                     const Point &preset) {
  std::vector<Point> result = {preset};
  if (variant.kernel != "attention_forward" && variant.kernel != "attention_parts")
    return result;
  auto number = [&](const std::string &name) -> int64_t {
    if (auto given = variant.fixed.find(name); given != variant.fixed.end())
      return std::stoll(given->second);
    for (const autotune::ParamDescription &param : kernel.params)
      if (param.name == name)
        return std::stoll(param.preset);
    return 0;
  };
  auto add = [&](runtime::AttentionTile tile) {
    Point point = preset;
    point["BM"] = fmt::format("{}", tile.queries);
    point["BN"] = fmt::format("{}", tile.keys);
    result.push_back(point);
  };
  const int64_t headDim = number("D"), valueDim = number("DV");
  if (variant.fixed.contains("QB")) {
    if (auto tile = runtime::chooseTile(headDim, valueDim, number("QB"), number("KB")))
      add(*tile);
  } else if (variant.score && variant.score->body.empty()) { // `lacuna attention` has no scores
    const std::string mask = variant.mask->name;
    auto pattern = runtime::Pattern::parse(mask == "none"                     ? "dense"
                                           : mask.find("causal") != mask.npos ? "causal"
                                                                              : "window:40:5");
    if (pattern)
      add(runtime::bestAttentionTile(headDim, valueDim, *pattern));
  }
  return result;
}

Expected<ScheduleSpace> ScheduleSpace::create(const std::string &kernelFolder) {
  ScheduleSpace result;
  result.all = scheduleVariants();
  for (const ScheduleVariant &variant : result.all) {
    std::string &text = result.texts[variant.file];
    if (text.empty()) {
      auto read = readTextFile(kernelFolder + "/" + variant.file);
      if (!read)
        return takeError(read);
      text = std::move(*read);
    }
    KernelSpec spec{.file = variant.file, .source = text, .kernel = variant.kernel, .params = variant.fixed};
    if (variant.mask) // the mask's own params are not the kernel's
      for (const auto &[name, value] : variant.mask->params)
        spec.params.erase(name);
    if (variant.score)
      for (const auto &[name, value] : variant.score->params)
        spec.params.erase(name);
    auto kernel = describeForTuning(spec, Target::Sm90a);
    if (!kernel)
      return takeError(kernel);
    auto space = autotune::SearchSpace::create(kernel->knobs);
    if (!space)
      return takeError(space);
    auto entry = std::make_shared<Entry>(std::move(*kernel), std::move(*space));
    entry->defaults = defaultsOf(variant, entry->kernel, entry->space.preset());
    Settings fixed = spec.params;
    for (const autotune::ParamDescription &param : entry->kernel.params)
      fixed.try_emplace(param.name, param.preset);
    auto pruner = autotune::Pruner::create(entry->kernel, fixed, hopper());
    if (!pruner)
      return takeError(pruner);
    entry->pruner.emplace(std::move(*pruner));
    result.begins.push_back(result.total);
    result.total += entry->space.size();
    result.entries.push_back(std::move(entry));
  }
  return result;
}

std::pair<size_t, int64_t> ScheduleSpace::place(int64_t index) const {
  const auto after = std::upper_bound(begins.begin(), begins.end(), index);
  const size_t variant = static_cast<size_t>(after - begins.begin()) - 1;
  return {variant, index - begins[variant]};
}

Point ScheduleSpace::pointOf(int64_t index) const {
  const auto [variant, point] = place(index);
  return entries[variant]->space.point(point);
}

bool ScheduleSpace::isDefault(int64_t index) const {
  const Entry &entry = *entries[place(index).first];
  return std::find(entry.defaults.begin(), entry.defaults.end(), pointOf(index)) != entry.defaults.end();
}

std::string ScheduleSpace::textOf(int64_t index) const {
  return fmt::format("{} {}", variantOf(index).text(), autotune::settingsText(pointOf(index)));
}

KernelSpec ScheduleSpace::kernel(int64_t index) const {
  const ScheduleVariant &variant = variantOf(index);
  KernelSpec spec{.file = variant.file,
                  .kernel = variant.kernel,
                  .params = variant.fixed,
                  .hooks = variant.hooks(),
                  .tuned = false};
  spec.params.merge(pointOf(index));
  return spec;
}

CompileRequest ScheduleSpace::request(size_t number, const Point &point) const {
  const ScheduleVariant &variant = all[number];
  CompileRequest request;
  request.fileName = variant.file;
  request.source = texts.at(variant.file);
  request.kernel = variant.kernel;
  request.params = variant.fixed;
  request.params.insert(point.begin(), point.end());
  request.hooks = variant.hooks();
  request.allScalarsPositive = true;
  return request;
}

CompileRequest ScheduleSpace::request(int64_t index) const {
  return request(place(index).first, pointOf(index));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Which points
//===--------------------------------------------------------------------------------------------------------------===//

double ScheduleSpace::presetFraction(Compiler &compiler, size_t variant) const {
  Entry &entry = *entries[variant];
  std::call_once(entry.presetAnalyzed, [&] {
    if (auto facts = analyzePoint(compiler, request(variant, entry.space.preset())))
      entry.presetFraction = facts->predictedFraction;
  });
  return entry.presetFraction;
}

std::optional<Drop> ScheduleSpace::judge(Compiler &compiler, int64_t index) const {
  const size_t variant = place(index).first;
  const Point point = pointOf(index);
  auto facts = analyzePoint(compiler, request(variant, point));
  if (!facts)
    return autotune::Pruner::judgeFailure(facts.error());
  std::optional<Drop> drop = entries[variant]->pruner->judge(point, *facts);
  if (!drop && point != entries[variant]->space.preset())
    drop = autotune::Pruner::compare(*facts, presetFraction(compiler, variant));
  return drop;
}

std::vector<bool> ScheduleSpace::judgeAll(const std::vector<int64_t> &indices, size_t threads) const {
  std::vector<char> legal(indices.size()); // not bool: threads write neighbours
  std::atomic<size_t> next = 0;
  auto work = [&] {
    Compiler compiler;
    for (size_t at = next++; at < indices.size(); at = next++)
      legal[at] = !judge(compiler, indices[at]);
  };
  {
    std::vector<std::jthread> workers;
    for (size_t count = 0; count < std::max<size_t>(1, threads); ++count)
      workers.emplace_back(work);
  }
  return {legal.begin(), legal.end()};
}

static std::vector<std::string> wordsOf(const std::string &text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

/// The pairs of words of a text, each as a number that all texts share.
static std::vector<size_t> pairsOf(const std::string &text, std::map<std::string, size_t> &numbers) {
  const std::vector<std::string> words = wordsOf(text);
  std::vector<size_t> pairs;
  for (size_t a = 0; a < words.size(); ++a)
    for (size_t b = a + 1; b < words.size(); ++b)
      pairs.push_back(numbers.try_emplace(words[a] + ' ' + words[b], numbers.size()).first->second);
  return pairs;
}

/// The sample of `legal` that shows most pairs of NAME=VALUE words: each the one with most that none before has.
static std::vector<int64_t> sampleOf(const ScheduleSpace &space, const std::vector<int64_t> &legal, size_t count) {
  struct Candidate {
    int64_t index;
    std::vector<size_t> pairs;
  };
  std::map<std::string, size_t> numbers;
  std::vector<Candidate> left;
  for (int64_t index : legal)
    left.push_back({index, pairsOf(space.textOf(index), numbers)});
  std::vector<bool> shown(numbers.size());
  auto newPairs = [&](const Candidate &candidate) {
    return std::count_if(candidate.pairs.begin(), candidate.pairs.end(), [&](size_t pair) { return !shown[pair]; });
  };
  std::vector<int64_t> result;
  while (result.size() < count && !left.empty()) {
    const auto best = std::max_element(
        left.begin(), left.end(), [&](const Candidate &a, const Candidate &b) { return newPairs(a) < newPairs(b); });
    for (size_t pair : best->pairs)
      shown[pair] = true;
    result.push_back(best->index);
    left.erase(best);
  }
  return result;
}

std::vector<int64_t> ScheduleSpace::choose(const ScheduleChoice &choice, size_t threads) const {
  std::vector<int64_t> wanted;
  const std::vector<std::string> asked = wordsOf(choice.only);
  for (int64_t index = 0; index < total; ++index) {
    if (choice.defaults && !isDefault(index))
      continue;
    const std::vector<std::string> words = wordsOf(textOf(index));
    if (std::all_of(asked.begin(), asked.end(), [&](const std::string &word) {
          return std::find(words.begin(), words.end(), word) != words.end();
        }))
      wanted.push_back(index);
  }
  if (choice.sample == 0) {
    std::vector<int64_t> part, result;
    for (size_t at = static_cast<size_t>(choice.part - 1); at < wanted.size(); at += static_cast<size_t>(choice.parts))
      part.push_back(wanted[at]);
    const std::vector<bool> legal = judgeAll(part, threads);
    for (size_t at = 0; at < part.size(); ++at)
      if (legal[at])
        result.push_back(part[at]);
    return result;
  }

  // Twice as many legal ones by chance; of them those that show most pairs that no other has shown.
  runtime::SplitMix64 random(choice.seed, /*stream=*/30);
  for (size_t at = wanted.size(); at > 1; --at)
    std::swap(wanted[at - 1], wanted[random.below(at)]);
  const size_t sample = static_cast<size_t>(choice.sample);
  std::vector<int64_t> legalOnes;
  for (size_t begin = 0; begin < wanted.size() && legalOnes.size() < 2 * sample;) {
    const size_t end = std::min(wanted.size(), begin + std::max<size_t>(32, sample / 2));
    const std::vector<int64_t> some(wanted.begin() + static_cast<ptrdiff_t>(begin),
                                    wanted.begin() + static_cast<ptrdiff_t>(end));
    const std::vector<bool> legal = judgeAll(some, threads);
    for (size_t at = 0; at < some.size(); ++at)
      if (legal[at])
        legalOnes.push_back(some[at]);
    begin = end;
  }
  if (legalOnes.size() > 2 * sample)
    legalOnes.resize(2 * sample);
  return sampleOf(*this, legalOnes, sample);
}

Expected<ScheduleChoice> ScheduleChoice::parse(const std::string &text) {
  ScheduleChoice choice;
  choice.defaults = text == "defaults";
  if (text == "all" || text == "defaults")
    return choice;
  auto number = [](std::string_view digits, int64_t &value) {
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return status == std::errc() && end == digits.data() + digits.size() && value > 0;
  };
  const size_t slash = text.find('/');
  const bool good = slash == std::string::npos ? number(text, choice.sample)
                                               : number(std::string_view(text).substr(0, slash), choice.part) &&
                                                     number(std::string_view(text).substr(slash + 1), choice.parts) &&
                                                     choice.part <= choice.parts;
  if (!good)
    return makeError(ErrorCode::InvalidArgument,
                     "'{}' names no schedules; give all, defaults, how many to sample, or PART/PARTS as in 2/10", text);
  return choice;
}

} // namespace lacuna::numeric
