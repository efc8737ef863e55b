//===- CaseRun.h - The tuner at work on one case ----------------*- C++ -*-===//
//
// The steps of Tuner.h in their order. The first half settles which points are worth timing, the second which of those
// is the fastest; between them go `survivors`, compiled and the best predictions first.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_CASERUN_H
#define LACUNA_AUTOTUNE_CASERUN_H

#include "lacuna/Autotune/Tuner.h"

#include <map>
#include <memory>
#include <set>

namespace lacuna::autotune {

/// How much of a case's work each phase is, about.
struct Phase {
  const char *name;
  double begin, share;
};
constexpr Phase kAnalyze{"analyse", 0, 0.15}, kCompile{"compile", 0.15, 0.4}, kTime{"time", 0.55, 0.35},
    kFinals{"finals", 0.9, 0.1};

/// What is known of a point of the variant in hand; shared by the cases of one variant.
struct Knowledge {
  std::optional<Facts> facts;
  std::optional<Drop> drop;
  std::optional<Json> artifact;
  std::optional<Drop> failure; ///< of the analysis or the compilation
};

/// The kind of a point whose process was killed or not done in time.
constexpr std::string_view kCrash = "crash";

/// Of the system's clock, for records.
int64_t secondsNow();

/// The work on one case, phase by phase. A failed database ends it; anything else becomes a record.
class Tuner::CaseRun {
public:
  CaseRun(Tuner &tuner, const TuneCase &tuneCase, std::map<Point, Knowledge> &known, TimePoint started,
          TimePoint deadline, TimePoint budgetEnd, double fractionBegin, double fractionShare);
  /// Errors: as Database.
  Expected<CaseResult> run();

private:
  // Which points are worth timing: CaseRun.cpp.
  Expected<void> recall();
  Expected<void> analyze();
  Expected<void> prune();
  Expected<void> compile();
  Expected<void> compilePoints(const std::vector<Point> &points, TimePoint until);
  // Which of those is the fastest: CaseTiming.cpp.
  Expected<void> screen();
  Expected<void> screenBatch(const std::vector<Point> &batch);
  Expected<void> countLeft();
  Expected<void> decide();
  void compare(const WinnerRecord &best, const std::vector<Point> &finalists, const std::vector<Measurement> &finals);
  bool replacesEarlier(const WinnerRecord &winner) const;
  Expected<std::vector<Measurement>> timeBeside(const std::vector<Point> &points, const MeasureOptions &options);

  bool isKnown(const Point &point) const { return settled.contains(point); }
  bool stopped() const { return tuner.options.stopped && tuner.options.stopped(); }
  bool timeIsUp() const { return stopped() || tuner.clock() >= deadline; }

  PointRecord recordOf(const Point &point, PointRecord::Status status);
  Expected<void> keep(const PointRecord &record);
  Expected<void> keepDrop(const Point &point, PointRecord::Status status, const Drop &drop);
  void tell(const Phase &phase, size_t done, size_t total);

  Tuner &tuner;
  const TuneCase &job;
  std::map<Point, Knowledge> &known;
  TimePoint started, deadline, budgetEnd;
  double fractionBegin, fractionShare;
  std::string caseText;
  CaseResult result;
  std::vector<Point> all, survivors;
  std::set<Point> settled; ///< points with a record that counts
  std::set<Point> earlier; ///< points with a record of an earlier run, which stays until this one has another
  std::optional<WinnerRecord> earlierWinner;
  std::unique_ptr<Bench> bench; ///< opened with the first batch
  bool measuredNow = false;
  bool undecided = false; ///< something was measured after the winner was decided on
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_CASERUN_H
