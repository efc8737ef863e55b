// What a multiprocessor does in a cycle; KernelReport.h has the sources.
#pragma once

#include "lacuna/Dialect/Warp/IR/Machine.h"

namespace lacuna {

struct Rates {
  double tensorOps, sharedBytes, specialFunctions, copiedBytes;
};

inline constexpr Rates kSm90Rates = {4096, 128, 16, 40}, kSm80Rates = {2048, 128, 16, 47};

inline const Rates &ratesOf(const warp::Machine &machine) {
  return machine.asyncProducts ? kSm90Rates : kSm80Rates;
}

} // namespace lacuna
