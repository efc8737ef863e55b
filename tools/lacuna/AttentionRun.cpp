#include "AttentionRun.h"

#include "lacuna/Runtime/DeviceCopies.h"
#include "lacuna/Runtime/LaunchTimes.h"
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
    if (Expected<void> copied = o->download(data.o.data(), data.o.bytes()); !copied)
      return copied;
    return lse->download(data.lse.data(), data.lse.bytes());
  }

  /// Warms up until the clocks have settled, then times launches one by one.
  Expected<double> bench() override {
    constexpr double kWarmUpMs = 200, kTimedMs = 1000;
    constexpr int kMinimum = 5, kMaximum = 100;
    Expected<std::vector<double>> first = timeRuns(3);
    if (!first)
      return takeError(first);
    double each = std::max(median(*first), 1e-3);
    auto countFor = [&](double milliseconds) {
      return static_cast<int>(std::clamp(milliseconds / each, double(kMinimum), double(kMaximum)));
    };
    if (Expected<std::vector<double>> warm = timeRuns(countFor(kWarmUpMs)); !warm)
      return takeError(warm);
    Expected<std::vector<double>> times = timeRuns(countFor(kTimedMs));
    if (!times)
      return takeError(times);
    return median(std::move(*times)) * 1e3;
  }

private:
  GpuRunner(Device device, Stream stream, AttentionData &data)
      : device(device), stream(std::move(stream)), data(data), copies(std::move(device)) {}

  Expected<void> enqueue() {
    for (const Launch &launch : launches)
      if (Expected<void> done = std::get<Kernel>(launch.kernel->code).launch(stream, launch.arguments, launch.options);
          !done)
        return done;
    return {};
  }

  Expected<void> upload(const AttentionKernels &kernels, const AttentionPlan &plan) {
    Places at;
    const std::pair<HostTensor *, TensorView *> tensors[] = {
        {&data.q, &at.q}, {&data.k, &at.k}, {&data.v, &at.v}, {&data.o, &at.o}, {&data.lse, &at.lse}};
    for (const auto &[tensor, view] : tensors) {
      Expected<DeviceBuffer *> copy = copies.add(tensor->data(), tensor->bytes());
      if (!copy)
        return takeError(copy);
      *view = TensorView::contiguous((*copy)->data(), tensor->dtype(), tensor->shape());
      o = std::exchange(lse, *copy); // the last two
    }
    if (kernels.split)
      return uploadSplit(kernels, plan, at);
    if (!plan.synthesised) {
      Expected<BlockListView> lists = copies.add(data.kernelLists());
      if (!lists)
        return takeError(lists);
      at.lists = *lists;
    }
    launches = makeLaunches(kernels, at, plan.scale);
    const int blocks = kernels.code[0].metadata().persistentBlocks;
    if (blocks == 0)
      return {};
    const int64_t cacheBytes = orderCacheBytes(device.info());
    const int64_t threadBlocks = int64_t(device.info().multiprocessors) * blocks, rows = plan.programTile().queries;
    Expected<const int32_t *> order = copies.add(
        plan.synthesised ? longestFirst(plan.pattern, plan.queryBlock, plan.keyBlock, plan.programShape(), rows,
                                        cacheBytes, threadBlocks)
                         : longestFirst(data.kernelLists(), plan.programShape(), rows, cacheBytes, threadBlocks));
    if (!order)
      return takeError(order);
    launches[0].options.order = *order;
    return {};
  }

  Expected<void> uploadSplit(const AttentionKernels &kernels, const AttentionPlan &plan, Places &at) {
    Expected<const int32_t *> tables = copies.add(kernels.split->tables());
    if (!tables)
      return takeError(tables);
    Expected<DeviceBuffer> made = DeviceBuffer::allocate(device, kernels.split->workspaceBytes());
    if (!made)
      return takeError(made);
    workspace = std::move(*made);
    if (Expected<void> filled = workspace->fill(stream, 0xff); !filled) // NaN: what is not written is seen
      return filled;
    at.tables = *tables;
    at.workspace = workspace->data();
    launches = makeLaunches(kernels, at, plan.scale);
    return {};
  }

  /// The times of `count` runs in milliseconds.
  Expected<std::vector<double>> timeRuns(int count) {
    return timeLaunches(stream, count, [this] { return enqueue(); });
  }

  Device device;
  Stream stream;
  AttentionData &data;
  DeviceCopies copies;
  DeviceBuffer *o = nullptr, *lse = nullptr; // of the copies
  std::optional<DeviceBuffer> workspace;
  std::vector<Launch> launches;
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
