#include "lacuna/Runtime/Kernel.h"

#include "KernelState.h"

#include "lacuna/Runtime/Trace.h"

#include <algorithm>

namespace lacuna::runtime {

Kernel::State::State(LaunchSignature checked, Function entry)
    : signature(std::move(checked)), function(std::move(entry)), tensorMaps(signature.metadata()),
      action(fmt::format("launching kernel '{}'", signature.metadata().kernel)),
      launchRange("launch", signature.metadata().symbol) {}

Expected<void> Kernel::State::checkStream(const Stream &stream) const {
  const int ours = device().info().ordinal, theirs = stream.device().info().ordinal;
  if (ours == theirs) [[likely]]
    return {};
  return makeError(ErrorCode::InvalidArgument,
                   "kernel '{}' is loaded on GPU {}, and the stream belongs to GPU {}; load the kernel there too, or "
                   "give a stream of GPU {}",
                   signature.metadata().kernel, ours, theirs, ours);
}

Expected<int64_t> Kernel::State::programsOf(const LaunchBounds &bounds, const LaunchOptions &options) const {
  if (options.programs == 0)
    return bounds.programs();
  if (queues && options.order && options.programs > 0 && options.programs <= bounds.programs())
    return options.programs;
  return makeError(ErrorCode::InvalidArgument,
                   "{} programs of kernel '{}' were asked for; give 1 to {} with an order of so many entries, to a "
                   "persistent kernel, or 0 for all",
                   options.programs, signature.metadata().kernel, bounds.programs());
}

std::array<unsigned, 3> Kernel::State::threadBlocks(const LaunchBounds &bounds, int64_t programs) const {
  const int resident = signature.metadata().persistentBlocks;
  if (resident > 0)
    return {static_cast<unsigned>(std::min<int64_t>(programs, int64_t(device().info().multiprocessors) * resident)), 1,
            1};
  return {static_cast<unsigned>(bounds.grid[0]), static_cast<unsigned>(bounds.grid[1]),
          static_cast<unsigned>(bounds.grid[2])};
}

Expected<void> Kernel::State::enqueue(cu::Stream stream, const std::array<unsigned, 3> &blocks,
                                      void **parameters) const {
  const LaunchMetadata &metadata = signature.metadata();
  const Driver &driver = device().driver();
  cu::Result result =
      driver.cuLaunchKernel(function.handle(), blocks[0], blocks[1], blocks[2], static_cast<unsigned>(metadata.threads),
                            1, 1, static_cast<unsigned>(metadata.sharedBytes), stream, parameters, nullptr);
  if (result == cu::Success) [[likely]]
    return {};
  Expected<void> failed = driver.check(result, action);
  if (result == cu::LaunchOutOfResources)
    failed.error().notes.push_back(fmt::format(
        "a CTA of it has {} threads of {} registers and {} bytes of shared memory; {} allows a CTA 65536 registers and "
        "{} bytes: lower the tile sizes or the number of stages",
        metadata.threads, function.registers(), metadata.sharedBytes, device().info().name,
        device().info().sharedBytesPerBlock));
  return failed;
}

const LaunchMetadata &Kernel::metadata() const {
  return state->signature.metadata();
}
const Function &Kernel::function() const {
  return state->function;
}

Expected<Kernel> Kernel::load(const Device &device, std::string_view image, LaunchMetadata metadata) {
  TraceSpan span("module load", metadata.symbol);
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
  ProfilerRange range(state->launchRange);
  Expected<LaunchBounds> bounds = state->signature.bind(arguments);
  if (!bounds)
    return takeError(bounds);
  if (Expected<void> ours = state->checkStream(stream); !ours)
    return ours;
  Expected<int64_t> programs = state->programsOf(*bounds, options);
  if (!programs)
    return takeError(programs);
  const Device &device = state->device();
  const Driver &driver = device.driver();
  ContextGuard guard(device);
  ParameterPack pack;
  if (Expected<void> encoded = state->tensorMaps.add(driver, arguments, pack); !encoded)
    return encoded;
  pack.addArguments(arguments, *bounds);
  if (state->queues) {
    Expected<int32_t *> queue = state->queues->find(driver, stream.handle());
    if (!queue)
      return takeError(queue);
    pack.addPrograms(*queue, options.order, *bounds, *programs);
  }
  return state->enqueue(stream.handle(), state->threadBlocks(*bounds, *programs), pack.pointers());
}

} // namespace lacuna::runtime
