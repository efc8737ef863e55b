#include "Ring.h"

namespace lacuna::interpreter {

constexpr int64_t kWarpsOfWarpgroup = 4;

Ring::Ring(RingShape shape, int64_t offset, int64_t consumers, int64_t copiers)
    : form(std::move(shape)), offset(offset), consumers(consumers), copiers(copiers),
      nextWait(static_cast<size_t>(consumers)) {
  Slot slot;
  slot.full = Mbarrier(copiers ? copiers : 1);
  slot.empty = Mbarrier(kWarpsOfWarpgroup * consumers);
  slot.holds.resize(static_cast<size_t>(consumers), Hold::Due);
  slots.resize(static_cast<size_t>(form.depth), slot);
}

std::string Ring::slotName(int64_t n) const {
  return fmt::format("fill {} of ring '{}' (slot {})", n, form.name, n % form.depth);
}

std::string Ring::describeFull(int64_t n) const {
  return fmt::format("{} to land: its full barrier must complete phase {} and has {}", slotName(n), round(n) + 1,
                     at(n).full.describe());
}
std::string Ring::describeEmpty(int64_t n) const {
  return fmt::format("the slot of {} to be empty: its empty barrier must complete phase {} and has {}", slotName(n),
                     round(n), at(n).empty.describe());
}

//===--------------------------------------------------------------------------------------------------------------===//
// The producer's side
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Ring::acquire(int64_t n, Observer &producer) {
  Slot &slot = at(n);
  if (slot.state != Slot::Empty)
    return makeError(ErrorCode::VerifyError,
                     "double fill: acquires {}, which still holds fill {}; the next fill of this ring is {}",
                     slotName(n), slot.fill, nextFill);
  if (n != nextFill)
    return makeError(ErrorCode::VerifyError, "fills out of order: acquires {}, and the next fill of this ring is {}",
                     slotName(n), nextFill);
  ++nextFill;
  slot.state = Slot::Acquired;
  slot.fill = n;
  producer.clock.join(slot.empty.releasedClock());
  return {};
}

Expected<void> Ring::beginFill(int64_t n, int64_t bytes, int64_t boxes, int64_t boxBytes, Observer &producer) {
  Slot &slot = at(n);
  if (slot.fill != n || slot.state == Slot::Empty)
    return makeError(ErrorCode::VerifyError, "fills {} without having acquired it", slotName(n));
  if (slot.state != Slot::Acquired)
    return makeError(ErrorCode::VerifyError, "double fill: fills {}, which is {} already", slotName(n),
                     slot.state == Slot::Full ? "full" : "being filled");
  if (bytes != boxBytes)
    return makeError(
        ErrorCode::VerifyError,
        "the transaction bytes do not match: fill {} of ring '{}' expects {} bytes, and its {} boxes bring "
        "{}; the slot would {} count as full",
        n, form.name, bytes, boxes, boxBytes, boxBytes < bytes ? "never" : "too early");
  slot.boxesInFlight = boxes;
  slot.state = boxes ? Slot::Filling : Slot::Full;
  slot.holds.assign(slot.holds.size(), Hold::Due);
  slot.filledAt = producer.clock;
  if (copiers && boxes) // They arrive when the last copy lands.
    return {};
  if (Expected<void> done =
          copiers ? slot.full.arrive(copiers, producer.clock) : slot.full.arriveExpecting(bytes, producer.clock);
      !done)
    return done;
  ++producer.clock.at[static_cast<size_t>(producer.agent)];
  return {};
}

Expected<void> Ring::land(int64_t n, int64_t bytes) {
  Slot &slot = at(n);
  if (slot.fill != n || slot.state != Slot::Filling)
    return makeError(ErrorCode::VerifyError, "a copy lands in {} after the slot was given to fill {}", slotName(n),
                     slot.fill);
  if (--slot.boxesInFlight == 0)
    slot.state = Slot::Full;
  if (copiers)
    return slot.state == Slot::Full ? slot.full.arrive(copiers, slot.filledAt) : Expected<void>();
  return slot.full.land(bytes);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The consumers' side
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Ring::checkNextWait(int64_t n, int64_t warpgroup) const {
  if (int64_t next = nextWait[static_cast<size_t>(warpgroup)]; n != next)
    return makeError(ErrorCode::VerifyError, "waits for fill {} of ring '{}', and the next one to be waited for is {}",
                     n, form.name, next);
  return {};
}

Expected<void> Ring::wait(int64_t n, int64_t warpgroup, Observer &consumer) {
  Slot &slot = at(n);
  if (slot.full.completedPhases() != round(n) + 1 || slot.fill != n || slot.state != Slot::Full)
    return makeError(ErrorCode::VerifyError,
                     "read before it has landed: the parity lets the wait for {} pass, but the slot holds fill {}; its "
                     "full barrier has {}",
                     slotName(n), slot.fill, slot.full.describe());
  ++nextWait[static_cast<size_t>(warpgroup)];
  slot.holds[static_cast<size_t>(warpgroup)] = Hold::Held;
  consumer.clock.join(slot.full.releasedClock());
  return {};
}

Expected<void> Ring::checkHeld(int64_t n, int64_t warpgroup) const {
  const Slot &slot = at(n);
  if (slot.fill != n)
    return makeError(ErrorCode::VerifyError, "reads {} after giving it back; the slot belongs to fill {} now",
                     slotName(n), slot.fill);
  switch (slot.holds[static_cast<size_t>(warpgroup)]) {
  case Hold::Held:
    return {};
  case Hold::Due:
    return makeError(ErrorCode::VerifyError, "reads {} without having waited for it", slotName(n));
  case Hold::Released:
    break;
  }
  return makeError(ErrorCode::VerifyError, "reads {} after giving it back", slotName(n));
}

Expected<void> Ring::release(int64_t n, int64_t warpgroup, Observer &consumer) {
  Slot &slot = at(n);
  Hold &hold = slot.holds[static_cast<size_t>(warpgroup)];
  if (slot.fill != n || hold != Hold::Held)
    return makeError(ErrorCode::VerifyError, "releases {}{}", slotName(n),
                     slot.fill == n && hold == Hold::Due ? " without having waited for it" : " a second time");
  hold = Hold::Released;
  bool last = true;
  for (Hold each : slot.holds)
    last &= each == Hold::Released;
  if (last)
    slot.state = Slot::Empty;
  Expected<void> done = slot.empty.arrive(kWarpsOfWarpgroup, consumer.clock);
  ++consumer.clock.at[static_cast<size_t>(consumer.agent)];
  return done;
}

Expected<void> Ring::checkEnd() const {
  for (const Slot &slot : slots) {
    if (slot.state == Slot::Empty)
      continue;
    if (slot.state != Slot::Full)
      return makeError(ErrorCode::VerifyError, "{} is never {}", slotName(slot.fill),
                       slot.state == Slot::Acquired ? "filled after it was acquired"
                                                    : "waited for: a copy lands when the thread block is gone");
    for (int64_t warpgroup = 0; warpgroup < consumers; ++warpgroup)
      if (Hold hold = slot.holds[static_cast<size_t>(warpgroup)]; hold != Hold::Released)
        return makeError(ErrorCode::VerifyError, "{} is never {} by consumer warpgroup {}", slotName(slot.fill),
                         hold == Hold::Due ? "consumed" : "released", warpgroup);
  }
  return {};
}

} // namespace lacuna::interpreter
