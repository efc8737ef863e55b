#include "lacuna/Jit/DeviceTarget.h"

#include "lacuna/Runtime/Knobs.h"

namespace lacuna {

void DeviceTarget::applyTo(CompileRequest &request) const {
  request.target = target;
  request.processor = processor;
  request.driverAssembles = isGpu(target) && processor.empty();
}

Expected<std::optional<Target>> targetOfEnvironment() {
  Expected<runtime::Knobs> knobs = runtime::Knobs::fromEnvironment();
  if (!knobs)
    return takeError(knobs);
  if (knobs->target.empty())
    return std::optional<Target>();
  std::optional<Target> named = parseTarget(knobs->target);
  if (!named || !isGpu(*named))
    return makeError(ErrorCode::InvalidArgument, "LACUNA_TARGET is '{}'; give sm_90a or sm_80, or unset it",
                     knobs->target);
  return named;
}

Target ownTarget(const runtime::DeviceInfo &device) {
  return device.major == 9 && device.minor == 0 ? Target::Sm90a : Target::Sm80;
}

Expected<DeviceTarget> chooseTarget(const runtime::DeviceInfo &device, std::optional<Target> wanted) {
  if (device.major < 8)
    return makeError(ErrorCode::Unsupported,
                     "{} has compute capability {}.{}; kernels are generated for 8.0 and above. Use the CPU target",
                     device.name, device.major, device.minor);
  if (!wanted) {
    Expected<std::optional<Target>> named = targetOfEnvironment();
    if (!named)
      return takeError(named);
    wanted = *named;
  }
  const Target own = ownTarget(device), target = wanted.value_or(own);
  if (target == Target::Cpu || (target == Target::Sm90a && own != target))
    return makeError(ErrorCode::InvalidArgument,
                     "{} with compute capability {}.{} does not run code for {}; it runs sm_80", device.name,
                     device.major, device.minor, targetName(target));
  std::string processor = target == Target::Sm90a ? std::string(defaultProcessor(target))
                                                  : fmt::format("sm_{}{}", device.major, device.minor);
  return DeviceTarget{target, runsOn(target, processor) ? processor : std::string()};
}

} // namespace lacuna
