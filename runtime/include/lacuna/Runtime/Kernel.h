//===- Kernel.h - A loaded GPU kernel, ready to launch ----------*- C++ -*-===//
//
//   Expected<Kernel> kernel = Kernel::load(device, cubin, metadata);
//   Stream stream = Stream::borrow(device, callersStream);
//   std::array<ArgumentValue, 6> arguments = {q, k, v, rows, o, 0.125f};
//   if (Expected<void> launched = kernel->launch(stream, arguments); !launched)
//     report(launched.error().render());
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_KERNEL_H
#define LACUNA_RUNTIME_KERNEL_H

#include "lacuna/Runtime/LaunchSignature.h"
#include "lacuna/Runtime/Module.h"

#include <memory>
#include <span>
#include <string_view>

namespace lacuna::runtime {

/// What a launch may choose beside its arguments.
struct LaunchOptions {
  /// Persistent kernels: a device pointer to a permutation of the grid's programs (numbered x fastest, then y), the
  /// order in which they start. Null: as numbered. It must stay valid until the kernel has run. Entries outside the
  /// grid are undefined behaviour; other kernels ignore it.
  const int32_t *order = nullptr;
  /// With an order, how many entries it has, where only these programs are to run; 0: as many as the grid has programs.
  int64_t programs = 0;
};

class PreparedLaunch;

/// A kernel on one GPU. A handle: copies share the loaded code.
/// Thread safety: any number of threads may launch; the cache of tensor maps has a lock of its own.
class Kernel {
public:
  /// Loads `image` (cubin or PTX) and readies its entry point for the metadata's shared memory.
  /// Errors: as Module::load, Module::function, Function::allowShared and LaunchSignature::create.
  static Expected<Kernel> load(const Device &device, std::string_view image, LaunchMetadata metadata);

  /// Checks the arguments and enqueues the kernel on `stream`. It allocates nothing, synchronises nothing and may be
  /// captured into a CUDA graph; tensor maps are encoded again only for a pointer, shape or strides not seen lately.
  /// The memory must stay valid until the kernel has run. Views hold device pointers.
  /// Errors: as LaunchSignature::bind, InvalidArgument for a stream of another device or for a number of programs that
  /// does not go with the kernel (nothing was enqueued); as Driver::check.
  Expected<void> launch(const Stream &stream, std::span<const ArgumentValue> arguments,
                        const LaunchOptions &options = {}) const;

  /// Does once what launch() does each time, for one stream (PreparedLaunch.h), and asks the driver besides whether the
  /// memory is the device's. Errors: as launch(); InvalidArgument for host memory and for memory of another device.
  Expected<PreparedLaunch> prepare(const Stream &stream, std::span<const ArgumentValue> arguments,
                                   const LaunchOptions &options = {}) const;

  const LaunchMetadata &metadata() const;
  /// Registers, local memory and the like.
  const Function &function() const;

private:
  friend class PreparedLaunch;
  struct State;
  explicit Kernel(std::shared_ptr<State> state) : state(std::move(state)) {}
  std::shared_ptr<State> state;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_KERNEL_H
