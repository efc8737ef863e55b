//===- TuneEntry.h - What a tuner has to know of a kernel -------*- C++ -*-===//
//
// The `tune` entry of a kernel's schedule, and what one needs to make data for the kernel: its params, dimensions and
// lists. Everything is text, so that whoever reads it needs no compiler.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_TUNEENTRY_H
#define LACUNA_COMPILER_FRONTEND_TUNEENTRY_H

#include "lacuna/Runtime/Error.h"

#include <map>
#include <string>
#include <vector>

namespace lacuna::frontend {

struct TuneEntry {
  /// A name with the values it may take, and the one it has.
  struct Choice {
    std::string name;
    std::vector<std::string> values;
    std::string chosen;
    bool isParam = true; ///< else a choice of the schedule alone, which has no meaning on another target
  };
  std::string kernel;
  std::string hash; ///< of the canonical text of the file
  std::vector<Choice> knobs;
  std::vector<Choice> params;                ///< those that are no knobs
  std::vector<std::string> dims;             ///< run-time dimensions
  std::vector<std::string> constraints;      ///< of a launch, over `dims`
  std::vector<std::string> conditions;       ///< of the entry, over knobs, params, `smem` and `regs_fit`
  std::vector<std::string> hooks;            ///< names of the file's hooks
  std::string listColumns;                   ///< the dimension that block lists name blocks of; empty without lists
  std::string listRowParam, listColumnParam; ///< params that are the lists' block; empty where it is no param
};

/// Reads the entry for `target` with these params set. No knobs: the kernel has no such entry. Errors: as parseModule
/// and analyze.
Expected<TuneEntry> describeTuneEntry(const std::string &fileName, const std::string &source, const std::string &kernel,
                                      const std::map<std::string, std::string> &params, const std::string &target);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_TUNEENTRY_H
