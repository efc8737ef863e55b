// The barriers of one thread block, and the order of events that they make.
//
// A Clock is a vector clock: `at[a]` is how far agent a (the producer or a warpgroup) had come, as far as the owner can
// know. Arriving at a barrier leaves the agent's clock there; passing the barrier takes what was left. What an agent
// wrote at time t is ordered before another's read exactly when the reader's clock has at[writer] >= t; after each
// arrival (and each fence) an agent's own time goes on.
#pragma once

#include "lacuna/Runtime/Error.h"

#include <array>
#include <cstdint>
#include <string>

namespace lacuna::interpreter {

inline constexpr int64_t kMaxAgents = 4; // a producer and up to three consumer warpgroups

struct Clock {
  std::array<int64_t, kMaxAgents> at = {};
  void join(const Clock &other);
};

/// An mbarrier in shared memory: a phase completes when all arrivals and all announced bytes have come.
/// Source: PTX ISA, mbarrier objects.
class Mbarrier {
public:
  Mbarrier() = default;
  explicit Mbarrier(int64_t arrivals) : expected(arrivals), pending(arrivals) {}

  /// Errors: VerifyError for more arrivals than the phase expects.
  Expected<void> arrive(int64_t count, const Clock &clock);
  /// Arrives once and announces `bytes`. Errors: as arrive.
  Expected<void> arriveExpecting(int64_t bytes, const Clock &clock);
  /// `bytes` have landed. Errors: VerifyError for more than were announced.
  Expected<void> land(int64_t bytes);

  /// What try_wait.parity says: whether the phase of this parity is complete. It cannot tell a phase from the one two
  /// before or after; a fresh barrier counts as having completed a phase of parity 1.
  bool test(int64_t parity) const { return (completed & 1) != parity; }
  int64_t completedPhases() const { return completed; }
  const Clock &releasedClock() const { return released; }
  /// "2 phases complete; the next lacks 1 of 1 arrivals and 0 bytes"
  std::string describe() const;

private:
  void completeIfDone();
  int64_t expected = 0, pending = 0, bytes = 0, completed = 0;
  Clock gathering, released;
};

/// A named barrier (bar.sync, bar.arrive): complete when `threads` threads have arrived, waiting or not.
class NamedBarrier {
public:
  /// `count` threads of an agent arrive; `waits` says whether they stay. Errors: VerifyError for a count of the barrier
  /// that differs from the others', more threads than that, or a completion that nobody waits for.
  Expected<void> arrive(int64_t count, int64_t threads, bool waits, const Clock &clock);
  /// The generation that the next arrival belongs to; it has passed when this has grown.
  int64_t generation() const { return completed; }
  const Clock &releasedClock() const { return released; }
  int64_t arrivedThreads() const { return arrived; }
  /// "128 of 256 threads have arrived"
  std::string describe() const;

private:
  int64_t expected = 0, arrived = 0, completed = 0;
  bool somebodyWaits = false;
  Clock gathering, released;
};

} // namespace lacuna::interpreter
