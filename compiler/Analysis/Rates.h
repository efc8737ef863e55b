// What a multiprocessor of sm_90 does in a cycle; KernelReport.h has the sources.
#pragma once

namespace lacuna {

inline constexpr double kTensorOpsPerCycle = 4096;
inline constexpr double kSharedBytesPerCycle = 128;
inline constexpr double kSpecialPerCycle = 16;
inline constexpr double kCopiedBytesPerCycle = 40;

} // namespace lacuna
