#include "ScratchPlan.h"

#include <algorithm>

namespace lacuna::cpu {

int64_t ScratchPlan::allocate(int64_t bytes) {
  const int64_t rounded = std::max<int64_t>(1, (bytes + kUnit - 1) / kUnit) * kUnit;
  int64_t offset = 0;
  for (auto [begin, behind] : taken) {
    if (begin - offset >= rounded)
      break;
    offset = behind;
  }
  taken[offset] = offset + rounded;
  end = std::max(end, offset + rounded);
  return offset;
}

} // namespace lacuna::cpu
