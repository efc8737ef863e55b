#include "lacuna/Autotune/Measurer.h"

#include "lacuna/Runtime/LaunchTimes.h"

#include <algorithm>
#include <cmath>

namespace lacuna::autotune {

using runtime::median;

namespace {

/// How far above the leader a candidate may be after so many rounds.
double margin(int rounds) {
  return rounds == 1 ? 1.3 : rounds == 2 ? 1.1 : 1.05;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  double place = q * static_cast<double>(values.size() - 1);
  size_t below = static_cast<size_t>(place);
  size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

class Rounds {
public:
  Rounds(LaunchTimer &timer, size_t candidates, const MeasureOptions &options, const Clock &clock, TimePoint deadline)
      : timer(timer), options(options), clock(clock), deadline(deadline), results(candidates), launches(candidates, 1) {
  }

  std::vector<Measurement> run() {
    for (int round = 0; round < options.rounds; ++round) {
      if (!runRound(round))
        break;
      dropLosers(round + 1);
    }
    finish();
    return std::move(results);
  }

private:
  bool isIn(size_t index) const {
    return results[index].status == Measurement::Status::Measured ||
           results[index].status == Measurement::Status::NotReached;
  }

  /// The default's place: 0, or the first that works.
  size_t anchor() const {
    for (size_t index = 0; index < results.size(); ++index)
      if (isIn(index) && !results[index].turns.empty())
        return index;
    return 0;
  }

  /// False where time is up. The default always has its first turn.
  bool runRound(int round) {
    size_t count = results.size();
    for (size_t step = 0; step < count; ++step) {
      // The default leads each round; behind it the order rotates.
      size_t index = step == 0 || count < 2 ? step : 1 + (step - 1 + static_cast<size_t>(round)) % (count - 1);
      if (!isIn(index))
        continue;
      if (clock() >= deadline && !(round == 0 && step == 0))
        return false;
      takeTurn(index);
    }
    return true;
  }

  void takeTurn(size_t index) {
    Measurement &result = results[index];
    Expected<std::vector<double>> times = timer.time(index, launches[index]);
    if (!times || times->empty()) {
      result.status = Measurement::Status::Failed;
      result.reason = times ? "no time came back" : times.error().render();
      return;
    }
    double typical = median(std::move(*times));
    result.status = Measurement::Status::Measured;
    result.turns.push_back(typical);
    double fit = options.visitMicroseconds / std::max(typical, 1e-3);
    launches[index] = static_cast<int>(std::clamp(fit, 1.0, static_cast<double>(options.mostLaunches)));
  }

  void dropLosers(int rounds) {
    size_t preset = anchor();
    if (results[preset].turns.empty() || options.keepLosers)
      return;
    double base = median(results[preset].turns), best = base * options.bestRatio;
    for (const Measurement &result : results)
      if (result.status == Measurement::Status::Measured)
        best = std::min(best, median(result.turns));
    for (size_t index = 0; index < results.size(); ++index) {
      Measurement &result = results[index];
      if (index == preset || result.status != Measurement::Status::Measured)
        continue;
      double fastest = *std::min_element(result.turns.begin(), result.turns.end());
      if (fastest <= margin(rounds) * best)
        continue;
      result.status = Measurement::Status::Lost;
      result.reason = fmt::format("{:.0f} % slower than the best after {} {}", 100 * (fastest / best - 1), rounds,
                                  rounds == 1 ? "round" : "rounds");
    }
  }

  void finish() {
    const std::vector<double> base = results[anchor()].turns;
    for (Measurement &result : results) {
      if (result.turns.empty())
        continue;
      size_t shared = std::min(base.size(), result.turns.size());
      result.microseconds = median(result.turns);
      result.spread = (quantile(result.turns, 0.75) - quantile(result.turns, 0.25)) / 2;
      result.presetMicroseconds = median({base.begin(), base.begin() + static_cast<ptrdiff_t>(shared)});
      result.ratio = result.microseconds / result.presetMicroseconds;
    }
  }

  LaunchTimer &timer;
  const MeasureOptions &options;
  const Clock &clock;
  TimePoint deadline;
  std::vector<Measurement> results;
  std::vector<int> launches;
};

} // namespace

std::vector<Measurement> measure(LaunchTimer &timer, size_t candidates, const MeasureOptions &options,
                                 const Clock &clock, TimePoint deadline) {
  if (candidates == 0)
    return {};
  return Rounds(timer, candidates, options, clock, deadline).run();
}

} // namespace lacuna::autotune
