// From points of a schedule space to attention cases.
#pragma once

#include "AttentionCase.h"
#include "SchedulePoints.h"

namespace lacuna::numeric {

/// What point `index` is compiled for, in the words of the attention cases: type, head dimensions, lists' block, tile,
/// hooks, and as `knobs` what else the schedule chooses. For matrix products only type, tile and lists' block say
/// something.
AttentionSpec attentionSpecOf(const ScheduleSpace &space, int64_t index);

} // namespace lacuna::numeric
