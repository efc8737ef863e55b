// What kernels are generated for: a CPU, or the GPUs of a machine (lacuna/Dialect/Warp/IR/Machine.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lacuna {

enum class Target {
  Sm90a, ///< H100, H200: compute capability 9.0 and no other
  Sm80,  ///< every GPU from compute capability 8.0 on
  Cpu
};

inline constexpr Target kAllTargets[] = {Target::Sm90a, Target::Sm80, Target::Cpu};

std::string_view targetName(Target target);
std::optional<Target> parseTarget(std::string_view name);
/// All names, for messages: "sm_90a, sm_80 or cpu".
std::string_view targetNames();
inline bool isGpu(Target target) {
  return target != Target::Cpu;
}

/// A GPU as ptxas knows it: what code of a target is assembled for.
struct Processor {
  std::string_view name;    ///< "sm_86"
  int64_t sharedBytesLimit; ///< dynamic shared memory of a thread block
};
/// Null: not known here. **Source:** CUDA C++ Programming Guide, technical specifications of compute capabilities.
const Processor *findProcessor(std::string_view name);
/// The names of those that code of `target` runs on, for messages.
std::string processorNames(Target target);
/// Whether code of `target` can be assembled for `processor`.
bool runsOn(Target target, std::string_view processor);
/// The processor that code of `target` is assembled for unless told otherwise.
std::string_view defaultProcessor(Target target);

} // namespace lacuna
