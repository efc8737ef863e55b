#include "lacuna/Jit/Jit.h"

#include "HeardCompilation.h"
#include "OpenParams.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Jit/LoadKernel.h"
#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/Log.h"
#include "lacuna/Runtime/MemoryCache.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <system_error>
#include <variant>

namespace lacuna {

//===--------------------------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// In the place of code: compiled for a GPU without one.
struct NotLoaded {};

/// One compilation, loaded.
struct Variant {
  std::shared_ptr<const CompileResult> compilation;
  CacheSource source;
  std::variant<runtime::Kernel, runtime::CpuKernel, NotLoaded> code;
};

/// A kernel as it is kept in memory.
struct Loaded {
  KernelSpec spec;    ///< open params chosen
  std::string tuning; ///< by whom
  std::unique_ptr<const Variant> positive;
  std::atomic<const Variant *> ready = nullptr; ///< `general`, once it is there: a launch then takes no lock
  std::mutex mutex;                             // of `general`
  std::unique_ptr<const Variant> general;
};
} // namespace

struct Jit::State {
  std::optional<runtime::Device> device;
  std::string machine; // without a device: the name of the GPU compiled for, if it is known
  DeviceTarget target{Target::Cpu, {}};
  std::shared_ptr<runtime::ThreadPool> pool; // CPU
  CachedCompiler compiler;
  OpenParams openParams;
  runtime::MemoryCache<Loaded> kernels;

  /// Sets the open params of `spec`. Returns where they come from; empty: nothing was set.
  std::string chooseParams(KernelSpec &spec);
  CompileRequest requestOf(const KernelSpec &spec, bool positive) const;
  const runtime::Driver *driver() const { return device ? &device->driver() : nullptr; }
  Expected<std::unique_ptr<const Variant>> build(const KernelSpec &spec, bool positive);
  Expected<std::shared_ptr<Loaded>> load(const KernelSpec &spec);
};

struct JitKernel::State {
  std::shared_ptr<Jit::State> jit;
  std::shared_ptr<Loaded> loaded;
  CacheSource source;
  std::shared_ptr<const CompileListener> listener; ///< may be null

  /// The variant for any scalars; `stream`, where there is one, is about to run it.
  Expected<const Variant *> general(const runtime::Stream *stream);
  /// The variant that may run with these scalars, on `stream`, where there is one.
  Expected<const Variant *> select(std::span<const runtime::ArgumentValue> arguments, const runtime::Stream *stream);

  /// Its code, which must be of the target that the caller takes it to be.
  template <class Code>
  Expected<const Code *> code(std::span<const runtime::ArgumentValue> arguments,
                              const runtime::Stream *stream = nullptr) {
    auto variant = select(arguments, stream);
    if (!variant)
      return takeError(variant);
    if (const auto *found = std::get_if<Code>(&(*variant)->code))
      return found;
    if (std::holds_alternative<NotLoaded>((*variant)->code))
      return makeError(ErrorCode::InvalidArgument,
                       "kernel '{}' was compiled ahead, for a GPU that this Jit does not have; use Jit::forDevice to "
                       "launch it",
                       (*variant)->compilation->metadata.kernel);
    return makeError(ErrorCode::InvalidArgument, "kernel '{}' was compiled for {}",
                     (*variant)->compilation->metadata.kernel,
                     std::is_same_v<Code, runtime::Kernel> ? "the CPU; launch it without a stream, on host memory"
                                                           : "a GPU; launch it on a stream, on device memory");
  }
};

Expected<std::string> readTextFile(const std::string &path) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status))
    return makeError(ErrorCode::NotFound, "cannot read '{}': there is no such file", path);
  if (!std::filesystem::is_regular_file(status))
    return makeError(ErrorCode::InvalidArgument, "cannot read '{}': it is not a regular file", path);
  constexpr uintmax_t kLimit = 16 << 20;
  if (uintmax_t size = std::filesystem::file_size(path, error); error || size > kLimit)
    return makeError(ErrorCode::InvalidArgument, "'{}' has {} bytes; a text may have at most {}", path, size, kLimit);
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream)
    return makeError(ErrorCode::NotFound, "cannot read '{}'; check its permissions", path);
  return text;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Variants
//===--------------------------------------------------------------------------------------------------------------===//

std::string Jit::State::chooseParams(KernelSpec &spec) {
  if (!spec.tuned || (isGpu(target.target) && !device && machine.empty()))
    return "";
  autotune::MachineLimits limits =
      machineLimits(device ? &*device : nullptr, target.target, pool ? pool->threads() : 1);
  if (!machine.empty())
    limits.name = machine;
  return openParams.choose(spec, target.target, limits, compiler);
}

CompileRequest Jit::State::requestOf(const KernelSpec &spec, bool positive) const {
  CompileRequest request;
  request.fileName = spec.file.empty() ? "<source>" : spec.file;
  request.source = spec.source;
  target.applyTo(request);
  request.kernel = spec.kernel;
  request.params = spec.params;
  request.hooks = spec.hooks;
  request.allScalarsPositive = positive;
  return request;
}

Expected<std::unique_ptr<const Variant>> Jit::State::build(const KernelSpec &spec, bool positive) {
  const CompileRequest request = requestOf(spec, positive);
  if (device) {
    auto loaded = loadKernel(compiler, request, *device);
    if (!loaded)
      return takeError(loaded);
    return std::make_unique<const Variant>(std::move(loaded->compilation.result), loaded->compilation.source,
                                           std::move(loaded->kernel));
  }
  auto compiled = compiler.compile(request);
  if (!compiled)
    return takeError(compiled);
  if (isGpu(target.target))
    return std::make_unique<const Variant>(std::move(compiled->result), compiled->source, NotLoaded{});
  const CompileResult &result = *compiled->result;
  auto kernel = runtime::CpuKernel::create(result.cpu.entry, result.metadata, pool, result.cpu.owner);
  if (!kernel)
    return takeError(kernel);
  return std::make_unique<const Variant>(std::move(compiled->result), compiled->source, std::move(*kernel));
}

Expected<std::shared_ptr<Loaded>> Jit::State::load(const KernelSpec &spec) {
  auto loaded = std::make_shared<Loaded>();
  loaded->spec = spec;
  loaded->tuning = chooseParams(loaded->spec);
  auto positive = build(loaded->spec, /*positive=*/true);
  if (!positive)
    return takeError(positive);
  loaded->positive = std::move(*positive);
  return loaded;
}

/// Whether code can be loaded now: not while the stream is captured, for loading would end the capture.
static Expected<void> checkLoadable(const runtime::LaunchMetadata &metadata, const runtime::Stream *stream) {
  if (!stream)
    return {};
  runtime::ContextGuard guard(stream->device());
  const runtime::Driver &driver = stream->device().driver();
  runtime::cu::CaptureStatus status = runtime::cu::CaptureNone;
  if (auto asked =
          driver.check(driver.cuStreamIsCapturing(stream->handle(), &status), "asking whether a stream is captured");
      !asked)
    return asked;
  if (status == runtime::cu::CaptureNone)
    return {};
  return makeError(ErrorCode::InvalidArgument,
                   "kernel '{}' has no code yet for float32 scalars that are not above zero, and the stream is being "
                   "captured, when none can be loaded; launch it once with such a value before the capture",
                   metadata.kernel);
}

Expected<const Variant *> JitKernel::State::select(std::span<const runtime::ArgumentValue> arguments,
                                                   const runtime::Stream *stream) {
  const runtime::LaunchMetadata &metadata = loaded->positive->compilation->metadata;
  bool holds = true;
  for (size_t i = 0; i < arguments.size() && i < metadata.arguments.size(); ++i)
    if (const float *value = std::get_if<float>(&arguments[i]))
      if (std::find(metadata.positiveScalars.begin(), metadata.positiveScalars.end(), metadata.arguments[i].name) !=
          metadata.positiveScalars.end())
        holds &= *value > 0 && std::isfinite(*value);
  return holds ? loaded->positive.get() : general(stream);
}

Expected<const Variant *> JitKernel::State::general(const runtime::Stream *stream) {
  if (const Variant *ready = loaded->ready.load(std::memory_order_acquire))
    return ready;
  HeardCompilation heard(listener.get(), loaded->spec, jit->target.target);
  std::unique_lock lock(loaded->mutex);
  if (loaded->general)
    return loaded->general.get();
  if (auto loadable = checkLoadable(loaded->positive->compilation->metadata, stream); !loadable)
    return takeError(loadable);
  auto built = jit->build(loaded->spec, /*positive=*/false);
  if (built) {
    loaded->general = std::move(*built);
    loaded->ready.store(loaded->general.get(), std::memory_order_release);
  }
  lock.unlock();
  heard.event.variant = true;
  if (!built)
    return heard.failed(built);
  heard.done(*loaded->general->compilation, loaded->general->source);
  return loaded->general.get();
}

//===--------------------------------------------------------------------------------------------------------------===//
// JitKernel
//===--------------------------------------------------------------------------------------------------------------===//

const runtime::LaunchMetadata &JitKernel::metadata() const {
  return compilation().metadata;
}
const CompileResult &JitKernel::compilation() const {
  return *state->loaded->positive->compilation;
}
CacheSource JitKernel::source() const {
  return state->source;
}
const std::string &JitKernel::tuning() const {
  return state->loaded->tuning;
}

Expected<CacheSource> JitKernel::loadForAnyScalars() const {
  if (metadata().positiveScalars.empty())
    return source();
  return state->general(nullptr).map([](const Variant *variant) { return variant->source; });
}

Expected<void> JitKernel::launch(const runtime::Stream &stream, std::span<const runtime::ArgumentValue> arguments,
                                 const runtime::LaunchOptions &options) const {
  auto kernel = state->code<runtime::Kernel>(arguments, &stream);
  return kernel ? (*kernel)->launch(stream, arguments, options) : takeError(kernel);
}

Expected<void> JitKernel::launch(std::span<const runtime::ArgumentValue> arguments) const {
  auto kernel = state->code<runtime::CpuKernel>(arguments);
  return kernel ? (*kernel)->launch(arguments) : takeError(kernel);
}

Expected<runtime::PreparedLaunch> JitKernel::prepare(const runtime::Stream &stream,
                                                     std::span<const runtime::ArgumentValue> arguments,
                                                     const runtime::LaunchOptions &options) const {
  auto kernel = state->code<runtime::Kernel>(arguments, &stream);
  return kernel ? (*kernel)->prepare(stream, arguments, options) : takeError(kernel);
}

Expected<runtime::PreparedCpuLaunch> JitKernel::prepare(std::span<const runtime::ArgumentValue> arguments) const {
  auto kernel = state->code<runtime::CpuKernel>(arguments);
  return kernel ? (*kernel)->prepare(arguments) : takeError(kernel);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Jit
//===--------------------------------------------------------------------------------------------------------------===//

Jit Jit::forCpu(std::shared_ptr<runtime::ThreadPool> pool) {
  auto state = std::make_shared<State>();
  state->target = {Target::Cpu, {}};
  state->pool = pool ? std::move(pool) : std::make_shared<runtime::ThreadPool>();
  return Jit(std::move(state));
}

Expected<Jit> Jit::forDevice(const runtime::Device &device, std::optional<Target> wanted) {
  Expected<DeviceTarget> target = chooseTarget(device.info(), wanted);
  if (!target)
    return takeError(target);
  auto state = std::make_shared<State>();
  state->device = device;
  state->target = std::move(*target);
  return Jit(std::move(state));
}

Jit Jit::ahead(std::string machine, Target target, std::string processor) {
  auto state = std::make_shared<State>();
  state->target = {target, processor.empty() ? std::string(defaultProcessor(target)) : std::move(processor)};
  state->machine = std::move(machine);
  return Jit(std::move(state));
}

Jit Jit::forThisMachine() {
  if (auto device = runtime::Device::open()) {
    auto jit = forDevice(*device);
    if (jit)
      return *jit;
    runtime::log("driver", runtime::LogLevel::Warn, "kernels run on the CPU: {}", jit.error().message);
  }
  return forCpu();
}

Target Jit::target() const {
  return state->target.target;
}
const runtime::Device *Jit::device() const {
  return state->device ? &*state->device : nullptr;
}

/// The spec as a name in memory: all that chooses the code, and not the file's name.
static std::string nameOf(const KernelSpec &spec) {
  return runtime::CacheKeyBuilder()
      .text("source", spec.source)
      .text("kernel", spec.kernel)
      .table("param", spec.params)
      .table("hook", spec.hooks)
      .flag("tuned", spec.tuned)
      .bytes();
}

Expected<JitKernel> Jit::compile(const KernelSpec &spec) const {
  HeardCompilation heard(listener.get(), spec, target());
  auto kernel = complete(spec).and_then([&](const KernelSpec &whole) { return compileText(whole); });
  if (!kernel)
    return heard.failed(kernel);
  heard.done(kernel->compilation(), kernel->source());
  return kernel;
}

std::shared_future<Expected<JitKernel>> Jit::compileAsync(KernelSpec spec) const {
  auto compile = [jit = *this, spec = std::move(spec)] { return jit.compile(spec); };
  try {
    return std::async(std::launch::async, compile).share();
  } catch (
      const std::system_error &) { // No thread can be had. One that is deferred would never be ready for who polls.
    std::promise<Expected<JitKernel>> here;
    here.set_value(compile());
    return here.get_future().share();
  }
}

Jit Jit::withListener(CompileListener heardBy) const {
  Jit copy = *this;
  copy.listener = heardBy ? std::make_shared<const CompileListener>(std::move(heardBy)) : nullptr;
  return copy;
}

static tl::unexpected<Error> notInLibrary(const std::string &name) {
  std::string names;
  for (const LibraryText &each : kernelLibrary())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  return makeError(ErrorCode::NotFound, "the library has no kernel '{}'; it has {}", name, names);
}

Expected<KernelSpec> Jit::complete(const KernelSpec &spec) {
  if (!spec.library.empty() && !(spec.file.empty() && spec.source.empty()))
    return makeError(ErrorCode::InvalidArgument,
                     "both a kernel of the library ('{}') and a text of its own ({}) were given; give one of them",
                     spec.library, spec.file.empty() ? "source" : spec.file);
  if (!spec.library.empty()) {
    KernelSpec complete = spec;
    complete.file = spec.library + ".tile";
    complete.source = libraryText(spec.library);
    if (complete.source.empty())
      return notInLibrary(spec.library);
    return complete;
  }
  if (!spec.source.empty())
    return spec;
  if (spec.file.empty())
    return makeError(ErrorCode::InvalidArgument,
                     "there is nothing to compile: neither a file nor a source nor a kernel of the library was given");
  auto text = readTextFile(spec.file);
  if (!text)
    return takeError(text);
  KernelSpec complete = spec;
  complete.source = std::move(*text);
  return complete;
}

Expected<CacheAnswer> Jit::find(const KernelSpec &spec, bool anyScalars) const {
  auto whole = complete(spec);
  if (!whole)
    return takeError(whole);
  (void)state->chooseParams(*whole);
  return state->compiler.find(state->requestOf(*whole, !anyScalars), state->driver());
}

Expected<bool> Jit::mayCompile() const {
  return state->compiler.mayCompile();
}
const runtime::DiskCache *Jit::cache() const {
  return state->compiler.disk();
}

Expected<JitKernel> Jit::compileText(const KernelSpec &spec) const {
  auto mode = state->compiler.mode();
  if (!mode)
    return takeError(mode);
  auto make = [&] { return state->load(spec); };
  bool inMemory = false;
  auto loaded = *mode == runtime::CacheMode::Off ? make() : state->kernels.obtain(nameOf(spec), make, &inMemory);
  if (!loaded)
    return takeError(loaded);
  CacheSource source = inMemory ? CacheSource::Memory : (*loaded)->positive->source;
  return JitKernel(std::make_shared<JitKernel::State>(state, std::move(*loaded), source, listener));
}

} // namespace lacuna
