#include "SharedMemory.h"

#include <algorithm>
#include <cstring>

namespace lacuna::interpreter {

static std::string agentName(int64_t agent) {
  return agent == 0 ? "the producer" : fmt::format("consumer warpgroup {}", agent - 1);
}

SharedMemory::SharedMemory(int64_t bytes) : data(static_cast<size_t>(bytes), std::byte{0xff}) {}

template <class Body> Expected<void> SharedMemory::forEachWrite(int64_t offset, int64_t length, Body &&body) const {
  if (writes.empty())
    return {};
  for (int64_t granule = offset / kGranule; granule * kGranule < offset + length; ++granule)
    if (const Write &write = writes[static_cast<size_t>(granule)]; write.writer >= 0)
      if (Expected<void> done = body(granule * kGranule, write); !done)
        return done;
  return {};
}

void SharedMemory::overwriteAsync(int64_t offset, int64_t length) {
  if (!writes.empty())
    std::fill(writes.begin() + offset / kGranule, writes.begin() + (offset + length + kGranule - 1) / kGranule,
              Write());
}

Expected<void> SharedMemory::checkAsyncRead(int64_t offset, int64_t length, const Observer &reader) const {
  return forEachWrite(offset, length, [&](int64_t at, const Write &write) -> Expected<void> {
    const std::vector<int64_t> &fences = fenceTimes[static_cast<size_t>(write.writer)];
    auto fence = std::lower_bound(fences.begin(), fences.end(), write.time);
    if (fence == fences.end())
      return makeError(ErrorCode::VerifyError,
                       "reads shared memory byte {} asynchronously, which {} wrote without a warp.fence_async after it",
                       at, agentName(write.writer));
    if (reader.clock.at[static_cast<size_t>(write.writer)] <= *fence)
      return makeError(ErrorCode::VerifyError,
                       "reads shared memory byte {} asynchronously, and no barrier orders the write and fence of {} "
                       "before it",
                       at, agentName(write.writer));
    return {};
  });
}

void SharedMemory::write(int64_t offset, std::span<const std::byte> value, const Observer &writer) {
  std::memcpy(data.data() + offset, value.data(), value.size());
  writes.resize(data.size() / kGranule + 1);
  const int64_t end = offset + static_cast<int64_t>(value.size());
  for (int64_t granule = offset / kGranule; granule * kGranule < end; ++granule)
    writes[static_cast<size_t>(granule)] = {static_cast<int32_t>(writer.agent),
                                            writer.clock.at[static_cast<size_t>(writer.agent)]};
}

Expected<void> SharedMemory::read(int64_t offset, std::span<std::byte> value, const Observer &reader) const {
  std::memcpy(value.data(), data.data() + offset, value.size());
  return forEachWrite(
      offset, static_cast<int64_t>(value.size()), [&](int64_t at, const Write &write) -> Expected<void> {
        if (write.writer != reader.agent && reader.clock.at[static_cast<size_t>(write.writer)] < write.time)
          return makeError(ErrorCode::VerifyError,
                           "reads shared memory byte {}, and no barrier orders the write of {} before it", at,
                           agentName(write.writer));
        return {};
      });
}

void SharedMemory::fence(Observer &agent) {
  int64_t &time = agent.clock.at[static_cast<size_t>(agent.agent)];
  fenceTimes[static_cast<size_t>(agent.agent)].push_back(time++);
}

} // namespace lacuna::interpreter
