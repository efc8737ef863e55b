#include "TensorMapCache.h"

#include <algorithm>

namespace lacuna::runtime {

/// The box's innermost extent: 64 elements of 2 bytes fill the 128-byte swizzle.
constexpr uint32_t kBoxColumns = 64;

TensorMapCache::TensorMapCache(const LaunchMetadata &metadata) {
  for (const TensorMapSpec &spec : metadata.tensorMaps) {
    Slot &slot = slots.emplace_back();
    slot.spec = spec;
    slot.dtype = metadata.arguments[spec.argument].dtype;
    slot.name = metadata.arguments[spec.argument].name;
  }
}

Expected<void> TensorMapCache::add(const Driver &driver, std::span<const ArgumentValue> arguments,
                                   ParameterPack &pack) {
  if (slots.empty())
    return {};
  std::lock_guard lock(mutex);
  for (Slot &slot : slots) {
    Expected<const cu::TensorMap *> map = find(driver, slot, std::get<TensorView>(arguments[slot.spec.argument]));
    if (!map)
      return takeError(map);
    pack.add(**map);
  }
  return {};
}

Expected<void> TensorMapCache::replace(const Driver &driver, size_t argument, const TensorView &view,
                                       ParameterPack &pack) {
  std::lock_guard lock(mutex);
  std::array<const cu::TensorMap *, kMaxTensorMaps> found = {};
  for (size_t index = 0; index < slots.size(); ++index) {
    if (static_cast<size_t>(slots[index].spec.argument) != argument)
      continue;
    Expected<const cu::TensorMap *> map = find(driver, slots[index], view);
    if (!map)
      return takeError(map);
    found[index] = *map;
  }
  for (size_t index = 0; index < slots.size(); ++index)
    if (found[index])
      pack.set(index, *found[index]);
  return {};
}

Expected<const cu::TensorMap *> TensorMapCache::find(const Driver &driver, Slot &slot, const TensorView &view) {
  Key key{view.data};
  std::copy(view.shape.begin(), view.shape.end(), key.shape.begin());
  std::copy(view.strides.begin(), view.strides.end(), key.strides.begin());
  size_t entry = std::find(slot.keys.begin(), slot.keys.end(), key) - slot.keys.begin();
  if (entry == kEntries) {
    entry = slot.next;
    slot.keys[entry] = Key();
    if (Expected<void> done = encode(driver, slot, view, slot.maps[entry]); !done)
      return takeError(done);
    slot.keys[entry] = key;
    slot.next = (entry + 1) % kEntries;
  }
  return &slot.maps[entry];
}

Expected<void> TensorMapCache::encode(const Driver &driver, const Slot &slot, const TensorView &view,
                                      cu::TensorMap &map) {
  const size_t rank = view.shape.size();
  std::array<uint64_t, kMaxTensorMapRank> extents = {}, byteStrides = {};
  std::array<uint32_t, kMaxTensorMapRank> box = {}, elementStrides = {};
  for (size_t inner = 0; inner < rank; ++inner) { // the driver counts axes from the innermost
    size_t axis = rank - 1 - inner;
    extents[inner] = static_cast<uint64_t>(view.shape[axis]);
    const int fromRows = static_cast<int>(axis) - slot.spec.rowAxis;
    box[inner] = inner == 0       ? kBoxColumns
                 : fromRows == 0  ? slot.spec.boxRows
                 : fromRows == -1 ? slot.spec.outerRows
                                  : 1;
    elementStrides[inner] = 1;
    if (inner == 0)
      continue;
    // Nothing steps along an axis of extent 1, whose stride may be anything; the driver still wants a multiple of 16.
    byteStrides[inner - 1] = view.shape[axis] == 1 ? 16 : static_cast<uint64_t>(view.strides[axis]) * 2;
  }
  cu::Result result = driver.cuTensorMapEncodeTiled(
      &map, slot.dtype == DType::BF16 ? cu::BFloat16 : cu::Float16, static_cast<uint32_t>(rank), view.data,
      extents.data(), byteStrides.data(), box.data(), elementStrides.data(), cu::InterleaveNone, cu::Swizzle128B,
      cu::L2Promotion128B, cu::FillZero);
  if (result == cu::Success) [[likely]]
    return {};
  return driver.check(result, fmt::format("encoding the tensor map of argument '{}'", slot.name));
}

} // namespace lacuna::runtime
