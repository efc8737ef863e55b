//===- Report.h - A tuning run for a person to read -------------*- C++ -*-===//
//
// One HTML file without scripts and without anything from elsewhere. For each case: the landscape (a map of all points,
// coloured by time, with winner and default marked; what was dropped in grey with its reason as a tooltip), the best
// points, what the cost model predicted against what was measured, and how many points were dropped for which reason.
// Several cases have a table of winners in front.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_REPORT_H
#define LACUNA_AUTOTUNE_REPORT_H

#include "lacuna/Autotune/Tuner.h"

namespace lacuna::autotune {

std::string reportHtml(const std::vector<CaseResult> &results);

/// Writes index.html into `directory`, which is made where missing; its path.
/// Errors: Unavailable where it cannot be written.
Expected<std::string> writeReport(const std::string &directory, const std::vector<CaseResult> &results);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_REPORT_H
