#include "AttentionRun.h"

#include "lacuna/Runtime/ProgramOrder.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace lacuna::tools {

using namespace runtime;

namespace {

/// The kernel's arguments, in its order; without `lists` where it computes them.
using Arguments = std::vector<ArgumentValue>;

/// `views`: of q, k, v, o and lse.
Arguments argumentsOf(const std::vector<TensorView> &views, const std::optional<BlockListView> &lists, float scale) {
  Arguments arguments(views.begin(), views.begin() + 3);
  if (lists)
    arguments.emplace_back(*lists);
  arguments.insert(arguments.end(), {views[3], views[4], scale});
  return arguments;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

class CpuRunner final : public AttentionRunner {
public:
  CpuRunner(const CpuKernel &kernel, AttentionData &data, const AttentionPlan &plan)
      : kernel(kernel),
        arguments(argumentsOf({data.q.view(), data.k.view(), data.v.view(), data.o.view(), data.lse.view()},
                              plan.synthesised ? std::nullopt : std::optional(data.lists.view()), plan.scale)) {}

  Expected<void> run() override { return kernel.launch(arguments); }

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
      if (Expected<void> launched = kernel.launch(arguments); !launched)
        return takeError(launched);
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      total += times.back();
    }
    return median(std::move(times));
  }

private:
  const CpuKernel &kernel;
  Arguments arguments;
};

/// Copies of the data on the GPU, and one stream.
class GpuRunner final : public AttentionRunner {
public:
  static Expected<std::unique_ptr<AttentionRunner>> create(const Kernel &kernel, const Device &device,
                                                           AttentionData &data, const AttentionPlan &plan) {
    Expected<Stream> stream = Stream::create(device);
    if (!stream)
      return takeError(stream);
    std::unique_ptr<GpuRunner> runner(new GpuRunner(kernel, device, std::move(*stream), data));
    if (Expected<void> done = runner->upload(plan); !done)
      return takeError(done);
    return runner;
  }

  Expected<void> run() override {
    if (Expected<void> launched = kernel.launch(stream, arguments, launchOptions); !launched)
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
  GpuRunner(const Kernel &kernel, Device device, Stream stream, AttentionData &data)
      : kernel(kernel), device(std::move(device)), stream(std::move(stream)), data(data) {}

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

  Expected<void> upload(const AttentionPlan &plan) {
    std::optional<BlockListView> list;
    if (!plan.synthesised) {
      list = data.lists.view();
      for (auto [part, target] : {std::pair(&data.lists.indptr, &list->indptr),
                                  {&data.lists.split, &list->split},
                                  {&data.lists.indices, &list->indices}}) {
        Expected<void *> address = copy(part->data(), part->size() * sizeof(int32_t));
        if (!address)
          return takeError(address);
        *target = static_cast<const int32_t *>(*address);
      }
    }
    std::vector<TensorView> views;
    for (HostTensor *tensor : {&data.q, &data.k, &data.v, &data.o, &data.lse}) {
      Expected<void *> address = copy(tensor->data(), tensor->bytes());
      if (!address)
        return takeError(address);
      views.push_back(TensorView::contiguous(*address, tensor->dtype(), tensor->shape()));
    }
    arguments = argumentsOf(views, list, plan.scale);
    output = buffers.size() - 2; // o, then lse
    if (kernel.metadata().persistentBlocks == 0)
      return {};
    // Half of the cache: the rest is for what is under way.
    const int64_t cacheBytes = device.info().l2Bytes / 2;
    const int64_t threadBlocks = int64_t(device.info().multiprocessors) * kernel.metadata().persistentBlocks;
    std::vector<int32_t> order =
        plan.synthesised ? longestFirst(plan.pattern, plan.queryBlock, plan.keyBlock, plan.shape, plan.tile.queries,
                                        cacheBytes, threadBlocks)
                         : longestFirst(data.lists, plan.shape, plan.tile.queries, cacheBytes, threadBlocks);
    Expected<void *> address = copy(order.data(), order.size() * sizeof(int32_t));
    if (!address)
      return takeError(address);
    launchOptions.order = static_cast<const int32_t *>(*address);
    return {};
  }

  /// Enqueues `count` launches with an event on both sides of each; their times in milliseconds.
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
      if (Expected<void> launched = kernel.launch(stream, arguments, launchOptions); !launched)
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

  const Kernel &kernel;
  Device device;
  Stream stream;
  AttentionData &data;
  std::vector<DeviceBuffer> buffers;
  Arguments arguments;
  LaunchOptions launchOptions;
  size_t output = 0; // the place of o among the buffers
};

} // namespace

Expected<std::unique_ptr<AttentionRunner>> AttentionRunner::create(const CompiledAttention &compiled,
                                                                   const AttentionPlan &plan,
                                                                   const std::optional<Device> &device,
                                                                   AttentionData &data) {
  if (const auto *kernel = std::get_if<CpuKernel>(&compiled.code))
    return std::make_unique<CpuRunner>(*kernel, data, plan);
  return GpuRunner::create(std::get<Kernel>(compiled.code), *device, data, plan);
}

} // namespace lacuna::tools
