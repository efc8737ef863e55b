//===- ScratchPlan.h - Offsets in the scratch area --------------*- C++ -*-===//
#ifndef LACUNA_CONVERSION_TILETOCPU_SCRATCHPLAN_H
#define LACUNA_CONVERSION_TILETOCPU_SCRATCHPLAN_H

#include <cstdint>
#include <map>

namespace lacuna::cpu {

/// Hands out offsets of an area that grows as needed, first fit, in units of 64 bytes: a cache line and the widest
/// vector.
class ScratchPlan {
public:
  static constexpr int64_t kUnit = 64;

  int64_t allocate(int64_t bytes);
  void release(int64_t offset) { taken.erase(offset); }

  /// Bytes of the whole area.
  int64_t size() const { return end; }

private:
  std::map<int64_t, int64_t> taken; ///< offset -> the offset behind it
  int64_t end = 0;
};

} // namespace lacuna::cpu

#endif // LACUNA_CONVERSION_TILETOCPU_SCRATCHPLAN_H
