//===- DeviceCopies.h - Host data as a GPU's kernels see it -----*- C++ -*-===//
//
// What a launch reads lies in host memory and has to be on the GPU first. Copies made here are freed together, with the
// object; each keeps its address until then:
//
//   DeviceCopies copies(device);
//   Expected<BlockListView> lists = copies.add(hostLists);            // to be given to Kernel::launch
//   Expected<DeviceBuffer *> o = copies.add(tensor.data(), tensor.bytes());
//   ... (*o)->download(tensor.data(), tensor.bytes());
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DEVICECOPIES_H
#define LACUNA_RUNTIME_DEVICECOPIES_H

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/Device.h"

#include <deque>
#include <span>

namespace lacuna::runtime {

/// Copies of host memory on one GPU. Each add() waits for its copy. Errors: as DeviceBuffer::allocate and upload.
/// Thread safety: one thread at a time.
class DeviceCopies {
public:
  explicit DeviceCopies(Device device) : device(std::move(device)) {}

  /// A copy of `bytes` bytes, of which there may be none: the buffer has one then. It lives as long as this object.
  Expected<DeviceBuffer *> add(const void *source, size_t bytes);
  /// The address of a copy of `numbers`.
  Expected<const int32_t *> add(std::span<const int32_t> numbers);
  /// The view of a copy of `lists`.
  Expected<BlockListView> add(const BlockLists &lists);

private:
  Device device;
  std::deque<DeviceBuffer> buffers; ///< a deque: its elements stay where they are
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_DEVICECOPIES_H
