// A ring of slots in shared memory: fill n lies in slot n % depth. Each slot has the two mbarriers that the kernel
// waits at, and beside them what the kernel means by it, so that a parity which lets the wrong phase pass is noticed.
#pragma once

#include "Barriers.h"
#include "SharedMemory.h"

#include <vector>

namespace lacuna::interpreter {

/// What the type and the name of a ring say. Shared tiles have 16-bit elements.
struct RingShape {
  std::string name;
  int64_t depth = 1, rows = 0, columns = 0;
  bool bf16 = true;
  int64_t slotBytes = 0;
};

class Ring {
public:
  /// `offset`: where slot 0 begins in shared memory; `consumers`: warpgroups that wait for and release each fill;
  /// `copiers`: threads that copy, each of which arrives when its own copies have landed, or 0: a copy engine brings
  /// the bytes that one thread announces.
  Ring(RingShape shape, int64_t offset, int64_t consumers, int64_t copiers = 0);

  const RingShape &shape() const { return form; }
  int64_t slotOffset(int64_t n) const { return offset + n % form.depth * form.slotBytes; }

  //===- The producer's side; errors are VerifyErrors
  //--------------------------------------------------------------===//
  bool canAcquire(int64_t n) const { return at(n).empty.test((round(n) & 1) ^ 1); }
  Expected<void> acquire(int64_t n, Observer &producer);
  /// Announces `bytes` for `boxes` copies that bring `boxBytes` together.
  Expected<void> beginFill(int64_t n, int64_t bytes, int64_t boxes, int64_t boxBytes, Observer &producer);
  /// One box of fill n has been written.
  Expected<void> land(int64_t n, int64_t bytes);

  //===- The consumers' side
  //---------------------------------------------------------------------------------------===//
  bool canWait(int64_t n) const { return at(n).full.test(round(n) & 1); }
  /// Errors where fill n is not the next that the warpgroup has to wait for.
  Expected<void> checkNextWait(int64_t n, int64_t warpgroup) const;
  /// Precondition: both.
  Expected<void> wait(int64_t n, int64_t warpgroup, Observer &consumer);
  /// Errors where the warpgroup does not hold fill n, so that it must not read it.
  Expected<void> checkHeld(int64_t n, int64_t warpgroup) const;
  /// Four warps arrive, a lane each.
  Expected<void> release(int64_t n, int64_t warpgroup, Observer &consumer);

  /// What is wrong when the thread block ends: fills that somebody never waited for or never released.
  Expected<void> checkEnd() const;
  std::string describeFull(int64_t n) const;
  std::string describeEmpty(int64_t n) const;

private:
  enum class Hold { Due, Held, Released }; // of one warpgroup, on the slot's fill
  struct Slot {
    Mbarrier full, empty;
    Clock filledAt; // the producer's, when it had issued the copies
    enum { Empty, Acquired, Filling, Full } state = Empty;
    int64_t fill = -1, boxesInFlight = 0;
    std::vector<Hold> holds;
  };
  int64_t round(int64_t n) const { return n / form.depth; }
  Slot &at(int64_t n) { return slots[static_cast<size_t>(n % form.depth)]; }
  const Slot &at(int64_t n) const { return slots[static_cast<size_t>(n % form.depth)]; }
  std::string slotName(int64_t n) const;

  RingShape form;
  int64_t offset, consumers, copiers, nextFill = 0;
  std::vector<int64_t> nextWait; // by warpgroup
  std::vector<Slot> slots;
};

} // namespace lacuna::interpreter
