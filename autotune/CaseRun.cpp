#include "CaseRun.h"

#include <algorithm>

namespace lacuna::autotune {

using Status = PointRecord::Status;

int64_t secondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

namespace {

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

} // namespace

Tuner::CaseRun::CaseRun(Tuner &tuner, const TuneCase &tuneCase, std::map<Point, Knowledge> &known, TimePoint started,
                        TimePoint deadline, TimePoint budgetEnd, double fractionBegin, double fractionShare)
    : tuner(tuner), job(tuneCase), known(known), started(started), deadline(deadline), budgetEnd(budgetEnd),
      fractionBegin(fractionBegin), fractionShare(fractionShare) {
  result.key = recordKey(job.variant, tuner.options.assembler);
  result.shape = job.shape;
  result.knobs = job.variant.kernel.knobs;
  result.preset = job.preset;
  caseText = result.key.kernel + " " + job.shape.text();
}

Expected<CaseResult> Tuner::CaseRun::run() {
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

//===--------------------------------------------------------------------------------------------------------------===//
// Records and progress
//===--------------------------------------------------------------------------------------------------------------===//

PointRecord Tuner::CaseRun::recordOf(const Point &point, Status status) {
  PointRecord record{.key = result.key, .shape = job.shape.text(), .point = point, .status = status};
  if (const Knowledge &knowledge = known[point]; knowledge.facts)
    record.predicted = knowledge.facts->predictedFraction;
  record.time = secondsNow();
  return record;
}

Expected<void> Tuner::CaseRun::keep(const PointRecord &record) {
  settled.insert(record.point);
  tuner.progress.point(record);
  result.points.push_back(record);
  return tuner.database.put(record);
}

Expected<void> Tuner::CaseRun::keepDrop(const Point &point, Status status, const Drop &drop) {
  PointRecord record = recordOf(point, status);
  record.kind = drop.kind;
  record.reason = drop.reason;
  return keep(record);
}

void Tuner::CaseRun::tell(const Phase &phase, size_t done, size_t total) {
  double share = total ? static_cast<double>(done) / static_cast<double>(total) : 1;
  double fraction = fractionBegin + fractionShare * (phase.begin + phase.share * share);
  auto seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
  TimePoint now = tuner.clock();
  tuner.progress.update({caseText, phase.name, static_cast<int64_t>(done), static_cast<int64_t>(total), fraction,
                         secondsLeft(fraction, seconds(now - started), seconds(budgetEnd - now))});
}

//===--------------------------------------------------------------------------------------------------------------===//
// Points worth timing
//===--------------------------------------------------------------------------------------------------------------===//

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
    ++done;
    if (done % 8 == 0 || done == todo.size())
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

} // namespace lacuna::autotune
