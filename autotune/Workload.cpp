#include "lacuna/Autotune/Workload.h"

#include "lacuna/Runtime/LaunchTimes.h"
#include "lacuna/Runtime/ProgramOrder.h"
#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace lacuna::autotune {

using namespace runtime;

struct Workload::Lists {
  BlockLists host;
  BlockListView view; ///< in the memory that kernels see
};

struct Workload::Loaded {
  LoadedCode code;
  std::vector<ArgumentValue> arguments;
  LaunchOptions options;
  const LaunchMetadata &metadata() const {
    return std::visit([](const auto &kernel) -> const LaunchMetadata & { return kernel.metadata(); }, code);
  }
};

Workload::Workload(WorkloadSpec spec, std::optional<Device> device, std::shared_ptr<ThreadPool> pool)
    : spec(std::move(spec)), device(std::move(device)), pool(std::move(pool)) {}
Workload::~Workload() = default;

Expected<std::unique_ptr<Workload>> Workload::create(WorkloadSpec spec, std::optional<Device> device,
                                                     std::shared_ptr<ThreadPool> pool) {
  std::unique_ptr<Workload> made(new Workload(std::move(spec), std::move(device), std::move(pool)));
  if (!made->spec.pattern.empty()) {
    Expected<Pattern> pattern = Pattern::parse(made->spec.pattern);
    if (!pattern)
      return takeError(pattern);
    made->pattern = std::move(*pattern);
  }
  auto extent = [&](const std::string &name, int64_t fallback) {
    auto found = made->spec.dims.find(name);
    return found == made->spec.dims.end() ? fallback : found->second;
  };
  int64_t heads = extent("H", 1);
  made->listShape = {extent("B", 1), heads, extent("G", heads), extent("M", 1), extent(made->spec.listColumns, 1)};
  if (made->device) {
    Expected<Stream> stream = Stream::create(*made->device);
    if (!stream)
      return takeError(stream);
    made->stream = std::move(*stream);
    made->copies.emplace(*made->device);
  }
  return made;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Data
//===--------------------------------------------------------------------------------------------------------------===//

/// Random normal numbers, a few millions that repeat: making them all would take longer than timing.
static Expected<void> fillRandom(HostTensor &tensor, uint64_t number, ThreadPool &pool) {
  constexpr int64_t kPeriod = (1 << 22) + 104; // No multiple of a row or a tile.
  Expected<HostTensor> part = HostTensor::allocate(tensor.dtype(), {std::min(tensor.elements(), kPeriod)});
  if (!part)
    return takeError(part);
  fillNormal(*part, /*seed=*/1, number, pool);
  for (size_t begin = 0; begin < tensor.bytes(); begin += part->bytes())
    std::memcpy(static_cast<char *>(tensor.data()) + begin, part->data(),
                std::min(part->bytes(), tensor.bytes() - begin));
  return {};
}

Expected<void> Workload::makeTensors(const LaunchMetadata &metadata) {
  uint64_t number = 0;
  for (const Argument &argument : metadata.arguments) {
    if (argument.kind != Argument::Kind::View || tensors.contains(argument.name))
      continue;
    std::vector<int64_t> extents;
    for (const Extent &each : argument.shape) {
      auto dim = spec.dims.find(each.symbol);
      if (!each.symbol.empty() && dim == spec.dims.end())
        return makeError(ErrorCode::InvalidArgument, "the shape does not give the dimension {}", each.symbol);
      extents.push_back(each.symbol.empty() ? each.value : dim->second);
    }
    Expected<HostTensor> host = HostTensor::allocate(argument.dtype, std::move(extents));
    if (!host)
      return takeError(host);
    Tensor tensor{std::move(*host), nullptr, nullptr, argument.output};
    if (tensor.output || argument.dtype == DType::I32)
      std::memset(tensor.host.data(), 0, tensor.host.bytes());
    else if (Expected<void> done = fillRandom(tensor.host, number++, *pool); !done)
      return done;
    tensor.address = tensor.host.data();
    if (device) {
      Expected<DeviceBuffer *> copy = copies->add(tensor.host.data(), tensor.host.bytes());
      if (!copy)
        return takeError(copy);
      tensor.buffer = *copy;
      tensor.address = tensor.buffer->data();
    }
    tensors.emplace(argument.name, std::move(tensor));
  }
  return {};
}

Expected<const Workload::Lists *> Workload::listsOf(int64_t queryBlock, int64_t keyBlock) {
  std::unique_ptr<Lists> &entry = lists[{queryBlock, keyBlock}];
  if (entry)
    return entry.get();
  Expected<BlockLists> built = pattern.build(listShape, queryBlock, keyBlock, /*seed=*/1);
  if (!built)
    return takeError(built);
  auto made = std::make_unique<Lists>();
  made->host = std::move(*built);
  Expected<BlockListView> view = device ? copies->add(made->host) : made->host.view();
  if (!view)
    return takeError(view);
  made->view = *view;
  entry = std::move(made);
  return entry.get();
}

Expected<std::vector<ArgumentValue>> Workload::argumentsOf(const LaunchMetadata &metadata) {
  std::vector<ArgumentValue> values;
  for (const Argument &argument : metadata.arguments) {
    if (argument.kind == Argument::Kind::View) {
      const Tensor &tensor = tensors.at(argument.name);
      values.push_back(TensorView::contiguous(tensor.address, argument.dtype, tensor.host.shape()));
    } else if (argument.kind == Argument::Kind::Blocks) {
      Expected<const Lists *> found = listsOf(argument.queryBlock, argument.keyBlock);
      if (!found)
        return takeError(found);
      values.push_back((*found)->view);
    } else if (argument.dtype == DType::F32) {
      values.push_back(0.125f);
    } else {
      values.push_back(int32_t(1));
    }
  }
  return values;
}

/// Long rows first, where the kernel stays and its grid is rows x heads x batch.
Expected<void> Workload::giveOrder(Loaded &kernel) {
  const LaunchMetadata &metadata = kernel.metadata();
  auto blocks = std::find_if(metadata.arguments.begin(), metadata.arguments.end(),
                             [](const Argument &argument) { return argument.kind == Argument::Kind::Blocks; });
  if (!device || metadata.persistentBlocks == 0 || blocks == metadata.arguments.end())
    return {};
  Expected<LaunchBounds> bounds = bindArguments(metadata, kernel.arguments);
  if (!bounds)
    return takeError(bounds);
  if (bounds->grid[1] != listShape.heads || bounds->grid[2] != listShape.batch)
    return {};
  for (int64_t rows : {192, 128, 64}) {
    if ((listShape.queries + rows - 1) / rows != bounds->grid[0] || blocks->queryBlock % rows != 0)
      continue;
    Expected<const Lists *> found = listsOf(blocks->queryBlock, blocks->keyBlock);
    if (!found)
      return takeError(found);
    std::vector<int32_t> order = longestFirst((*found)->host, listShape, rows, orderCacheBytes(device->info()),
                                              int64_t(device->info().multiprocessors) * metadata.persistentBlocks);
    Expected<const int32_t *> address = copies->add(order);
    if (!address)
      return takeError(address);
    kernel.options.order = *address;
    break;
  }
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Results
//===--------------------------------------------------------------------------------------------------------------===//

/// Fills outputs with NaN, so that what a kernel does not write is seen.
Expected<void> Workload::clearOutputs() {
  for (auto &[name, tensor] : tensors) {
    if (!tensor.output)
      continue;
    if (!device)
      std::memset(tensor.host.data(), 0xff, tensor.host.bytes());
    else if (Expected<void> done = tensor.buffer->fill(*stream, 0xff); !done)
      return done;
  }
  return {};
}

/// Some of each output: of a GPU's, of its first megabytes, as copying all would take longer than timing.
Expected<std::vector<float>> Workload::sampleOutputs() {
  constexpr int64_t kSample = 1 << 16;
  constexpr size_t kCopied = 8 << 20;
  std::vector<float> sample;
  for (auto &[name, tensor] : tensors) {
    if (!tensor.output)
      continue;
    size_t bytes = tensor.host.bytes();
    if (device) {
      bytes = std::min(bytes, kCopied);
      if (Expected<void> done = tensor.buffer->download(tensor.host.data(), bytes); !done)
        return takeError(done);
    }
    int64_t count = static_cast<int64_t>(bytes / dtypeSize(tensor.host.dtype())),
            step = std::max<int64_t>(1, count / kSample) | 1; // odd: all columns
    for (int64_t index = 0; index < count; index += step)
      sample.push_back(tensor.host.valueAt(index));
  }
  return sample;
}

/// The relative error of `values`, in the Frobenius norm; equal infinities and NaNs agree.
static double relativeError(const std::vector<float> &values, const std::vector<float> &reference) {
  double error = 0, norm = 0;
  for (size_t index = 0; index < values.size(); ++index) {
    double a = values[index], b = reference[index];
    if (a == b || (std::isnan(a) && std::isnan(b)))
      a = b = std::isfinite(b) ? b : 0;
    error += (a - b) * (a - b);
    norm += b * b;
  }
  return std::isfinite(error) ? std::sqrt(error / std::max(norm, 1e-30)) : INFINITY;
}

Expected<void> Workload::load(size_t id, LoadedCode code) {
  auto kernel = std::make_unique<Loaded>(Loaded{std::move(code), {}, {}});
  if (Expected<void> done = makeTensors(kernel->metadata()); !done)
    return done;
  Expected<std::vector<ArgumentValue>> arguments = argumentsOf(kernel->metadata());
  if (!arguments)
    return takeError(arguments);
  kernel->arguments = std::move(*arguments);
  if (Expected<void> done = giveOrder(*kernel); !done)
    return done;
  kernels[id] = std::move(kernel);
  return {};
}

Expected<void> Workload::check(size_t id) {
  constexpr double kTolerance = 0.02; // Sums of 16-bit products in another order differ by far less.
  auto found = kernels.find(id);
  if (found == kernels.end())
    return makeError(ErrorCode::NotFound, "candidate {} is not loaded", id);
  if (Expected<void> done = clearOutputs(); !done)
    return done;
  if (Expected<void> done = launch(*found->second); !done)
    return done;
  Expected<std::vector<float>> sample = sampleOutputs();
  if (!sample)
    return takeError(sample);
  if (reference.empty())
    reference = std::move(*sample);
  else if (double error = relativeError(*sample, reference); !(error <= kTolerance))
    return makeError(ErrorCode::VerifyError,
                     "its results differ from the default's by {:.2g} (relative, Frobenius); up to {} is rounding",
                     error, kTolerance);
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Launches
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Workload::launch(const Loaded &kernel) {
  if (const auto *onCpu = std::get_if<CpuKernel>(&kernel.code))
    return onCpu->launch(kernel.arguments);
  if (Expected<void> done = std::get<Kernel>(kernel.code).launch(*stream, kernel.arguments, kernel.options); !done)
    return done;
  return stream->synchronize();
}

/// One launch more than is asked for: the first is not counted.
Expected<std::vector<double>> Workload::timeOnDevice(const Loaded &kernel, int launches) {
  const Kernel &code = std::get<Kernel>(kernel.code);
  Expected<std::vector<double>> milliseconds =
      timeLaunches(*stream, launches + 1, [&] { return code.launch(*stream, kernel.arguments, kernel.options); });
  if (!milliseconds)
    return takeError(milliseconds);
  std::vector<double> times;
  for (size_t index = 1; index < milliseconds->size(); ++index)
    times.push_back((*milliseconds)[index] * 1e3);
  return times;
}

Expected<std::vector<double>> Workload::time(size_t id, int launches) {
  using SteadyClock = std::chrono::steady_clock;
  auto found = kernels.find(id);
  if (found == kernels.end())
    return makeError(ErrorCode::NotFound, "candidate {} is not loaded", id);
  if (device)
    return timeOnDevice(*found->second, launches);
  if (Expected<void> done = launch(*found->second); !done)
    return takeError(done);
  std::vector<double> times;
  for (int index = 0; index < launches; ++index) {
    SteadyClock::time_point start = SteadyClock::now();
    if (Expected<void> done = launch(*found->second); !done)
      return takeError(done);
    times.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count());
  }
  return times;
}

} // namespace lacuna::autotune
