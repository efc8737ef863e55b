#include "lacuna/Runtime/Kernel.h"

#include "ProgramQueues.h"
#include "TensorMapCache.h"

#include <algorithm>

namespace lacuna::runtime {

struct Kernel::State {
  LaunchSignature signature;
  Function function;
  TensorMapCache tensorMaps;
  std::unique_ptr<ProgramQueues> queues; ///< of a persistent kernel
  std::string action;                    ///< for the error of a failed launch, made ahead of it

  State(LaunchSignature checked, Function entry)
      : signature(std::move(checked)), function(std::move(entry)), tensorMaps(signature.metadata()),
        action(fmt::format("launching kernel '{}'", signature.metadata().kernel)) {}
};

const LaunchMetadata &Kernel::metadata() const {
  return state->signature.metadata();
}
const Function &Kernel::function() const {
  return state->function;
}

Expected<Kernel> Kernel::load(const Device &device, std::string_view image, LaunchMetadata metadata) {
  Expected<LaunchSignature> signature = LaunchSignature::create(std::move(metadata));
  if (!signature)
    return takeError(signature);
  const LaunchMetadata &checked = signature->metadata();
  Expected<Module> module = Module::load(device, image);
  if (!module)
    return takeError(module);
  Expected<Function> function = module->function(checked.symbol);
  if (!function)
    return takeError(function);
  if (checked.threads > function->maxThreads())
    return makeError(
        ErrorCode::ResourceExhausted,
        "kernel '{}' runs {} threads a CTA, and with {} registers each {} allows {}; lower the tile sizes or the "
        "registers",
        checked.kernel, checked.threads, function->registers(), device.info().name, function->maxThreads());
  if (Expected<void> allowed = function->allowShared(checked.sharedBytes); !allowed)
    return takeError(allowed);
  auto state = std::make_shared<State>(std::move(*signature), std::move(*function));
  if (state->signature.metadata().persistentBlocks > 0) {
    Expected<std::unique_ptr<ProgramQueues>> queues = ProgramQueues::create(device);
    if (!queues)
      return takeError(queues);
    state->queues = std::move(*queues);
  }
  return Kernel(std::move(state));
}

Expected<void> Kernel::launch(const Stream &stream, std::span<const ArgumentValue> arguments,
                              const LaunchOptions &options) const {
  Expected<LaunchBounds> bounds = state->signature.bind(arguments);
  if (!bounds)
    return takeError(bounds);
  const LaunchMetadata &metadata = state->signature.metadata();
  int64_t programs = bounds->programs();
  if (options.programs != 0) {
    if (!state->queues || !options.order || options.programs < 0 || options.programs > programs)
      return makeError(ErrorCode::InvalidArgument,
                       "{} programs of kernel '{}' were asked for; give 1 to {} with an order of so many entries, to a "
                       "persistent kernel, or 0 for all",
                       options.programs, metadata.kernel, programs);
    programs = options.programs;
  }
  const Device &device = state->function.module().device();
  const Driver &driver = device.driver();
  ContextGuard guard(device);
  ParameterPack pack;
  if (Expected<void> encoded = state->tensorMaps.add(driver, arguments, pack); !encoded)
    return encoded;
  pack.addArguments(arguments, *bounds);
  std::array<int64_t, 3> grid = bounds->grid;
  if (state->queues) {
    Expected<int32_t *> queue = state->queues->find(driver, stream.handle());
    if (!queue)
      return takeError(queue);
    pack.addPrograms(*queue, options.order, *bounds, programs);
    grid = {std::min<int64_t>(programs, int64_t(device.info().multiprocessors) * metadata.persistentBlocks), 1, 1};
  }
  return driver.check(
      driver.cuLaunchKernel(state->function.handle(), static_cast<unsigned>(grid[0]), static_cast<unsigned>(grid[1]),
                            static_cast<unsigned>(grid[2]), static_cast<unsigned>(metadata.threads), 1, 1,
                            static_cast<unsigned>(metadata.sharedBytes), stream.handle(), pack.pointers(), nullptr),
      state->action);
}

} // namespace lacuna::runtime
