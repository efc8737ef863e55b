//===- TensorMapCache.h - Encoded tensor maps of recent views ---*- C++ -*-===//

#ifndef LACUNA_RUNTIME_LAUNCH_TENSORMAPCACHE_H
#define LACUNA_RUNTIME_LAUNCH_TENSORMAPCACHE_H

#include "lacuna/Runtime/Driver.h"
#include "lacuna/Runtime/LaunchSignature.h"

#include <array>
#include <mutex>
#include <vector>

namespace lacuna::runtime {

/// The tensor maps of a kernel, encoded when a view is first seen and kept for the last few pointers, shapes and
/// strides. Thread safety: any number of threads.
class TensorMapCache {
public:
  explicit TensorMapCache(const LaunchMetadata &metadata);

  /// Adds the maps for `arguments` to `pack`, in the metadata's order. Allocates nothing. Errors: as Driver::check.
  Expected<void> add(const Driver &driver, std::span<const ArgumentValue> arguments, ParameterPack &pack);
  /// Puts the maps of `view`, argument `argument`, in the place of those that `pack` begins with. Errors: likewise; the
  /// pack then holds what it held.
  Expected<void> replace(const Driver &driver, size_t argument, const TensorView &view, ParameterPack &pack);

private:
  static constexpr size_t kEntries = 4;
  struct Key {
    const void *data = nullptr;
    std::array<int64_t, kMaxTensorMapRank> shape = {}, strides = {};
    bool operator==(const Key &) const = default;
  };
  struct Slot {
    TensorMapSpec spec;
    DType dtype;
    std::string name;
    std::array<Key, kEntries> keys;
    std::array<cu::TensorMap, kEntries> maps;
    size_t next = 0; ///< the entry that is replaced next
  };

  /// The map of `view`, which the caller's lock keeps in place.
  static Expected<const cu::TensorMap *> find(const Driver &driver, Slot &slot, const TensorView &view);
  static Expected<void> encode(const Driver &driver, const Slot &slot, const TensorView &view, cu::TensorMap &map);

  std::mutex mutex;
  std::vector<Slot> slots;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_LAUNCH_TENSORMAPCACHE_H
