//===- Progress.h - What a tuner says while it works ------------*- C++ -*-===//
//
// On a terminal one line that is drawn again and again: a bar, what is being done, about how long it takes still.
// Elsewhere one JSON object a line:
//
//   {"event": "start", "cases": 3, "budget": 60}
//   {"event": "progress", "case": …, "phase": "compile", "done": 12, "total": 80, "fraction": 0.21, "seconds_left": 31}
//   {"event": "point", "case": …, "point": …, "status": "measured", "us": 812.4, "preset_us": 840.1}
//   {"event": "winner", "case": …, "point": …, "us": …, "preset_us": …}
//   {"event": "note", "text": …}
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_PROGRESS_H
#define LACUNA_AUTOTUNE_PROGRESS_H

#include "lacuna/Autotune/Database.h"
#include "lacuna/Autotune/Measurer.h"

#include <cstdio>

namespace lacuna::autotune {

/// How far the work is.
struct ProgressState {
  std::string caseText, phase;
  int64_t done = 0, total = 0; ///< of the phase
  double fraction = 0;         ///< of everything
  double secondsLeft = 0;      ///< an estimate; never beyond the budget
};

class Progress {
public:
  virtual ~Progress() = default;
  virtual void start(int64_t cases, double budgetSeconds) = 0;
  virtual void update(const ProgressState &state) = 0;
  virtual void point(const PointRecord &record) = 0;
  virtual void winner(const WinnerRecord &record) = 0;
  virtual void note(const std::string &text) = 0;
  /// Nothing more comes.
  virtual void end() = 0;
};

class JsonProgress final : public Progress {
public:
  explicit JsonProgress(std::FILE *out) : out(out) {}
  void start(int64_t cases, double budgetSeconds) override;
  void update(const ProgressState &state) override;
  void point(const PointRecord &record) override;
  void winner(const WinnerRecord &record) override;
  void note(const std::string &text) override;
  void end() override;

private:
  void line(const std::string &text);
  std::FILE *out;
};

class TerminalProgress final : public Progress {
public:
  /// `columns` of the terminal.
  TerminalProgress(std::FILE *out, int columns) : out(out), columns(columns) {}
  void start(int64_t cases, double budgetSeconds) override;
  void update(const ProgressState &state) override;
  void point(const PointRecord &record) override;
  void winner(const WinnerRecord &record) override;
  void note(const std::string &text) override;
  void end() override;

private:
  void print(const std::string &text);
  void clear();
  std::FILE *out;
  int columns;
  bool drawn = false;
};

/// The line of a terminal, not wider than `columns`: "[######......] 48 %  compile 12/80  about 31 s left  CASE".
std::string progressLine(const ProgressState &state, int columns);

/// Seconds until all is done, from the share that is done after `elapsed`; not more than what is left of the budget.
double secondsLeft(double fraction, double elapsed, double budgetLeft);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_PROGRESS_H
