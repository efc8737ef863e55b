// The JIT: a .tile text, its params and hooks, and a machine to run it on; what comes back can be launched.
//
//   auto jit = lacuna::Jit::forThisMachine();              // the first GPU, or the CPU where there is none
//   auto kernel = jit->compile({.file = "matmul.tile", .params = {{"T", "f16"}}});
//   auto done = kernel->launch(stream, arguments);
//
// examples/01_jit_from_host is a whole program.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/Kernel.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lacuna {

/// Which kernel, and for which values.
struct KernelSpec {
  std::string file;        ///< path of the .tile file; with `source`, its name in messages
  std::string source = {}; ///< the text itself; empty: read from `file`
  std::string kernel = {}; ///< empty: the only kernel of the text
  std::map<std::string, std::string> params = {};
  std::map<std::string, std::string> hooks = {}; ///< hook -> another hook's name, or an expression
  /// Params that the schedule's `tune` entry names and `params` leaves out take the best known values (docs/tuning.md);
  /// false: their defaults.
  bool tuned = true;
};

/// A compiled and loaded kernel. Cheap to copy; copies share the code. Thread safety: launches may run side by side, on
/// different streams.
///
/// The code first compiled takes every float32 scalar argument to be greater than zero. A launch with another value
/// compiles a variant without that assumption, once, and runs it: that launch takes as long as a compilation.
class JitKernel {
public:
  const runtime::LaunchMetadata &metadata() const;
  const CompileResult &compilation() const;
  /// Where the values of tuned params come from; empty: from the caller and the text.
  const std::string &tuning() const;

  /// GPU: enqueues on `stream`, without allocation or synchronisation; views hold device pointers, valid until it has
  /// run. Errors: InvalidArgument by the argument's name; as runtime::Kernel::launch; as Jit::compile for the variant.
  Expected<void> launch(const runtime::Stream &stream, std::span<const runtime::ArgumentValue> arguments,
                        const runtime::LaunchOptions &options = {}) const;
  /// CPU: runs and returns when all is done; views hold host pointers. Errors: likewise.
  Expected<void> launch(std::span<const runtime::ArgumentValue> arguments) const;

private:
  friend class Jit;
  struct State;
  explicit JitKernel(std::shared_ptr<State> state) : state(std::move(state)) {}
  std::shared_ptr<State> state;
};

/// Compiles kernels for one machine. Cheap to copy. Thread safety: every call may be made from any thread; compilations
/// of one Jit run one after another.
class Jit {
public:
  /// The CPU; `pool` runs the grids (null: a new one with LACUNA_THREADS threads).
  static Jit forCpu(std::shared_ptr<runtime::ThreadPool> pool = nullptr);
  /// A GPU. Errors: Unsupported for a compute capability other than 9.0.
  static Expected<Jit> forDevice(const runtime::Device &device);
  /// The first GPU if there is one that is supported, else the CPU.
  static Jit forThisMachine();

  Target target() const;
  /// The GPU, or null for the CPU.
  const runtime::Device *device() const;

  /// Reads, compiles and loads. Errors: InvalidArgument for neither a file nor a source; as readTextFile; as
  /// Compiler::compile; as runtime::Kernel::load.
  Expected<JitKernel> compile(const KernelSpec &spec) const;

private:
  friend class JitKernel;
  struct State;
  explicit Jit(std::shared_ptr<State> state) : state(std::move(state)) {}
  std::shared_ptr<State> state;
};

/// Reads a text file. Errors: NotFound, InvalidArgument for a directory, or a file over 16 MiB.
Expected<std::string> readTextFile(const std::string &path);

} // namespace lacuna
