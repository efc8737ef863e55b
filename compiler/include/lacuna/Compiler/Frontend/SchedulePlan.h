//===- SchedulePlan.h - A schedule with its values --------------*- C++ -*-===//
//
// What a `schedule` block asks of the back end, checked and evaluated. A schedule chooses only among transformations
// that keep the meaning; a back end that cannot follow a wish says so (the compile report's decisions).
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_SCHEDULEPLAN_H
#define LACUNA_COMPILER_FRONTEND_SCHEDULEPLAN_H

#include "lacuna/Compiler/Frontend/AST.h"

namespace lacuna::frontend {

struct Symbol;

struct SchedulePlan {
  std::string target;
  std::optional<int64_t> producerRegs; ///< registers a thread of the loading warpgroup
  std::optional<int64_t> consumers;    ///< computing warpgroups
  std::optional<int64_t> consumerRegs; ///< nothing: as many as fit

  /// Loaded values that share a ring of `depth` slots.
  struct Ring {
    std::vector<const Symbol *> values;
    int64_t depth = 0;
  };
  std::vector<Ring> rings;
  std::vector<std::string> overlap; ///< labels
  bool pingpong = false;
  bool oneProgram = false;       ///< a thread block; without it, thread blocks stay and take one after another
  bool separatePrograms = false; ///< each ends before the next begins
  bool noSplit = false;          ///< masked steps stay in the loop of the others
  std::string order, epilogue;   ///< the entry's word; empty without one

  /// What the tuner may vary: a param or a knob, its candidate values and the one chosen here.
  struct Knob {
    std::string name;
    std::vector<std::string> candidates;
    std::string chosen;
  };
  std::vector<Knob> knobs;
  /// Conditions on the tuning space (`smem <= 227KiB && regs_fit`), for the tuner to judge; they live in the Module.
  std::vector<const Expr *> tuneConditions;
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_SCHEDULEPLAN_H
