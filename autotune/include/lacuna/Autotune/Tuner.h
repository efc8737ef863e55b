//===- Tuner.h - Finds the best point of a kernel on shapes -----*- C++ -*-===//
//
// For each case, a variant of a kernel on one shape:
//
//   1. analyse every point and drop what cannot run or can hardly win, each with its reason (Pruner.h);
//   2. compile the rest, those of the best predictions first;
//   3. time them in batches beside the default, clear losers leaving early (Measurer.h);
//   4. time the best few and the default once more, longer: the fastest wins, the default where none is faster.
//
// Every outcome is committed to the database at once, in place of what an earlier run had for that point; nothing is
// removed before. With `resume`, what the database knows is not done again; without, a case begins anew. When the
// budget ends, the best so far is kept, and what is left is counted. An earlier run's winner goes only where the new
// one was found among all points or against it, or is further ahead of the default.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_TUNER_H
#define LACUNA_AUTOTUNE_TUNER_H

#include "lacuna/Autotune/Progress.h"
#include "lacuna/Autotune/Workshop.h"

namespace lacuna::autotune {

struct TuneCase {
  Variant variant;
  Shape shape;
  Point preset; ///< what an untuned kernel runs with
};

struct TuneOptions {
  double budgetSeconds = 300;
  bool resume = false;
  bool exhaustive = false;            ///< nothing is left out by prediction, and no loser leaves early
  std::function<bool()> stopped = {}; ///< asked between steps; once it holds, the run ends as if the budget were over
  std::string assembler;              ///< of the records' key
  MeasureOptions screening{.rounds = 3};
  MeasureOptions finals{.rounds = 9};
  size_t batch = 6; ///< candidates timed side by side, besides the default
  size_t finalists = 4;
};

/// What became of a case.
struct CaseResult {
  RecordKey key;
  Shape shape;
  std::vector<Knob> knobs;
  Point preset;
  std::vector<PointRecord> points; ///< earlier runs' too, where they were resumed
  std::optional<WinnerRecord> winner;
  int64_t resumed = 0;          ///< points that the database knew
  int64_t notReached = 0;       ///< points that the budget left over
  int64_t leftOver = 0;         ///< of those, the points without a record of an earlier run
  bool winnerIsEarlier = false; ///< `winner` was found before, and over more points than this run reached
  std::string comparison;       ///< exhaustive: how far an earlier run's winner is from the best of all
  std::string failure;          ///< not empty: why nothing could be measured
};

/// Thread safety: one thread.
class Tuner {
public:
  Tuner(Workshop &workshop, Database &database, Progress &progress, TuneOptions options,
        Clock clock = std::chrono::steady_clock::now)
      : workshop(workshop), database(database), progress(progress), options(std::move(options)),
        clock(std::move(clock)) {}

  /// Tunes the cases one after the other. Errors: as Database; what fails of a case stands in its result.
  Expected<std::vector<CaseResult>> run(const std::vector<TuneCase> &cases);

private:
  class CaseRun;
  Workshop &workshop;
  Database &database;
  Progress &progress;
  TuneOptions options;
  Clock clock;
};

/// The key of a case's records.
RecordKey recordKey(const Variant &variant, const std::string &assembler);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_TUNER_H
