#include "AttentionRun.h"

#include "lacuna/Runtime/ProgramOrder.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace lacuna::tools {

using namespace runtime;

namespace {

/// A kernel with its arguments.
struct Launch {
  const CompiledAttention *kernel;
  std::vector<ArgumentValue> arguments;
  LaunchOptions options = {};
};

/// Where the data lies for the kernels.
struct Places {
  TensorView q, k, v, o, lse;
  std::optional<BlockListView> lists = {}; ///< without parts; none: the kernel computes them
  const int32_t *tables = nullptr;         ///< with parts: SplitPlan's
  void *workspace = nullptr;
};

/// What a run launches, in order. The order of programs is the caller's to add where there are no parts.
std::vector<Launch> makeLaunches(const AttentionKernels &kernels, const Places &at, float scale) {
  if (!kernels.split) {
    std::vector<ArgumentValue> arguments = {at.q, at.k, at.v};
    if (at.lists)
      arguments.emplace_back(*at.lists);
    arguments.insert(arguments.end(), {at.o, at.lse, scale});
    return {{&kernels.code[0], std::move(arguments)}};
  }
  const SplitPlan &plan = *kernels.split;
  auto parts = plan.partsArguments(at.tables, at.workspace, at.q, at.k, at.v, scale);
  auto merge = plan.mergeArguments(at.tables, at.workspace, at.o, at.lse);
  std::vector<Launch> launches;
  if (plan.programs() > 0)
    launches.push_back({&kernels.code[0], {parts.begin(), parts.end()}});
  if (plan.programs() > 0 && kernels.code[0].metadata().persistentBlocks > 0)
    launches[0].options = plan.partsOptions(at.tables);
  launches.push_back({&kernels.code[1], {merge.begin(), merge.end()}});
  return launches;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

class CpuRunner final : public AttentionRunner {
public:
  static Expected<std::unique_ptr<AttentionRunner>> create(const AttentionKernels &kernels, AttentionData &data,
                                                           const AttentionPlan &plan) {
    std::unique_ptr<CpuRunner> runner(new CpuRunner);
    Places at{data.q.view(), data.k.view(), data.v.view(), data.o.view(), data.lse.view()};
    if (!plan.synthesised)
      at.lists = data.kernelLists().view();
    if (kernels.split) {
      Expected<HostTensor> workspace =
          HostTensor::allocate(DType::F32, {static_cast<int64_t>(kernels.split->workspaceBytes() / sizeof(float))});
      if (!workspace)
        return takeError(workspace);
      runner->workspace = std::move(*workspace);
      std::memset(runner->workspace.data(), 0xff, runner->workspace.bytes()); // NaN: what is not written is seen
      at.workspace = runner->workspace.data();
      at.tables = kernels.split->tables().data();
    }
    runner->launches = makeLaunches(kernels, at, plan.scale);
    return runner;
  }

  Expected<void> run() override {
    for (const Launch &launch : launches)
      if (Expected<void> done = std::get<CpuKernel>(launch.kernel->code).launch(launch.arguments); !done)
        return done;
    return {};
  }

  /// run() was the warm-up. At least three launches, unless they take longer than a few seconds.
  Expected<double> bench() override {
    using Clock = std::chrono::steady_clock;
    constexpr size_t kMinimum = 3, kMaximum = 30;
    constexpr double kMicroseconds = 3e6;
    std::vector<double> times;
    double total = 0;
    while (times.empty() || (times.size() < kMaximum && (total < kMicroseconds && times.size() >= kMinimum)) ||
           (times.size() < kMinimum && total < 2 * kMicroseconds)) {
      Clock::time_point start = Clock::now();
      if (Expected<void> launched = run(); !launched)
        return takeError(launched);
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      total += times.back();
    }
    return median(std::move(times));
  }

private:
  HostTensor workspace;
  std::vector<Launch> launches;
};

/// Copies of the data on the GPU, and one stream.
class GpuRunner final : public AttentionRunner {
public:
  static Expected<std::unique_ptr<AttentionRunner>> create(const AttentionKernels &kernels, const Device &device,
                                                           AttentionData &data, const AttentionPlan &plan) {
    Expected<Stream> stream = Stream::create(device);
    if (!stream)
      return takeError(stream);
    std::unique_ptr<GpuRunner> runner(new GpuRunner(device, std::move(*stream), data));
    if (Expected<void> done = runner->upload(kernels, plan); !done)
      return takeError(done);
    return runner;
  }

  Expected<void> run() override {
    if (Expected<void> launched = enqueue(); !launched)
      return launched;
    if (Expected<void> finished = stream.synchronize(); !finished)
      return finished;
    if (Expected<void> copied = buffers[output].download(data.o.data(), data.o.bytes()); !copied)
      return copied;
    return buffers[output + 1].download(data.lse.data(), data.lse.bytes());
  }

  /// Warms up until the clocks have settled, then times launches one by one.
  Expected<double> bench() override {
    constexpr double kWarmUpMs = 200, kTimedMs = 1000;
    constexpr int kMinimum = 5, kMaximum = 100;
    Expected<std::vector<double>> first = timeLaunches(3);
    if (!first)
      return takeError(first);
    double each = std::max(median(*first), 1e-3);
    auto countFor = [&](double milliseconds) {
      return static_cast<int>(std::clamp(milliseconds / each, double(kMinimum), double(kMaximum)));
    };
    if (Expected<std::vector<double>> warm = timeLaunches(countFor(kWarmUpMs)); !warm)
      return takeError(warm);
    Expected<std::vector<double>> times = timeLaunches(countFor(kTimedMs));
    if (!times)
      return takeError(times);
    return median(std::move(*times)) * 1e3;
  }

private:
  GpuRunner(Device device, Stream stream, AttentionData &data)
      : device(std::move(device)), stream(std::move(stream)), data(data) {}

  Expected<void> enqueue() {
    for (const Launch &launch : launches)
      if (Expected<void> done = std::get<Kernel>(launch.kernel->code).launch(stream, launch.arguments, launch.options);
          !done)
        return done;
    return {};
  }

  /// A copy of `bytes` bytes on the GPU; its address.
  Expected<void *> copy(const void *source, size_t bytes) {
    Expected<DeviceBuffer> buffer = DeviceBuffer::allocate(device, std::max<size_t>(bytes, 1));
    if (!buffer)
      return takeError(buffer);
    if (Expected<void> done = buffer->upload(source, bytes); !done)
      return takeError(done);
    buffers.push_back(std::move(*buffer));
    return buffers.back().data();
  }

  /// The same of int32 numbers.
  Expected<const int32_t *> copy(std::span<const int32_t> numbers) {
    Expected<void *> address = copy(numbers.data(), numbers.size_bytes());
    if (!address)
      return takeError(address);
    return static_cast<const int32_t *>(*address);
  }

  Expected<void> upload(const AttentionKernels &kernels, const AttentionPlan &plan) {
    Places at;
    const std::pair<HostTensor *, TensorView *> tensors[] = {
        {&data.q, &at.q}, {&data.k, &at.k}, {&data.v, &at.v}, {&data.o, &at.o}, {&data.lse, &at.lse}};
    for (const auto &[tensor, view] : tensors) {
      Expected<void *> address = copy(tensor->data(), tensor->bytes());
      if (!address)
        return takeError(address);
      *view = TensorView::contiguous(*address, tensor->dtype(), tensor->shape());
    }
    output = buffers.size() - 2; // o, then lse
    if (kernels.split)
      return uploadSplit(kernels, plan, at);
    if (Expected<void> done = plan.synthesised ? Expected<void>() : uploadLists(at); !done)
      return done;
    launches = makeLaunches(kernels, at, plan.scale);
    const int blocks = kernels.code[0].metadata().persistentBlocks;
    if (blocks == 0)
      return {};
    const int64_t cacheBytes = orderCacheBytes(device.info());
    const int64_t threadBlocks = int64_t(device.info().multiprocessors) * blocks, rows = plan.programTile().queries;
    Expected<const int32_t *> order =
        copy(plan.synthesised ? longestFirst(plan.pattern, plan.queryBlock, plan.keyBlock, plan.programShape(), rows,
                                             cacheBytes, threadBlocks)
                              : longestFirst(data.kernelLists(), plan.programShape(), rows, cacheBytes, threadBlocks));
    if (!order)
      return takeError(order);
    launches[0].options.order = *order;
    return {};
  }

  Expected<void> uploadLists(Places &at) {
    const BlockLists &rows = data.kernelLists();
    BlockListView &lists = at.lists.emplace(rows.view());
    const std::pair<std::span<const int32_t>, const int32_t **> parts[] = {
        {rows.indptr, &lists.indptr}, {rows.split, &lists.split}, {rows.indices, &lists.indices}};
    for (const auto &[numbers, pointer] : parts) {
      Expected<const int32_t *> address = copy(numbers);
      if (!address)
        return takeError(address);
      *pointer = *address;
    }
    return {};
  }

  Expected<void> uploadSplit(const AttentionKernels &kernels, const AttentionPlan &plan, Places &at) {
    Expected<const int32_t *> tables = copy(kernels.split->tables());
    if (!tables)
      return takeError(tables);
    Expected<DeviceBuffer> workspace = DeviceBuffer::allocate(device, kernels.split->workspaceBytes());
    if (!workspace)
      return takeError(workspace);
    if (Expected<void> filled = workspace->fill(stream, 0xff); !filled) // NaN: what is not written is seen
      return filled;
    at.tables = *tables;
    at.workspace = workspace->data();
    buffers.push_back(std::move(*workspace));
    launches = makeLaunches(kernels, at, plan.scale);
    return {};
  }

  /// Enqueues `count` runs with an event on both sides of each; their times in milliseconds.
  Expected<std::vector<double>> timeLaunches(int count) {
    std::vector<Event> events;
    for (int index = 0; index <= count; ++index) {
      Expected<Event> event = Event::create(device);
      if (!event)
        return takeError(event);
      events.push_back(std::move(*event));
    }
    if (Expected<void> done = events[0].record(stream); !done)
      return takeError(done);
    for (int index = 0; index < count; ++index) {
      if (Expected<void> launched = enqueue(); !launched)
        return takeError(launched);
      if (Expected<void> done = events[index + 1].record(stream); !done)
        return takeError(done);
    }
    if (Expected<void> finished = stream.synchronize(); !finished)
      return takeError(finished);
    std::vector<double> times;
    for (int index = 0; index < count; ++index) {
      Expected<double> time = events[index + 1].millisecondsSince(events[index]);
      if (!time)
        return takeError(time);
      times.push_back(*time);
    }
    return times;
  }

  Device device;
  Stream stream;
  AttentionData &data;
  std::vector<DeviceBuffer> buffers;
  std::vector<Launch> launches;
  size_t output = 0; // the place of o among the buffers
};

} // namespace

Expected<std::unique_ptr<AttentionRunner>> AttentionRunner::create(const AttentionKernels &kernels,
                                                                   const AttentionPlan &plan,
                                                                   const std::optional<Device> &device,
                                                                   AttentionData &data) {
  if (std::holds_alternative<CpuKernel>(kernels.code[0].code))
    return CpuRunner::create(kernels, data, plan);
  return GpuRunner::create(kernels, *device, data, plan);
}

} // namespace lacuna::tools
