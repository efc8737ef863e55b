#include "Machine.h"

#include "lacuna/Runtime/DeviceCopies.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace lacuna::numeric {

using namespace runtime;

namespace {

std::string keyOf(const KernelSpec &spec) {
  std::string key = spec.file + '\n' + spec.kernel;
  for (const auto *table : {&spec.params, &spec.hooks})
    for (const auto &[name, value] : *table)
      key += fmt::format("\n{}={}", name, value);
  return key;
}

/// Copies of a launch's memory on the GPU.
class DeviceArguments {
public:
  explicit DeviceArguments(const Device &device) : copies(device) {}

  Expected<void> add(const LaunchArgument &argument) {
    if (const float *value = std::get_if<float>(&argument)) {
      values.emplace_back(*value);
    } else if (const int32_t *integer = std::get_if<int32_t>(&argument)) {
      values.emplace_back(*integer);
    } else if (auto *list = std::get_if<const BlockLists *>(&argument)) {
      return addList(**list);
    } else if (const Input *input = std::get_if<Input>(&argument)) {
      auto copy = addTensor(*input->tensor);
      return copy ? Expected<void>() : takeError(copy);
    } else {
      GuardedTensor *tensor = std::get<Output>(argument).tensor;
      auto copy = addTensor(*tensor);
      if (!copy)
        return takeError(copy);
      outputs.emplace_back(*copy, tensor);
    }
    return {};
  }

  Expected<void> downloadOutputs() {
    for (auto &[buffer, tensor] : outputs)
      if (auto done = buffer->download(tensor->memory().data(), tensor->memory().size()); !done)
        return done;
    return {};
  }

  std::vector<ArgumentValue> values;

private:
  Expected<DeviceBuffer *> addTensor(const GuardedTensor &tensor) {
    auto copy = copies.add(tensor.memory().data(), tensor.memory().size());
    if (copy)
      values.emplace_back(tensor.viewAt((*copy)->data()));
    return copy;
  }

  Expected<void> addList(const BlockLists &lists) {
    auto view = copies.add(lists);
    if (!view)
      return takeError(view);
    values.emplace_back(*view);
    return {};
  }

  DeviceCopies copies;
  std::vector<std::pair<DeviceBuffer *, GuardedTensor *>> outputs;
};

} // namespace

Expected<std::unique_ptr<Machine>> Machine::create(bool gpu, std::string kernelFolder) {
  auto threads = std::make_shared<ThreadPool>();
  const size_t compilers = std::max(std::thread::hardware_concurrency(), 1u);
  std::vector<Jit> jits;
  if (!gpu) {
    while (jits.size() < compilers)
      jits.push_back(Jit::forCpu(threads));
    return std::unique_ptr<Machine>(new Machine(std::move(jits), threads, std::move(kernelFolder)));
  }
  auto device = Device::open();
  if (!device)
    return takeError(device);
  while (jits.size() < compilers) {
    auto jit = Jit::forDevice(*device);
    if (!jit)
      return takeError(jit);
    jits.push_back(std::move(*jit));
  }
  auto stream = Stream::create(*device);
  if (!stream)
    return takeError(stream);
  std::unique_ptr<Machine> machine(new Machine(std::move(jits), threads, std::move(kernelFolder)));
  machine->stream = std::move(*stream);
  return machine;
}

Expected<std::string> Machine::readKernelFile(const std::string &name) const {
  return readTextFile(kernelFolder + "/" + name);
}

void Machine::compileAhead(std::vector<KernelSpec> specs) {
  std::set<std::string> seen;
  std::erase_if(specs, [&](const KernelSpec &spec) { return !seen.insert(keyOf(spec)).second; });
  for (KernelSpec &spec : specs) {
    spec.tuned = false; // A case is what it says, whatever was measured here.
    spec.file = kernelFolder + "/" + spec.file;
  }
  std::vector<std::optional<Expected<JitKernel>>> compiled(specs.size());
  std::atomic<size_t> next = 0;
  auto work = [&](const Jit &jit) {
    for (size_t index = next++; index < specs.size(); index = next++)
      compiled[index] = jit.compile(specs[index]);
  };
  {
    std::vector<std::jthread> workers;
    for (const Jit &jit : jits)
      workers.emplace_back(work, std::cref(jit));
  }
  for (size_t index = 0; index < specs.size(); ++index)
    kernels.emplace(keyOf(specs[index]), std::move(*compiled[index]));
}

Expected<JitKernel> Machine::compile(KernelSpec spec) {
  spec.tuned = false;
  spec.file = kernelFolder + "/" + spec.file;
  std::string key = keyOf(spec);
  auto found = kernels.find(key);
  if (found == kernels.end())
    found = kernels.emplace(std::move(key), jits.front().compile(spec)).first;
  if (found->second && otherLaunch)
    specs.try_emplace(&found->second->metadata(), spec);
  return found->second;
}

Expected<void> Machine::launch(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments) {
  std::vector<std::vector<unsigned char>> before;
  for (int count = 0; count < repeats; ++count) {
    if (auto done = launchOnce(kernel, arguments, count); !done)
      return done;
    std::vector<std::vector<unsigned char>> now;
    for (const LaunchArgument &argument : arguments)
      if (const Output *output = std::get_if<Output>(&argument))
        now.push_back(output->tensor->memory());
    if (count > 0 && now != before)
      return makeError(ErrorCode::Internal, "launch {} gave other bits than the one before", count + 1);
    before = std::move(now);
  }
  return {};
}

Expected<void> Machine::launchOnce(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments, int count) {
  for (const LaunchArgument &argument : arguments)
    if (const Output *output = std::get_if<Output>(&argument))
      output->tensor->poison();
  auto done = stream ? launchOnGpu(kernel, arguments) : launchOnCpu(kernel, arguments, count);
  if (!done)
    return done;
  for (size_t index = 0; index < arguments.size(); ++index)
    if (const Output *output = std::get_if<Output>(&arguments[index]))
      if (auto stray = output->tensor->findStrayWrite())
        return makeError(ErrorCode::Internal, "argument '{}': {}", kernel.metadata().arguments[index].name, *stray);
  return {};
}

Expected<void> Machine::launchOnCpu(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments, int count) {
  std::vector<ArgumentValue> values;
  for (const LaunchArgument &argument : arguments) {
    if (const float *value = std::get_if<float>(&argument))
      values.emplace_back(*value);
    else if (const int32_t *integer = std::get_if<int32_t>(&argument))
      values.emplace_back(*integer);
    else if (auto *list = std::get_if<const BlockLists *>(&argument))
      values.emplace_back((*list)->view());
    else if (const Input *input = std::get_if<Input>(&argument)) // a view holds no const pointer; inputs are only read
      values.emplace_back(input->tensor->viewAt(const_cast<unsigned char *>(input->tensor->memory().data())));
    else
      values.emplace_back(std::get<Output>(argument).tensor->hostView());
  }
  return otherLaunch ? otherLaunch(specs.at(&kernel.metadata()), values, count) : kernel.launch(values);
}

Expected<void> Machine::launchOnGpu(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments) {
  DeviceArguments onDevice(stream->device());
  for (const LaunchArgument &argument : arguments)
    if (auto done = onDevice.add(argument); !done)
      return done;
  if (auto done = kernel.launch(*stream, onDevice.values); !done)
    return done;
  if (auto done = stream->synchronize(); !done)
    return done;
  return onDevice.downloadOutputs();
}

} // namespace lacuna::numeric
