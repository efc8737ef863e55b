// What kernels for a GPU are generated and assembled for.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Runtime/AttentionShape.h"
#include "lacuna/Runtime/Device.h"

namespace lacuna {

struct DeviceTarget {
  Target target = Target::Sm90a;
  /// What ptxas assembles for; empty: the GPU is newer than this table, and its driver assembles the PTX.
  std::string processor;

  /// Hands both to a request.
  void applyTo(CompileRequest &request) const;
};

/// What the operators' tiles must fit: a CPU takes those of sm_90a.
inline runtime::TileLimits tileLimitsOf(Target target) {
  return target == Target::Sm80 ? runtime::kAmpereTiles : runtime::kHopperTiles;
}

/// sm_90a for compute capability 9.0, sm_80 for every other.
Target ownTarget(const runtime::DeviceInfo &device);

/// What LACUNA_TARGET names, if anything. Errors: InvalidArgument for a word that is no GPU's target.
Expected<std::optional<Target>> targetOfEnvironment();

/// The GPU's own target, for a GPU from compute capability 8.0 on. `wanted`, or else LACUNA_TARGET, asks for
/// another one that the GPU runs, too: sm_80 on an H100, to test it there. Errors: Unsupported for a GPU before 8.0;
/// InvalidArgument for a target that is none, or that this GPU does not run.
Expected<DeviceTarget> chooseTarget(const runtime::DeviceInfo &device, std::optional<Target> wanted = std::nullopt);

} // namespace lacuna
