// A schedule on the interpreter of `warp`.
#pragma once

#include "SchedulePoints.h"

namespace lacuna::schedules {

/// Runs point `index` on a small problem that follows from `seed`, in two orders of events: against float64, and bit
/// for bit alike. What is wrong, a sentence each.
std::vector<std::string> interpretSchedule(const numeric::ScheduleSpace &space, int64_t index, uint64_t seed);

} // namespace lacuna::schedules
