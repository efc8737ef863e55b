// The parts of the machine by themselves: barriers, shared memory and its two proxies, rings, operand layouts.
#include "Barriers.h"
#include "Products.h"
#include "Ring.h"
#include "SharedMemory.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace lacuna;
using namespace lacuna::interpreter;

namespace {

/// Whether `result` is an error whose message has `part`.
template <class T> bool fails(const Expected<T> &result, std::string_view part) {
  return !result && result.error().message.find(part) != std::string::npos;
}

Observer observer(int64_t agent) {
  Observer result{agent, {}};
  result.clock.at[static_cast<size_t>(agent)] = 1;
  return result;
}

/// Both agents pass a barrier.
void synchronise(Observer &a, Observer &b) {
  Clock both = a.clock;
  both.join(b.clock);
  for (Observer *each : {&a, &b}) {
    each->clock.join(both);
    ++each->clock.at[static_cast<size_t>(each->agent)];
  }
}

constexpr int64_t kWord = 4;
std::array<std::byte, kWord> word() {
  return {};
}

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Barriers
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("mbarrier: arrivals and bytes complete a phase, whose parity the wait sees") {
  Mbarrier barrier(2);
  CHECK(barrier.test(1)); // a fresh one has completed the phase before the first
  CHECK(!barrier.test(0));
  REQUIRE(barrier.arriveExpecting(100, {}).has_value());
  REQUIRE(barrier.land(60).has_value());
  REQUIRE(barrier.arrive(1, {}).has_value());
  CHECK(!barrier.test(0)); // 40 bytes are missing
  REQUIRE(barrier.land(40).has_value());
  CHECK(barrier.test(0));
  CHECK(barrier.completedPhases() == 1);
  REQUIRE(barrier.arrive(2, {}).has_value());
  CHECK(!barrier.test(0)); // parity alone: the second phase hides the first
  CHECK(barrier.test(1));
}

TEST_CASE("mbarrier: too many arrivals, too many bytes") {
  Mbarrier barrier(1);
  CHECK(fails(barrier.arrive(2, {}), "2 arrive at a barrier that awaits 1 of 1 arrivals"));
  CHECK(fails(barrier.land(8), "8 bytes land at a barrier that awaits 0"));
}

TEST_CASE("named barrier: generations, counts, arrivals that nobody waits for") {
  NamedBarrier barrier;
  REQUIRE(barrier.arrive(128, 256, false, {}).has_value());
  CHECK(barrier.generation() == 0);
  CHECK(fails(barrier.arrive(128, 384, true, {}), "used for 384 threads while others use it for 256"));
  REQUIRE(barrier.arrive(128, 256, true, {}).has_value());
  CHECK(barrier.generation() == 1);
  CHECK(barrier.arrivedThreads() == 0);
  CHECK(fails(barrier.arrive(256, 256, false, {}), "all 256 threads arrive and none waits"));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Shared memory
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("a thread's write needs a fence before an asynchronous read") {
  SharedMemory memory(64);
  Observer writer = observer(1);
  memory.write(16, word(), writer);
  CHECK(memory.checkAsyncRead(0, 16, writer).has_value());
  CHECK(fails(memory.checkAsyncRead(16, 4, writer), "consumer warpgroup 0 wrote without a warp.fence_async"));
  memory.fence(writer);
  CHECK(memory.checkAsyncRead(0, 64, writer).has_value());
  memory.write(20, word(), writer); // after the fence
  CHECK(fails(memory.checkAsyncRead(0, 64, writer), "byte 20"));
}

TEST_CASE("another's asynchronous read also needs a barrier, after the fence") {
  SharedMemory memory(64);
  Observer writer = observer(1), reader = observer(2);
  memory.write(0, word(), writer);
  memory.fence(writer);
  CHECK(fails(memory.checkAsyncRead(0, 4, reader), "no barrier orders the write and fence of consumer warpgroup 0"));
  synchronise(writer, reader);
  CHECK(memory.checkAsyncRead(0, 4, reader).has_value());

  memory.write(4, word(), writer);
  synchronise(writer, reader);
  memory.fence(writer); // too late for this barrier
  CHECK(fails(memory.checkAsyncRead(4, 4, reader), "no barrier orders"));
}

TEST_CASE("a generic read needs a barrier, no fence") {
  SharedMemory memory(64);
  Observer writer = observer(0), reader = observer(3);
  std::array<std::byte, kWord> value;
  memory.write(8, word(), writer);
  CHECK(memory.read(8, value, writer).has_value());
  CHECK(fails(memory.read(8, value, reader), "no barrier orders the write of the producer"));
  synchronise(writer, reader);
  CHECK(memory.read(8, value, reader).has_value());
}

TEST_CASE("a copy takes the place of a thread's write") {
  SharedMemory memory(64);
  Observer writer = observer(1);
  memory.write(0, word(), writer);
  memory.overwriteAsync(0, 16);
  CHECK(memory.checkAsyncRead(0, 16, writer).has_value());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rings
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("a ring: fill, wait, release, twice around") {
  Ring ring({"k", 2, 64, 64, true, 8192}, 1024, 2);
  Observer producer = observer(0), first = observer(1), second = observer(2);
  for (int64_t n = 0; n < 5; ++n) {
    REQUIRE(ring.canAcquire(n));
    REQUIRE(ring.acquire(n, producer).has_value());
    CHECK(ring.slotOffset(n) == 1024 + n % 2 * 8192);
    REQUIRE(ring.beginFill(n, 8192, 2, 8192, producer).has_value());
    CHECK(!ring.canWait(n));
    REQUIRE(ring.land(n, 4096).has_value());
    CHECK(!ring.canWait(n));
    REQUIRE(ring.land(n, 4096).has_value());
    for (Observer *each : {&first, &second}) {
      REQUIRE(ring.canWait(n));
      CHECK(fails(ring.checkHeld(n, each->agent - 1), "without having waited for it"));
      REQUIRE(ring.wait(n, each->agent - 1, *each).has_value());
      CHECK(ring.checkHeld(n, each->agent - 1).has_value());
    }
    CHECK(fails(ring.checkEnd(), "is never released by consumer warpgroup 0"));
    REQUIRE(ring.release(n, 0, first).has_value());
    CHECK(!ring.canAcquire(n + 2)); // the second warpgroup still holds it
    REQUIRE(ring.release(n, 1, second).has_value());
    CHECK(ring.canAcquire(n + 2));
    CHECK(fails(ring.checkHeld(n, 0), "after giving it back"));
  }
  CHECK(ring.checkEnd().has_value());
}

TEST_CASE("a ring: a fill that nobody takes, a copy that is still under way at the end") {
  Ring ring({"v", 1, 64, 64, true, 8192}, 0, 1);
  Observer producer = observer(0);
  REQUIRE(ring.acquire(0, producer).has_value());
  CHECK(fails(ring.checkEnd(), "is never filled after it was acquired"));
  REQUIRE(ring.beginFill(0, 8192, 1, 8192, producer).has_value());
  CHECK(fails(ring.checkEnd(), "a copy lands when the thread block is gone"));
  REQUIRE(ring.land(0, 8192).has_value());
  CHECK(fails(ring.checkEnd(), "is never consumed by consumer warpgroup 0"));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Operands
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("a descriptor reads what the swizzled tile holds, in both directions") {
  constexpr int64_t kRows = 48, kColumns = 160; // stored; the last chunk is half filled
  const warp::SwizzledTile tile{kRows};
  std::vector<std::byte> memory(static_cast<size_t>(3 * tile.chunkBytes()));
  auto valueAt = [](int64_t row, int64_t column) { return static_cast<float>(row * 7 - column); };
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column) {
      const uint16_t bits = runtime::floatToF16(valueAt(row, column));
      std::memcpy(memory.data() + tile.offset(row, column), &bits, sizeof bits);
    }
  for (bool kMajor : {true, false}) {
    const SharedOperand operand{memory.data(), 0, {kRows, kMajor}, false};
    const int64_t along = kMajor ? kRows : kColumns, steps = (kMajor ? kColumns : kRows) / 16;
    std::vector<float> values(static_cast<size_t>(16 * along));
    for (int64_t step = 0; step < steps; ++step) {
      readOperandStep(operand, step, along, values.data());
      bool equal = true;
      for (int64_t k = 0; k < 16; ++k)
        for (int64_t i = 0; i < along; ++i)
          equal &= values[static_cast<size_t>(k * along + i)] ==
                   (kMajor ? valueAt(i, step * 16 + k) : valueAt(step * 16 + k, i));
      CHECK(equal);
    }
  }
}

TEST_CASE("rounding of 16-bit elements is to nearest, ties to even") {
  CHECK(roundTo(Element::BF16, 1.00390625f) == 1.0f);      // half way between 1 and 1 + 2^-7
  CHECK(roundTo(Element::BF16, 1.01171875f) == 1.015625f); // half way, to even
  CHECK(roundTo(Element::F16, 65520.0f) == std::numeric_limits<float>::infinity());
  CHECK(roundTo(Element::F32, 1.00390625f) == 1.00390625f);
}
