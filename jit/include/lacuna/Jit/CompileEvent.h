// What a listener of a Jit hears of each kernel that was asked for.
#pragma once

#include "lacuna/Jit/CachedCompiler.h"

#include <functional>
#include <string>
#include <vector>

namespace lacuna {

/// One Jit::compile, or one variant that a launch had to compile, at its end. Thread safety: a plain value.
struct CompileEvent {
  std::string kernel; ///< its name; of a compilation that failed, the name that was asked for, which may be empty
  std::string file;   ///< the name of its text in messages
  Target target = Target::Cpu;
  bool variant = false; ///< compiled by a launch, for scalars that are not above zero
  CacheSource source = CacheSource::None;
  double milliseconds = 0;            ///< from the call to the loaded kernel, waiting for other compilations included
  std::vector<StageTime> stages = {}; ///< of the stages that ran; none for a kernel from the cache
  const Error *error = nullptr;       ///< why it failed, for the time of the call; null where it did not
};

/// Called in the thread that compiled, after the kernel is there and with no lock held. It must not throw.
using CompileListener = std::function<void(const CompileEvent &)>;

} // namespace lacuna
