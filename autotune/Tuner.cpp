#include "lacuna/Autotune/Tuner.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace lacuna::autotune {

namespace {

using Status = PointRecord::Status;

int64_t secondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double ratioOf(const PointRecord &record) {
  return record.presetMicroseconds > 0 ? record.microseconds / record.presetMicroseconds : 1;
}

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

constexpr std::string_view kCrash = "crash";

/// Whether an error says more of the moment than of the point: a process that was killed or not done in time.
bool isOfTheMoment(const Error &error) {
  return error.code == ErrorCode::ToolFailed || error.code == ErrorCode::Unavailable;
}

/// A failed point that may do another time, so that a resumed run tries it again.
bool deservesAnotherTry(const PointRecord &record) {
  return record.status == Status::Failed && record.kind == kCrash;
}

/// Why nothing of a case could be measured: how often what became of its points, with one reason each.
std::string whyNothing(const std::vector<PointRecord> &points) {
  std::map<std::string, std::pair<int64_t, std::string>> kinds;
  for (const PointRecord &record : points) {
    auto &[count, reason] = kinds[fmt::format("{} ({})", statusName(record.status), record.kind)];
    if (++count == 1)
      reason = record.reason;
  }
  std::string text;
  for (const auto &[kind, entry] : kinds)
    text += fmt::format("{}{} {}, such as: {}", text.empty() ? "" : "; ", entry.first, kind, entry.second);
  return fmt::format("none of {} points could be measured: {}. Give another shape, or a higher --limit where processes "
                     "were stopped",
                     points.size(), text);
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

RecordKey recordKey(const Variant &variant, const std::string &assembler) {
  return {variant.kernel.kernel, variant.kernel.hash, variant.machine.name, variant.machine.limitsText(),
          variant.machine.target == "cpu" ? "" : assembler};
}

//===--------------------------------------------------------------------------------------------------------------===//
// One case
//===--------------------------------------------------------------------------------------------------------------===//

/// The work on one case, phase by phase. A failed database ends it; anything else becomes a record.
class Tuner::CaseRun {
public:
  CaseRun(Tuner &tuner, const TuneCase &tuneCase, std::map<Point, Knowledge> &known, TimePoint started,
          TimePoint deadline, TimePoint budgetEnd, double fractionBegin, double fractionShare)
      : tuner(tuner), job(tuneCase), known(known), started(started), deadline(deadline), budgetEnd(budgetEnd),
        fractionBegin(fractionBegin), fractionShare(fractionShare) {
    result.key = recordKey(job.variant, tuner.options.assembler);
    result.shape = job.shape;
    result.knobs = job.variant.kernel.knobs;
    result.preset = job.preset;
    caseText = result.key.kernel + " " + job.shape.text();
  }

  Expected<CaseResult> run() {
    Expected<SearchSpace> space = SearchSpace::create(job.variant.kernel.knobs);
    if (!space) {
      result.failure = space.error().message;
      return std::move(result);
    }
    for (int64_t index = 0; index < space->size(); ++index)
      all.push_back(space->point(index));
    for (auto step : {&CaseRun::recall, &CaseRun::analyze, &CaseRun::prune, &CaseRun::compile, &CaseRun::screen,
                      &CaseRun::countLeft, &CaseRun::decide}) {
      if (Expected<void> done = (this->*step)(); !done)
        return takeError(done);
      if (!result.failure.empty())
        break;
    }
    if (result.failure.empty() && !result.winner && result.notReached == 0)
      result.failure = whyNothing(result.points);
    return std::move(result);
  }

private:
  Expected<void> recall();
  Expected<void> analyze();
  Expected<void> prune();
  Expected<void> compile();
  Expected<void> compilePoints(const std::vector<Point> &points, TimePoint until);
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

  PointRecord recordOf(const Point &point, Status status) {
    PointRecord record{.key = result.key, .shape = job.shape.text(), .point = point, .status = status};
    if (const Knowledge &knowledge = known[point]; knowledge.facts)
      record.predicted = knowledge.facts->predictedFraction;
    record.time = secondsNow();
    return record;
  }
  Expected<void> keep(PointRecord record) {
    settled.insert(record.point);
    tuner.progress.point(record);
    result.points.push_back(record);
    return tuner.database.put(record);
  }
  Expected<void> keepDrop(const Point &point, Status status, const Drop &drop) {
    PointRecord record = recordOf(point, status);
    record.kind = drop.kind;
    record.reason = drop.reason;
    return keep(std::move(record));
  }
  void tell(const Phase &phase, size_t done, size_t total) {
    double share = total ? static_cast<double>(done) / static_cast<double>(total) : 1;
    double fraction = fractionBegin + fractionShare * (phase.begin + phase.share * share);
    auto seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
    TimePoint now = tuner.clock();
    tuner.progress.update({caseText, phase.name, static_cast<int64_t>(done), static_cast<int64_t>(total), fraction,
                           secondsLeft(fraction, seconds(now - started), seconds(budgetEnd - now))});
  }

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

/// What the database has of this case. A run that begins anew does not look at it, but does not remove it either: each
/// record stays until there is another in its place, so that a run which is ended early loses nothing.
Expected<void> Tuner::CaseRun::recall() {
  std::string shape = job.shape.text();
  Expected<std::vector<PointRecord>> records = tuner.database.points(result.key, shape);
  if (!records)
    return takeError(records);
  Expected<std::vector<WinnerRecord>> winners = tuner.database.winners(result.key.kernel, result.key.machine);
  if (!winners)
    return takeError(winners);
  for (WinnerRecord &winner : *winners)
    if (winner.key == result.key && winner.shape == shape && winner.source == "measured")
      earlierWinner = std::move(winner);
  for (PointRecord &record : *records) {
    earlier.insert(record.point);
    if (!tuner.options.resume || deservesAnotherTry(record))
      continue;
    settled.insert(record.point);
    // What a run that was ended measured after its last decision is decided on now.
    undecided |= record.status == Status::Measured && (!earlierWinner || record.time > earlierWinner->time);
    result.points.push_back(std::move(record));
  }
  if (tuner.options.resume)
    result.winner = earlierWinner;
  result.resumed = static_cast<int64_t>(settled.size());
  return {};
}

Expected<void> Tuner::CaseRun::analyze() {
  std::vector<Point> todo;
  for (const Point &point : all)
    if (const Knowledge &knowledge = known[point];
        !isKnown(point) && !knowledge.facts && !knowledge.drop && !knowledge.failure)
      todo.push_back(point);
  size_t done = 0;
  tell(kAnalyze, 0, todo.size());
  tuner.workshop.analyze(job.variant, todo, deadline, [&](size_t index, Expected<Facts> facts) {
    if (!facts && stopped()) // It was given up.
      return;
    if (facts)
      known[todo[index]].facts = std::move(*facts);
    else if (isOfTheMoment(facts.error()))
      known[todo[index]].failure = Drop{std::string(kCrash), "the analysis: " + facts.error().render()};
    else
      known[todo[index]].drop = Pruner::judgeFailure(facts.error());
    if (++done % 8 == 0 || done == todo.size())
      tell(kAnalyze, done, todo.size());
  });
  return {};
}

Expected<void> Tuner::CaseRun::prune() {
  Expected<Pruner> pruner = Pruner::create(job.variant.kernel, job.variant.fixed, job.variant.machine);
  if (!pruner) {
    result.failure = pruner.error().message;
    return {};
  }
  // The default and what won before are measured whatever is predicted, and first.
  auto rank = [&](const Point &point) {
    return point == job.preset ? 0 : earlierWinner && point == earlierWinner->point ? 1 : 2;
  };
  double best = 0;
  for (const PointRecord &record : result.points)
    if (record.status == Status::Measured || record.status == Status::Lost)
      best = std::max(best, record.predicted);
  for (const Point &point : all) {
    Knowledge &knowledge = known[point];
    if (knowledge.facts && !knowledge.drop)
      knowledge.drop = pruner->judge(point, *knowledge.facts);
    if (knowledge.facts && !knowledge.drop)
      best = std::max(best, knowledge.facts->predictedFraction);
  }
  for (const Point &point : all) {
    if (isKnown(point))
      continue;
    const Knowledge &knowledge = known[point];
    std::optional<Drop> drop = knowledge.drop;
    if (!drop && knowledge.facts && rank(point) > 1 && !tuner.options.exhaustive)
      drop = Pruner::compare(*knowledge.facts, best);
    if (drop) {
      if (Expected<void> done = keepDrop(point, Status::Dropped, *drop); !done)
        return done;
    } else if (knowledge.facts) {
      survivors.push_back(point);
    } else if (knowledge.failure) {
      if (Expected<void> done = keepDrop(point, Status::Failed, *knowledge.failure); !done)
        return done;
    }
  }
  std::stable_sort(survivors.begin(), survivors.end(), [&](const Point &a, const Point &b) {
    if (rank(a) != rank(b))
      return rank(a) < rank(b);
    return predictedBefore(*known[a].facts, *known[b].facts);
  });
  // Where the usual default cannot run on this machine or with these lists, the best prediction stands in.
  bool presetRuns = std::any_of(result.points.begin(), result.points.end(), [&](const PointRecord &record) {
    return record.point == job.preset && record.status == Status::Measured;
  });
  if (!presetRuns && !survivors.empty())
    result.preset = survivors.front();
  return {};
}

Expected<void> Tuner::CaseRun::compilePoints(const std::vector<Point> &points, TimePoint until) {
  std::vector<Point> todo;
  for (const Point &point : points)
    if (!known[point].artifact && !known[point].failure)
      todo.push_back(point);
  size_t done = 0;
  tuner.workshop.compile(job.variant, todo, until, [&](size_t index, Expected<Json> artifact) {
    if (!artifact && stopped())
      return;
    if (artifact)
      known[todo[index]].artifact = std::move(*artifact);
    else
      known[todo[index]].failure =
          Drop{isOfTheMoment(artifact.error()) ? std::string(kCrash) : "refused", artifact.error().render()};
    tell(kCompile, ++done, todo.size());
  });
  return {};
}

Expected<void> Tuner::CaseRun::compile() {
  // A good half of the time; what is left of it goes to measuring.
  TimePoint now = tuner.clock();
  if (Expected<void> done = compilePoints(survivors, now + (deadline - now) * 6 / 10); !done)
    return done;
  std::vector<Point> compiled;
  for (const Point &point : survivors) {
    if (known[point].artifact)
      compiled.push_back(point);
    else if (const auto &failure = known[point].failure) {
      if (Expected<void> done = keepDrop(point, Status::Failed, *failure); !done)
        return done;
    }
  }
  survivors = std::move(compiled);
  if (isKnown(result.preset) && !known[result.preset].artifact) {
    if (Expected<void> done = compilePoints({result.preset}, deadline); !done)
      return done;
  }
  if (!known[result.preset].artifact && !survivors.empty())
    result.preset = survivors.front();
  return {};
}

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
    if (Expected<void> done = keep(std::move(record)); !done)
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
  auto ratio = [](const WinnerRecord &each) {
    return each.presetMicroseconds > 0 ? each.microseconds / each.presetMicroseconds : 1;
  };
  return measuredBoth || ratio(winner) < ratio(*earlierWinner);
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

//===--------------------------------------------------------------------------------------------------------------===//
// All cases
//===--------------------------------------------------------------------------------------------------------------===//

/// What two cases of one variant have in common, and so analyse and compile once.
static std::string variantText(const Variant &variant) {
  return fmt::format("{}\n{}\n{}", variant.kernel.hash, settingsText(variant.fixed), variant.keep);
}

/// Shares of the budget: a case that is the first of its variant also compiles for the others.
static std::vector<int> weightsOf(const std::vector<TuneCase> &cases) {
  std::vector<int> weights;
  for (size_t index = 0; index < cases.size(); ++index)
    weights.push_back(index > 0 && variantText(cases[index].variant) == variantText(cases[index - 1].variant) ? 1 : 2);
  return weights;
}

/// What is left of a case, and what goes on with it.
static std::string endedEarly(const CaseResult &result, bool stopped) {
  std::string text =
      fmt::format("{} {}: {}; ", result.key.kernel, result.shape.text(), stopped ? "interrupted" : "the budget ended");
  if (result.notReached > 0)
    text += fmt::format("{} of {} points are left. ", result.notReached,
                        result.notReached + static_cast<int64_t>(result.points.size()));
  text += result.winnerIsEarlier
              ? fmt::format("The winner of an earlier run stays: {}", settingsText(result.winner->point))
          : result.winner ? "The best so far is kept"
                          : "Nothing was measured";
  if (result.notReached > 0)
    text += result.leftOver == 0 ? ". Those have an earlier run's records" : "; --resume goes on with them";
  return text;
}

Expected<std::vector<CaseResult>> Tuner::run(const std::vector<TuneCase> &cases) {
  progress.start(static_cast<int64_t>(cases.size()), options.budgetSeconds);
  TimePoint started = clock();
  TimePoint end =
      started + std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(options.budgetSeconds));
  std::vector<CaseResult> results;
  std::map<Point, Knowledge> known;
  const std::vector<int> weights = weightsOf(cases);
  for (size_t index = 0; index < cases.size(); ++index) {
    if (weights[index] > 1)
      known.clear();
    TimePoint now = clock();
    // A share of what is left, so that no case takes the others' time.
    int ahead = std::accumulate(weights.begin() + static_cast<ptrdiff_t>(index), weights.end(), 0);
    TimePoint deadline = now + std::max(end - now, TimePoint::duration(0)) * weights[index] / ahead;
    double share = 1.0 / static_cast<double>(cases.size());
    CaseRun work(*this, cases[index], known, started, deadline, end, share * static_cast<double>(index), share);
    Expected<CaseResult> result = work.run();
    if (!result)
      return takeError(result);
    const bool stopped = options.stopped && options.stopped();
    if (!result->failure.empty())
      progress.note(fmt::format("{} {}: {}", result->key.kernel, result->shape.text(), result->failure));
    else if (result->notReached > 0 || stopped)
      progress.note(endedEarly(*result, stopped));
    if (!result->comparison.empty())
      progress.note(fmt::format("{} {}: {}", result->key.kernel, result->shape.text(), result->comparison));
    results.push_back(std::move(*result));
    if (stopped)
      break;
  }
  progress.end();
  return results;
}

} // namespace lacuna::autotune
