// The bytes of a thread block's shared memory, and who may see them.
//
// Threads write through the generic proxy (st.shared); wgmma and TMA read and write through the asynchronous proxy.
// What a thread wrote is seen there only after that thread's fence_async, and after a barrier between the fence and the
// reader; seen by another thread, only after a barrier. Each generic write is remembered with its writer and the
// writer's time; what the asynchronous proxy writes (TMA) is ordered by the ring's barriers and is remembered there.
#pragma once

#include "Barriers.h"

#include <cstddef>
#include <span>
#include <vector>

namespace lacuna::interpreter {

/// An agent (0: the producer, w + 1: consumer warpgroup w) as shared memory knows it.
struct Observer {
  int64_t agent;
  Clock clock;
};

class SharedMemory {
public:
  /// All bytes are 0xff: a NaN in bf16, f16 and f32.
  explicit SharedMemory(int64_t bytes);

  int64_t size() const { return static_cast<int64_t>(data.size()); }

  //===- The asynchronous proxy -----------------------------------------------------------------------------------===//
  /// For copies and products; who reads checks the range first.
  std::byte *bytes() { return data.data(); }
  const std::byte *bytes() const { return data.data(); }
  /// Forgets what threads wrote there: a copy takes the place of it.
  void overwriteAsync(int64_t offset, int64_t length);
  /// Errors: VerifyError where a thread's write is not visible to an asynchronous read that `reader` issues now.
  Expected<void> checkAsyncRead(int64_t offset, int64_t length, const Observer &reader) const;

  //===- The generic proxy ----------------------------------------------------------------------------------------===//
  void write(int64_t offset, std::span<const std::byte> value, const Observer &writer);
  /// Errors: VerifyError where no barrier orders another agent's write before this read.
  Expected<void> read(int64_t offset, std::span<std::byte> value, const Observer &reader) const;
  /// fence.proxy.async of `agent`: its writes so far become visible to the asynchronous proxy. Advances its clock.
  void fence(Observer &agent);

private:
  struct Write {
    int32_t writer = -1; // none: not written by a thread
    int64_t time = 0;
  };
  static constexpr int64_t kGranule = 4; // bytes that are tracked together
  template <class Body> Expected<void> forEachWrite(int64_t offset, int64_t length, Body &&body) const;

  std::vector<std::byte> data;
  std::vector<Write> writes;                               // empty until a thread writes
  std::array<std::vector<int64_t>, kMaxAgents> fenceTimes; // ascending
};

} // namespace lacuna::interpreter
