//===- Measurer.h - Which candidate is faster -------------------*- C++ -*-===//
//
// Candidates are timed in rounds: in each, every one that is still in has its turn, in an order that rotates, so that a
// clock that drifts drifts for all alike. The default takes part in every round and never leaves: all figures are
// ratios to it in the same rounds, which stay comparable from one batch, and one run, to the next.
//
// A clear loser leaves early: after round r, one whose best time is more than margin(r) above the best median so far.
// The first round's margin is wide, as one time tells little.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_MEASURER_H
#define LACUNA_AUTOTUNE_MEASURER_H

#include "lacuna/Runtime/Error.h"

#include <chrono>
#include <functional>
#include <vector>

namespace lacuna::autotune {

/// Times launches; what a test puts a script in the place of.
class LaunchTimer {
public:
  virtual ~LaunchTimer() = default;
  /// Runs candidate `index` `launches` times after one launch that is not timed; microseconds of each.
  /// Errors: any; the candidate is then out, the others go on.
  virtual Expected<std::vector<double>> time(size_t index, int launches) = 0;
};

/// The time now; what a test turns forward by hand.
using TimePoint = std::chrono::steady_clock::time_point;
using Clock = std::function<TimePoint()>;

struct MeasureOptions {
  int rounds = 5;
  double visitMicroseconds = 5000; ///< the launches of one turn take about so long
  int mostLaunches = 20;
  bool keepLosers = false; ///< all take part in all rounds
  /// Ratio of the best candidate to the default known from earlier batches; losers are judged by it too.
  double bestRatio = 1;
};

struct Measurement {
  enum class Status { Measured, Lost, Failed, NotReached } status = Status::NotReached;
  std::vector<double> turns; ///< median of each turn, in microseconds
  double microseconds = 0;   ///< their median
  double spread = 0;         ///< half the distance of their quartiles
  double ratio = 0;          ///< to the default, over the same rounds
  double presetMicroseconds = 0;
  std::string reason; ///< Lost and Failed
};

/// Times candidate 0, the default, and the others until `deadline`; one entry a candidate. If the default fails, the
/// first other that works takes its part, and ratios are to that one.
std::vector<Measurement> measure(LaunchTimer &timer, size_t candidates, const MeasureOptions &options,
                                 const Clock &clock, TimePoint deadline);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_MEASURER_H
