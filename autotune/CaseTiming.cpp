// The second half of a case: batches timed beside the default, the finals, and the winner.
#include "CaseRun.h"

#include <algorithm>

namespace lacuna::autotune {

using Status = PointRecord::Status;

namespace {

/// Of a point or a winner, to the default.
double ratioOf(const auto &record) {
  return record.presetMicroseconds > 0 ? record.microseconds / record.presetMicroseconds : 1;
}

/// Candidates of a bench by their index.
class BenchTimer final : public LaunchTimer {
public:
  BenchTimer(Bench &bench, const std::vector<Candidate> &candidates) : bench(bench), candidates(candidates) {}
  Expected<std::vector<double>> time(size_t index, int launches) override {
    return bench.time(candidates[index], launches);
  }

private:
  Bench &bench;
  const std::vector<Candidate> &candidates;
};

} // namespace

/// Times `points` beside the default, which is the first of the measurements.
Expected<std::vector<Measurement>> Tuner::CaseRun::timeBeside(const std::vector<Point> &points,
                                                              const MeasureOptions &options) {
  std::vector<Candidate> candidates = {{result.preset, *known[result.preset].artifact}};
  for (const Point &point : points)
    candidates.push_back({point, *known[point].artifact});
  if (!bench) {
    Expected<std::unique_ptr<Bench>> opened = tuner.workshop.open(job.variant, job.shape, candidates.front());
    if (!opened)
      return takeError(opened);
    bench = std::move(*opened);
  }
  BenchTimer timer(*bench, candidates);
  auto clock = [&] { return stopped() ? TimePoint::max() : tuner.clock(); };
  return measure(timer, candidates.size(), options, clock, deadline);
}

Expected<void> Tuner::CaseRun::screen() {
  size_t total = survivors.size();
  for (size_t begin = 0; begin < total;) {
    tell(kTime, begin, total);
    if (stopped() || (timeIsUp() && measuredNow))
      return {};
    size_t end = std::min(total, begin + tuner.options.batch);
    if (Expected<void> done = screenBatch(
            {survivors.begin() + static_cast<ptrdiff_t>(begin), survivors.begin() + static_cast<ptrdiff_t>(end)});
        !done)
      return done;
    if (!result.failure.empty())
      return {};
    begin = end;
  }
  tell(kTime, total, total);
  return {};
}

Expected<void> Tuner::CaseRun::screenBatch(const std::vector<Point> &batch) {
  MeasureOptions options = tuner.options.screening;
  options.keepLosers = tuner.options.exhaustive;
  for (const PointRecord &record : result.points)
    if (record.status == Status::Measured)
      options.bestRatio = std::min(options.bestRatio, ratioOf(record));
  std::vector<Point> others;
  for (const Point &point : batch)
    if (point != result.preset)
      others.push_back(point);
  Expected<std::vector<Measurement>> measurements = timeBeside(others, options);
  if (!measurements) {
    if (!stopped())
      result.failure = measurements.error().render();
    return {};
  }
  for (size_t index = 0; index < measurements->size(); ++index) {
    const Point &point = index == 0 ? result.preset : others[index - 1];
    const Measurement &measurement = (*measurements)[index];
    if (isKnown(point))
      continue;
    if (measurement.status == Measurement::Status::NotReached ||
        (measurement.status == Measurement::Status::Failed && stopped()))
      continue;
    PointRecord record = recordOf(point, measurement.status == Measurement::Status::Measured ? Status::Measured
                                         : measurement.status == Measurement::Status::Lost   ? Status::Lost
                                                                                             : Status::Failed);
    record.kind = measurement.status == Measurement::Status::Lost     ? "slower"
                  : measurement.status == Measurement::Status::Failed ? kCrash
                                                                      : "";
    record.reason = measurement.reason;
    record.microseconds = measurement.microseconds;
    record.presetMicroseconds = measurement.presetMicroseconds;
    record.spread = measurement.spread;
    measuredNow = undecided = true;
    if (Expected<void> done = keep(record); !done)
      return done;
  }
  return {};
}

Expected<void> Tuner::CaseRun::countLeft() {
  for (const Point &point : all)
    if (!isKnown(point)) {
      ++result.notReached;
      result.leftOver += !earlier.contains(point);
    }
  return {};
}

/// How far the winner of an earlier run, which left points out, is from the best of all: what leaving out costs.
void Tuner::CaseRun::compare(const WinnerRecord &best, const std::vector<Point> &finalists,
                             const std::vector<Measurement> &finals) {
  if (!earlierWinner)
    return;
  for (size_t index = 0; index < finals.size(); ++index) {
    const Point &point = index == 0 ? result.preset : finalists[index - 1];
    if (point != earlierWinner->point || finals[index].status != Measurement::Status::Measured)
      continue;
    double behind = 100 * (finals[index].microseconds / best.microseconds - 1);
    result.comparison = fmt::format("the earlier winner {} takes {:.1f} us, the best of all {} points {} {:.1f} us: it "
                                    "is {:.1f} % behind",
                                    settingsText(point), finals[index].microseconds, all.size(),
                                    settingsText(best.point), best.microseconds, std::max(0.0, behind));
  }
}

/// Whether a winner may stand in place of an earlier run's: one that was found among all points, or against the earlier
/// one, or that is further ahead of the default. Else a run with a small budget would replace a well-found winner by
/// the best of the few points that it reached.
bool Tuner::CaseRun::replacesEarlier(const WinnerRecord &winner) const {
  if (!earlierWinner || result.notReached == 0)
    return true;
  bool measuredBoth = std::any_of(result.points.begin(), result.points.end(),
                                  [&](const PointRecord &record) { return record.point == earlierWinner->point; });
  return measuredBoth || ratioOf(winner) < ratioOf(*earlierWinner);
}

/// The fastest of the best few and the default, timed once more.
Expected<void> Tuner::CaseRun::decide() {
  std::vector<PointRecord> best;
  for (const PointRecord &record : result.points)
    if (record.status == Status::Measured)
      best.push_back(record);
  if (best.empty() || (result.winner && !undecided))
    return {};
  std::sort(best.begin(), best.end(),
            [](const PointRecord &a, const PointRecord &b) { return ratioOf(a) < ratioOf(b); });
  WinnerRecord winner{.key = result.key, .shape = job.shape.text(), .point = best.front().point, .source = "measured"};
  winner.microseconds = best.front().microseconds;
  winner.presetMicroseconds = best.front().presetMicroseconds;
  tell(kFinals, 0, 1);
  std::vector<Point> finalists;
  for (const PointRecord &record : best)
    if (record.point != result.preset && finalists.size() < tuner.options.finalists)
      finalists.push_back(record.point);
  // An exhaustive run says how far the earlier winner is from the best: in the same rounds.
  if (tuner.options.exhaustive && earlierWinner && earlierWinner->point != result.preset &&
      isKnown(earlierWinner->point) &&
      std::find(finalists.begin(), finalists.end(), earlierWinner->point) == finalists.end())
    finalists.push_back(earlierWinner->point);
  if (Expected<void> done = compilePoints(finalists, deadline); !done)
    return done;
  std::erase_if(finalists, [&](const Point &point) { return !known[point].artifact; });
  Expected<std::vector<Measurement>> finals;
  MeasureOptions options = tuner.options.finals;
  options.keepLosers = tuner.options.exhaustive;
  if (!timeIsUp() && known[result.preset].artifact)
    finals = timeBeside(finalists, options);
  if (finals && !finals->empty() && finals->front().status == Measurement::Status::Measured) {
    winner.point = result.preset;
    winner.microseconds = winner.presetMicroseconds = finals->front().microseconds;
    for (size_t index = 1; index < finals->size(); ++index)
      if (const Measurement &each = (*finals)[index];
          each.status == Measurement::Status::Measured && each.ratio < 1 && each.microseconds < winner.microseconds) {
        winner.point = finalists[index - 1];
        winner.microseconds = each.microseconds;
        winner.presetMicroseconds = each.presetMicroseconds;
      }
  }
  if (tuner.options.exhaustive && finals)
    compare(winner, finalists, *finals);
  winner.time = secondsNow();
  tell(kFinals, 1, 1);
  if (!replacesEarlier(winner)) {
    result.winner = earlierWinner;
    result.winnerIsEarlier = true;
    return {};
  }
  tuner.progress.winner(winner);
  result.winner = winner;
  return tuner.database.put(winner);
}

} // namespace lacuna::autotune
