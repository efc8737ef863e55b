// The JIT: a .tile text, its params and hooks, and a machine to run it on; what comes back can be launched.
//
//   auto jit = lacuna::Jit::forThisMachine();              // the first GPU, or the CPU where there is none
//   auto kernel = jit->compile({.file = "matmul.tile", .params = {{"T", "f16"}}});
//   auto done = kernel->launch(stream, arguments);
//
// examples/01_jit_from_host is a whole program; docs/api.md has more.
#pragma once

#include "lacuna/Jit/CompileEvent.h"
#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/Kernel.h"
#include "lacuna/Runtime/PreparedLaunch.h"

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lacuna {

struct WarmRequest; // Warm.h
struct WarmOptions;
struct WarmReport;

/// Which kernel, and for which values.
struct KernelSpec {
  std::string file = {};   ///< path of the .tile file; with `source`, its name in messages
  std::string source = {}; ///< the text itself; empty: read from `file`
  std::string kernel = {}; ///< empty: the only kernel of the text
  std::map<std::string, std::string> params = {};
  /// Hook -> another hook's name, or an expression; block list -> a pattern's name, or its bands.
  std::map<std::string, std::string> hooks = {};
  std::string library = {}; ///< a kernel of the library, KernelLibrary.h, in place of `file` and `source`
  /// Params that the schedule's `tune` entry names and `params` leaves out take what was measured to be the best on
  /// this machine (docs/tuning.md); false, or nothing was: their defaults.
  bool tuned = true;
};

/// A compiled and loaded kernel. Cheap to copy; copies share the code. Thread safety: launches may run side by side, on
/// different streams.
///
/// The code first compiled takes every float32 scalar argument to be greater than zero. A launch with another value
/// compiles a variant without that assumption, once, and runs it: that launch takes as long as a compilation. While its
/// stream is captured into a CUDA graph it is refused instead, and the capture goes on.
class JitKernel {
public:
  const runtime::LaunchMetadata &metadata() const;
  /// What the compiler said of it. Its times are empty for a kernel from disk.
  const CompileResult &compilation() const;
  /// Where Jit::compile found it.
  CacheSource source() const;
  /// Where the values of tuned params come from; empty: from the caller and the text.
  const std::string &tuning() const;

  /// Compiles, or takes from the cache, the code for scalars that are not above zero, so that no launch has to. Returns
  /// where it comes from. Errors: as Jit::compile.
  Expected<CacheSource> loadForAnyScalars() const;

  /// GPU: enqueues on `stream`, without allocation or synchronisation; views hold device pointers, valid until it has
  /// run. Errors: InvalidArgument by the argument's name; as runtime::Kernel::launch; as Jit::compile for the variant.
  Expected<void> launch(const runtime::Stream &stream, std::span<const runtime::ArgumentValue> arguments,
                        const runtime::LaunchOptions &options = {}) const;
  /// CPU: runs and returns when all is done; views hold host pointers. Errors: likewise.
  Expected<void> launch(std::span<const runtime::ArgumentValue> arguments) const;

  /// Checks and packs the arguments once, for any number of runs (runtime/PreparedLaunch.h), of the code that these
  /// scalars choose: set() refuses a float32 that is not above zero where all of them were. Errors: as launch; as
  /// runtime::Kernel::prepare.
  Expected<runtime::PreparedLaunch> prepare(const runtime::Stream &stream,
                                            std::span<const runtime::ArgumentValue> arguments,
                                            const runtime::LaunchOptions &options = {}) const;
  /// The same for a kernel compiled for the CPU.
  Expected<runtime::PreparedCpuLaunch> prepare(std::span<const runtime::ArgumentValue> arguments) const;

private:
  friend class Jit;
  struct State;
  explicit JitKernel(std::shared_ptr<State> state) : state(std::move(state)) {}
  std::shared_ptr<State> state;
};

/// Compiles kernels for one machine, each once: what was asked for before is taken from memory, what another process
/// compiled from disk (docs/cache.md). Cheap to copy; copies share what they compiled. Thread safety: every call may be
/// made from any thread; as many compilations run side by side as there are processors.
class Jit {
public:
  /// The CPU; `pool` runs the grids (null: a new one with LACUNA_THREADS threads).
  static Jit forCpu(std::shared_ptr<runtime::ThreadPool> pool = nullptr);
  /// A GPU; `wanted`: a target other than its own that it runs, too. Errors: as chooseTarget (DeviceTarget.h).
  static Expected<Jit> forDevice(const runtime::Device &device, std::optional<Target> wanted = std::nullopt);
  /// A GPU that this machine may not have: what is compiled goes into the cache, and cannot be launched. `machine`, the
  /// name that the driver gives it ("NVIDIA H200"), is whose tuning records open params take; empty: none. `processor`
  /// is what it is assembled for, one that runs the target's code (Target.h); empty: the target's own.
  static Jit ahead(std::string machine = {}, Target target = Target::Sm90a, std::string processor = {});
  /// The first GPU if there is one that is supported, else the CPU; a GPU that is not taken is warned of.
  static Jit forThisMachine();

  Target target() const;
  /// The GPU, or null for the CPU.
  const runtime::Device *device() const;

  /// Reads, compiles and loads. Errors: InvalidArgument for a spec that names no text or two; NotFound for a kernel
  /// that the library does not have; as readTextFile; as CachedCompiler::compile (with LACUNA_JIT=off: Unavailable for
  /// one that is not in the cache); as runtime::Kernel::load.
  Expected<JitKernel> compile(const KernelSpec &spec) const;
  /// The same in a thread of its own, or at once where none can be had. The last copy of the future waits for it; so
  /// does the end of the process.
  std::shared_future<Expected<JitKernel>> compileAsync(KernelSpec spec) const;

  /// Loads what is in the cache and compiles the rest, side by side; afterwards `compile` finds all of it in memory.
  /// With LACUNA_JIT=off, what is missing is an error of the report. Errors are in the report (lacuna/Jit/Warm.h).
  WarmReport warm(std::span<const WarmRequest> requests, const WarmOptions &options) const;
  WarmReport warm(std::span<const WarmRequest> requests) const;

  /// What memory or disk has of a kernel, or of its variant for any scalars; nothing is compiled or loaded. Errors:
  /// those that compile would find in the text and its specialisation.
  Expected<CacheAnswer> find(const KernelSpec &spec, bool anyScalars = false) const;
  /// Whether what is not in the cache may be compiled: LACUNA_JIT. Errors: InvalidArgument for another word.
  Expected<bool> mayCompile() const;
  /// The cache on disk, or null where there is none.
  const runtime::DiskCache *cache() const;

  /// This Jit, what it has compiled included, with `listener` told of every compilation that is asked of the copy.
  Jit withListener(CompileListener listener) const;

private:
  friend class JitKernel;
  struct State;
  explicit Jit(std::shared_ptr<State> state) : state(std::move(state)) {}
  /// The spec with its text read.
  static Expected<KernelSpec> complete(const KernelSpec &spec);
  Expected<JitKernel> compileText(const KernelSpec &spec) const;
  std::shared_ptr<State> state;
  std::shared_ptr<const CompileListener> listener; ///< may be null
};

/// Reads a text file. Errors: NotFound, InvalidArgument for a directory, or a file over 16 MiB.
Expected<std::string> readTextFile(const std::string &path);

} // namespace lacuna
