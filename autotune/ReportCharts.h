// The drawings of a tuning report, as SVG, and what they share with its tables.
#pragma once

#include "lacuna/Autotune/Tuner.h"

namespace lacuna::autotune {

std::string escaped(std::string_view text);

bool hasTime(const PointRecord &record);
/// Time as a multiple of the default's in the same rounds.
double ratioOf(const PointRecord &record);
/// The ratio that others are told against: the winner's, else the least; 0 where nothing has been timed.
double bestRatio(const CaseResult &result);

/// Whether a record is of the point that won.
bool isWinner(const CaseResult &result, const PointRecord &record);

/// Every point: columns are the values of the knob that has most, rows the combinations of the others; and its legend.
std::string landscapeSvg(const CaseResult &result, double best);

/// Predicted share of the peak against measured speed; a sentence where there is nothing to compare.
std::string predictionSvg(const CaseResult &result, double best);

} // namespace lacuna::autotune
