#include "Barriers.h"

#include <algorithm>

namespace lacuna::interpreter {

void Clock::join(const Clock &other) {
  for (size_t agent = 0; agent < at.size(); ++agent)
    at[agent] = std::max(at[agent], other.at[agent]);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Mbarrier
//===--------------------------------------------------------------------------------------------------------------===//

void Mbarrier::completeIfDone() {
  if (pending != 0 || bytes != 0)
    return;
  ++completed;
  pending = expected;
  released.join(gathering);
  gathering = {};
}

Expected<void> Mbarrier::arrive(int64_t count, const Clock &clock) {
  if (count > pending)
    return makeError(ErrorCode::VerifyError, "{} arrive at a barrier that awaits {} of {} arrivals", count, pending,
                     expected);
  gathering.join(clock);
  pending -= count;
  completeIfDone();
  return {};
}

Expected<void> Mbarrier::arriveExpecting(int64_t announced, const Clock &clock) {
  bytes += announced;
  return arrive(1, clock);
}

Expected<void> Mbarrier::land(int64_t landed) {
  if (landed > bytes)
    return makeError(ErrorCode::VerifyError, "{} bytes land at a barrier that awaits {}", landed, bytes);
  bytes -= landed;
  completeIfDone();
  return {};
}

std::string Mbarrier::describe() const {
  return fmt::format("{} phase{} complete; the next lacks {} of {} arrivals and {} bytes", completed,
                     completed == 1 ? "" : "s", pending, expected, bytes);
}

//===--------------------------------------------------------------------------------------------------------------===//
// NamedBarrier
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> NamedBarrier::arrive(int64_t count, int64_t threads, bool waits, const Clock &clock) {
  if (arrived != 0 && threads != expected)
    return makeError(ErrorCode::VerifyError, "the barrier is used for {} threads while others use it for {}", threads,
                     expected);
  expected = threads;
  if (arrived + count > expected)
    return makeError(ErrorCode::VerifyError, "{} threads arrive at a barrier for {}, where {} have arrived already",
                     count, expected, arrived);
  arrived += count;
  somebodyWaits |= waits;
  gathering.join(clock);
  if (arrived < expected)
    return {};
  if (!somebodyWaits)
    return makeError(ErrorCode::VerifyError,
                     "all {} threads arrive and none waits, so that the barrier starts anew and a later wait hangs",
                     expected);
  ++completed;
  arrived = 0;
  somebodyWaits = false;
  released.join(gathering);
  gathering = {};
  return {};
}

std::string NamedBarrier::describe() const {
  return fmt::format("{} of {} threads have arrived", arrived, expected);
}

} // namespace lacuna::interpreter
