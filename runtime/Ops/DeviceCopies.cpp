#include "lacuna/Runtime/DeviceCopies.h"

#include <algorithm>

namespace lacuna::runtime {

Expected<DeviceBuffer *> DeviceCopies::add(const void *source, size_t bytes) {
  Expected<DeviceBuffer> buffer = DeviceBuffer::allocate(device, std::max<size_t>(bytes, 1));
  if (!buffer)
    return takeError(buffer);
  if (Expected<void> done = buffer->upload(source, bytes); !done)
    return takeError(done);
  return &buffers.emplace_back(std::move(*buffer));
}

Expected<const int32_t *> DeviceCopies::add(std::span<const int32_t> numbers) {
  Expected<DeviceBuffer *> buffer = add(numbers.data(), numbers.size_bytes());
  if (!buffer)
    return takeError(buffer);
  return static_cast<const int32_t *>((*buffer)->data());
}

Expected<BlockListView> DeviceCopies::add(const BlockLists &lists) {
  BlockListView view = lists.view();
  const std::pair<std::span<const int32_t>, const int32_t **> parts[] = {
      {lists.indptr, &view.indptr}, {lists.split, &view.split}, {lists.indices, &view.indices}};
  for (const auto &[numbers, pointer] : parts) {
    Expected<const int32_t *> address = add(numbers);
    if (!address)
      return takeError(address);
    *pointer = *address;
  }
  return view;
}

} // namespace lacuna::runtime
