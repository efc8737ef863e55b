#include "lacuna/Autotune/Pruner.h"

#include "lacuna/Runtime/IntExpr.h"

#include <charconv>
#include <cmath>

namespace lacuna::autotune {

namespace {

/// Names and numbers that a condition may use; values that are no numbers (types) are left out.
struct Names {
  std::vector<std::string> names;
  std::vector<int64_t> values;
  void add(const Settings &settings) {
    for (const auto &[name, text] : settings) {
      int64_t value = 0;
      auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (status == std::errc() && end == text.data() + text.size())
        add(name, value);
    }
  }
  void add(const std::string &name, int64_t value) {
    names.push_back(name);
    values.push_back(value);
  }
};

Names namesOf(const Settings &fixed, const Point &point, const Facts &facts) {
  Names names;
  names.add("true", 1);
  names.add("false", 0);
  names.add("smem", facts.sharedBytes);
  names.add("regs_fit", facts.registersFit());
  names.add(point);
  names.add(fixed);
  return names;
}

} // namespace

Expected<Pruner> Pruner::create(const KernelDescription &kernel, const Settings &fixed, MachineLimits limits) {
  Point preset;
  for (const Knob &knob : kernel.knobs)
    preset[knob.name] = knob.preset;
  Names names = namesOf(fixed, preset, {});
  for (const std::string &condition : kernel.conditions)
    if (Expected<runtime::IntExpr> parsed = runtime::IntExpr::parse(condition, names.names); !parsed)
      return takeError(parsed);
  return Pruner(kernel, fixed, std::move(limits));
}

std::optional<Drop> Pruner::judge(const Point &point, const Facts &facts) const {
  if (limits.sharedBytes > 0 && facts.sharedBytes > limits.sharedBytes)
    return Drop{"shared memory", fmt::format("needs {} bytes of shared memory, a thread block of {} has {}",
                                             facts.sharedBytes, limits.name, limits.sharedBytes)};
  if (!facts.registersFit())
    return Drop{"registers", fmt::format("accumulators and operands take {} registers a thread, and there are {}",
                                         facts.registersNeeded, facts.registersPresent)};
  Names names = namesOf(fixed, point, facts);
  for (const std::string &condition : kernel.conditions) {
    Expected<runtime::IntExpr> parsed = runtime::IntExpr::parse(condition, names.names);
    Expected<int64_t> holds = parsed ? parsed->evaluate(names.values) : takeError(parsed);
    if (!holds)
      return Drop{"constraint", holds.error().message};
    if (*holds == 0)
      return Drop{"constraint",
                  fmt::format("the condition of `tune` does not hold: {} (smem is {})", condition, facts.sharedBytes)};
  }
  return std::nullopt;
}

Drop Pruner::judgeFailure(const Error &error) {
  // The sentence alone: place, line and caret are for the author of a text.
  std::string text = error.message.substr(0, error.message.find('\n'));
  if (size_t mark = text.find("error: "); mark != std::string::npos)
    text = text.substr(mark + 7);
  bool shared = text.find("shared memory") != std::string::npos;
  bool registers = text.find("registers") != std::string::npos;
  return {shared                                     ? "shared memory"
          : error.code == ErrorCode::InvalidArgument ? "constraint"
          : registers                                ? "registers"
                                                     : "refused",
          std::move(text)};
}

std::optional<Drop> Pruner::compare(const Facts &facts, double bestFraction) {
  if (facts.predictedFraction <= 0 || facts.predictedFraction >= kFarOff * bestFraction)
    return std::nullopt;
  return Drop{"cost model", fmt::format("can reach {:.0f} % of the peak at most (bound by {}), another point {:.0f} %",
                                        100 * facts.predictedFraction, facts.boundBy, 100 * bestFraction)};
}

bool predictedBefore(const Facts &a, const Facts &b) {
  constexpr double kAlike = 0.02; // Classes, as an order must be transitive.
  double classOfA = std::round(a.predictedFraction / kAlike), classOfB = std::round(b.predictedFraction / kAlike);
  return classOfA != classOfB ? classOfA > classOfB : a.stepWork > b.stepWork;
}

} // namespace lacuna::autotune
