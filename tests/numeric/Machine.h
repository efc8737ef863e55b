// The machine that the tests run on: the CPU, or the first GPU. It compiles each specialisation once, on all cores, and
// launches kernels on guarded tensors.
#pragma once

#include "GuardedTensor.h"
#include "lacuna/Jit/Jit.h"
#include "lacuna/Runtime/BlockLists.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace lacuna::numeric {

/// One argument of a launch.
struct Input {
  const GuardedTensor *tensor;
};
struct Output {
  GuardedTensor *tensor;
};
using LaunchArgument = std::variant<Input, Output, const runtime::BlockLists *, float, int32_t>;

/// Runs a kernel in another way: `count` says the how-manieth time it is, of those that must give the same bits.
using OtherLaunch = std::function<Expected<void>(const KernelSpec &kernel,
                                                 const std::vector<runtime::ArgumentValue> &arguments, int count)>;

/// Thread safety: one thread at a time.
class Machine {
public:
  /// Errors: as runtime::Device::open and Jit::forDevice.
  static Expected<std::unique_ptr<Machine>> create(bool gpu, std::string kernelFolder);

  /// The text of a file of the kernel folder. Errors: as readTextFile.
  Expected<std::string> readKernelFile(const std::string &name) const;
  /// Compiles the specialisations that compile() will be asked for side by side; what fails is told there.
  void compileAhead(std::vector<KernelSpec> specs);
  /// `spec.file` is a name in the kernel folder. Compiles at the first call. Errors: as Jit::compile.
  Expected<JitKernel> compile(KernelSpec spec);
  /// How many specialisations were compiled so far.
  size_t compiledKernels() const { return kernels.size(); }

  /// From now on every launch is done so often, and must give the same bits each time.
  void setRepeats(int count) { repeats = count; }
  /// On the CPU: from now on `launch` runs the kernels, on the same memory.
  void setLaunch(OtherLaunch launch) { otherLaunch = std::move(launch); }
  /// Poisons the outputs, launches, waits, and leaves the results in the outputs' host memory. Errors: as
  /// JitKernel::launch; Internal for a write outside an output's view, or for other bits than the time before.
  Expected<void> launch(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments);

  /// For references and random data.
  runtime::ThreadPool &pool() { return *threads; }

private:
  Machine(std::vector<Jit> jits, std::shared_ptr<runtime::ThreadPool> threads, std::string kernelFolder)
      : jits(std::move(jits)), threads(std::move(threads)), kernelFolder(std::move(kernelFolder)) {}
  Expected<void> launchOnce(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments, int count);
  Expected<void> launchOnCpu(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments, int count);
  Expected<void> launchOnGpu(const JitKernel &kernel, const std::vector<LaunchArgument> &arguments);

  std::vector<Jit> jits; // each compiles one kernel at a time
  std::shared_ptr<runtime::ThreadPool> threads;
  std::string kernelFolder;
  int repeats = 1;
  OtherLaunch otherLaunch;
  std::map<const runtime::LaunchMetadata *, KernelSpec> specs; ///< of kernels, for otherLaunch
  std::optional<runtime::Stream> stream;
  std::map<std::string, Expected<JitKernel>> kernels;
};

} // namespace lacuna::numeric
