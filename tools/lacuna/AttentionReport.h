//===- AttentionReport.h - What `lacuna attention` prints -------*- C++ -*-===//

#ifndef LACUNA_TOOLS_ATTENTIONREPORT_H
#define LACUNA_TOOLS_ATTENTIONREPORT_H

#include "AttentionBackend.h"
#include "AttentionOptions.h"

#include "lacuna/Runtime/Reference.h"

#include <optional>
#include <string>

namespace lacuna::tools {

/// Everything there is to say about a run.
struct AttentionReport {
  AttentionPlan plan;
  std::string patternText, deviceName;
  std::string tileOrigin; ///< who chose the tile; empty: the built-in rule
  std::string target, kernel;
  std::vector<std::pair<std::string, std::string>> params, hooks;
  runtime::BlockCounts blocks;
  int64_t splits = 1; ///< parts of the longest row
  double executedFlops = 0;
  std::string cached; ///< memory, disk or none
  std::vector<std::pair<std::string, double>> stageMs;
  double dataMs = 0;     ///< making or reading the inputs
  double firstRunMs = 0; ///< the first launch, with copies on a GPU
  std::optional<runtime::CheckReport> check;
  double checkMs = 0;
  std::optional<double> medianUs;
  std::optional<Prediction> predicted;
  std::string savedTo;

  /// One object: target, kernel, params, lists, blocks, check, bench, compile; what was not asked for is left out.
  std::string json() const;
  /// A few lines for a person.
  std::string text() const;
};

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONREPORT_H
