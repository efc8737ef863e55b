#include "lacuna/Runtime/PreparedLaunch.h"

#include "BoundArguments.h"
#include "KernelState.h"

#include <algorithm>

namespace lacuna::runtime {

//===----------------------------------------------------------------------===//
// PreparedLaunch
//===----------------------------------------------------------------------===//

struct PreparedLaunch::State {
  std::shared_ptr<Kernel::State> kernel;
  Stream stream; ///< borrowed
  BoundArguments arguments;
  int64_t programs;
  std::array<unsigned, 3> blocks;
  // Persistent kernels: the parameter that is the queue, and the stream's own, where it can be known ahead.
  size_t queueSlot = 0;
  bool queueKnown = false;
  int32_t *queue = nullptr;

  State(std::shared_ptr<Kernel::State> kernel, const Stream &stream, std::span<const ArgumentValue> values,
        const LaunchBounds &bounds, int64_t programs)
      : kernel(std::move(kernel)), stream(Stream::borrow(stream.device(), stream.handle())),
        arguments(this->kernel->signature, values, bounds), programs(programs),
        blocks(this->kernel->threadBlocks(bounds, programs)) {}

  const Driver &driver() const { return kernel->device().driver(); }

  /// Packs everything, and takes the stream's queue.
  Expected<void> pack(const std::span<const ArgumentValue> values, const LaunchOptions &options) {
    if (Expected<void> done = kernel->tensorMaps.add(driver(), values, arguments.pack); !done)
      return done;
    arguments.packArguments();
    if (!kernel->queues)
      return {};
    queueSlot = arguments.pack.size();
    arguments.pack.addPrograms(nullptr, options.order, arguments.bounds, programs);
    return takeQueue();
  }

  Expected<void> takeQueue() {
    // One stream's handle, but for that which is another stream in each thread.
    queueKnown = stream.handle() != cu::perThreadStream();
    if (!kernel->queues || !queueKnown)
      return {};
    Expected<int32_t *> found = kernel->queues->ofStream(driver(), stream.handle());
    if (!found)
      return takeError(found);
    queue = *found;
    return {};
  }

  /// Enqueues; the copy of the parameters' places lets threads run side by side.
  Expected<void> enqueue(cu::Stream on, int32_t *useQueue) const {
    std::array<void *, ParameterPack::kMaxCount> parameters;
    std::span<void *const> packed = arguments.pack.view();
    std::copy(packed.begin(), packed.end(), parameters.begin());
    if (kernel->queues)
      parameters[queueSlot] = &useQueue;
    return kernel->enqueue(on, blocks, parameters.data());
  }
};

PreparedLaunch::PreparedLaunch(std::unique_ptr<State> state) : state(std::move(state)) {}
PreparedLaunch::PreparedLaunch(PreparedLaunch &&) noexcept = default;
PreparedLaunch &PreparedLaunch::operator=(PreparedLaunch &&) noexcept = default;
PreparedLaunch::~PreparedLaunch() = default;

Expected<PreparedLaunch> Kernel::prepare(const Stream &stream, std::span<const ArgumentValue> arguments,
                                         const LaunchOptions &options) const {
  Expected<LaunchBounds> bounds = state->signature.bind(arguments);
  if (!bounds)
    return takeError(bounds);
  if (Expected<void> ours = state->checkStream(stream); !ours)
    return takeError(ours);
  ContextGuard guard(state->device());
  if (Expected<void> reachable = checkResidence(state->device(), metadata(), arguments); !reachable)
    return takeError(reachable);
  Expected<int64_t> programs = state->programsOf(*bounds, options);
  if (!programs)
    return takeError(programs);
  auto prepared = std::make_unique<PreparedLaunch::State>(state, stream, arguments, *bounds, *programs);
  if (Expected<void> packed = prepared->pack(arguments, options); !packed)
    return takeError(packed);
  return PreparedLaunch(std::move(prepared));
}

Expected<void> PreparedLaunch::run() const {
  const State &s = *state;
  ProfilerRange range(s.kernel->launchRange);
  ContextGuard guard(s.kernel->device());
  int32_t *queue = nullptr;
  if (s.kernel->queues) {
    if (!s.queueKnown)
      return run(s.stream);
    Expected<bool> captured = ProgramQueues::isCaptured(s.driver(), s.stream.handle());
    if (!captured)
      return takeError(captured);
    queue = *captured ? nullptr : s.queue;
  }
  return s.enqueue(s.stream.handle(), queue);
}

Expected<void> PreparedLaunch::run(const Stream &stream) const {
  const State &s = *state;
  ProfilerRange range(s.kernel->launchRange);
  if (Expected<void> ours = s.kernel->checkStream(stream); !ours)
    return ours;
  ContextGuard guard(s.kernel->device());
  int32_t *queue = nullptr;
  if (s.kernel->queues) {
    Expected<int32_t *> found = s.kernel->queues->find(s.driver(), stream.handle());
    if (!found)
      return takeError(found);
    queue = *found;
  }
  return s.enqueue(stream.handle(), queue);
}

Expected<void> PreparedLaunch::set(size_t index, void *data) {
  State &s = *state;
  ContextGuard guard(s.kernel->device());
  return s.arguments.setData(index, data, [&](const TensorView &view) {
    return s.kernel->tensorMaps.replace(s.driver(), index, view, s.arguments.pack);
  });
}

void PreparedLaunch::setOrder(const int32_t *order) {
  if (state->kernel->queues)
    state->arguments.pack.set(state->queueSlot + 1, order);
}

Expected<void> PreparedLaunch::setStream(const Stream &stream) {
  if (Expected<void> ours = state->kernel->checkStream(stream); !ours)
    return ours;
  Stream before = std::exchange(state->stream, Stream::borrow(stream.device(), stream.handle()));
  ContextGuard guard(state->kernel->device());
  Expected<void> taken = state->takeQueue();
  if (!taken) {
    state->stream = std::move(before);
    state->queueKnown = false; // run() asks
  }
  return taken;
}

//===----------------------------------------------------------------------===//
// PreparedCpuLaunch
//===----------------------------------------------------------------------===//

struct PreparedCpuLaunch::State {
  CpuKernel kernel;
  BoundArguments arguments;

  State(const CpuKernel &kernel, std::span<const ArgumentValue> values, const LaunchBounds &bounds)
      : kernel(kernel), arguments(this->kernel.signature, values, bounds) {
    arguments.packArguments();
  }
};

PreparedCpuLaunch::PreparedCpuLaunch(std::unique_ptr<State> state) : state(std::move(state)) {}
PreparedCpuLaunch::PreparedCpuLaunch(PreparedCpuLaunch &&) noexcept = default;
PreparedCpuLaunch &PreparedCpuLaunch::operator=(PreparedCpuLaunch &&) noexcept = default;
PreparedCpuLaunch::~PreparedCpuLaunch() = default;

Expected<PreparedCpuLaunch> CpuKernel::prepare(std::span<const ArgumentValue> arguments) const {
  Expected<LaunchBounds> bounds = signature.bind(arguments);
  if (!bounds)
    return takeError(bounds);
  return PreparedCpuLaunch(std::make_unique<PreparedCpuLaunch::State>(*this, arguments, *bounds));
}

void PreparedCpuLaunch::run() const {
  // Entries read their parameters and never write them.
  std::span<void *const> packed = state->arguments.pack.view();
  state->kernel.runGrid(const_cast<void **>(packed.data()), state->arguments.bounds);
}

Expected<void> PreparedCpuLaunch::set(size_t index, void *data) {
  return state->arguments.setData(index, data, [](const TensorView &) { return Expected<void>(); });
}

//===----------------------------------------------------------------------===//
// Both: lists and scalars are under no tensor map
//===----------------------------------------------------------------------===//

Expected<void> PreparedLaunch::set(size_t index, const BlockListView &list) {
  return state->arguments.set(index, list);
}
Expected<void> PreparedLaunch::set(size_t index, float value) {
  return state->arguments.set(index, value);
}
Expected<void> PreparedLaunch::set(size_t index, int32_t value) {
  return state->arguments.set(index, value);
}
Expected<void> PreparedCpuLaunch::set(size_t index, const BlockListView &list) {
  return state->arguments.set(index, list);
}
Expected<void> PreparedCpuLaunch::set(size_t index, float value) {
  return state->arguments.set(index, value);
}
Expected<void> PreparedCpuLaunch::set(size_t index, int32_t value) {
  return state->arguments.set(index, value);
}

const LaunchBounds &PreparedLaunch::bounds() const {
  return state->arguments.bounds;
}
const LaunchBounds &PreparedCpuLaunch::bounds() const {
  return state->arguments.bounds;
}
const LaunchMetadata &PreparedLaunch::metadata() const {
  return state->kernel->signature.metadata();
}
const LaunchMetadata &PreparedCpuLaunch::metadata() const {
  return state->kernel.metadata();
}

} // namespace lacuna::runtime
