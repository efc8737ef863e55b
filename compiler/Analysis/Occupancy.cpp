#include "lacuna/Compiler/Analysis/KernelReport.h"

#include <algorithm>
#include <utility>

namespace lacuna {

Occupancy occupancyOf(int64_t threads, int64_t registersPerThread, int64_t sharedBytes, int64_t sharedMemory) {
  constexpr int64_t kRegisters = 65536, kThreads = 2048, kBlocks = 32;
  constexpr int64_t kReserved = 1024; // of shared memory, by the system for each thread block
  int64_t warps = (threads + 31) / 32;
  // Registers are dealt to warps in units of 256.
  int64_t registers = warps * ((registersPerThread * 32 + 255) / 256 * 256);
  std::pair<int64_t, const char *> limits[] = {{registers ? kRegisters / registers : kBlocks, "registers"},
                                               {sharedMemory / (sharedBytes + kReserved), "shared memory"},
                                               {threads ? kThreads / threads : kBlocks, "threads"},
                                               {kBlocks, "thread blocks"}};
  auto least = *std::min_element(std::begin(limits), std::end(limits),
                                 [](const auto &a, const auto &b) { return a.first < b.first; });
  return {least.first, least.first * warps, least.second};
}

} // namespace lacuna
