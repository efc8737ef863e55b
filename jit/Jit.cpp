#include "lacuna/Jit/Jit.h"

#include "lacuna/Jit/Tuning.h"
#include "lacuna/Runtime/Log.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <variant>

namespace lacuna {

//===--------------------------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------------------------===//

struct Jit::State {
  std::optional<runtime::Device> device;
  std::shared_ptr<runtime::ThreadPool> pool; // CPU
  std::mutex mutex;                          // of the compiler
  Compiler compiler;
  std::once_flag recordsRead;
  autotune::TunedRecords records; // and the machine whose records count
  autotune::MachineLimits machine;

  /// Gives the params that `spec` leaves open the best known values; where those come from.
  std::string tune(KernelSpec &spec);
};

namespace {
/// One compilation, loaded.
struct Variant {
  CompileResult compilation;
  std::variant<runtime::Kernel, runtime::CpuKernel> code;
};
} // namespace

struct JitKernel::State {
  std::shared_ptr<Jit::State> jit;
  KernelSpec spec;
  std::string tuning;
  std::unique_ptr<Variant> positive;
  std::mutex mutex; // of `general`
  std::unique_ptr<Variant> general;

  static Expected<std::unique_ptr<Variant>> build(Jit::State &jit, const KernelSpec &spec, bool positive);
  /// The variant that may run with these scalars.
  Expected<const Variant *> select(std::span<const runtime::ArgumentValue> arguments);
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
// Tuned params
//===--------------------------------------------------------------------------------------------------------------===//

std::string Jit::State::tune(KernelSpec &spec) {
  if (spec.source.find("tune") == std::string::npos) // No such entry: not even parsed.
    return "";
  std::call_once(recordsRead, [&] {
    records = autotune::TunedRecords::load();
    machine = machineLimits(device ? &*device : nullptr, pool ? pool->threads() : 1);
  });
  bool anyRecord = std::any_of(records.all().begin(), records.all().end(), [&](const autotune::WinnerRecord &record) {
    return record.key.machine == machine.name;
  });
  if (!device && !anyRecord) // No prediction either: the defaults stand.
    return "";
  OpenQuestion question{.spec = spec, .shape = {}, .keepLists = true};
  auto open = chooseOpenPoint(question, device ? Target::Sm90a : Target::Cpu, machine, records);
  if (!open || !*open) // A text at fault is told by its compilation.
    return "";
  spec.params.insert((*open)->point.begin(), (*open)->point.end());
  runtime::log("tuning", (*open)->isTuned ? runtime::LogLevel::Debug : runtime::LogLevel::Info, "{}: {}",
               autotune::settingsText((*open)->point), (*open)->origin);
  return (*open)->origin;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Variants
//===--------------------------------------------------------------------------------------------------------------===//

Expected<std::unique_ptr<Variant>> JitKernel::State::build(Jit::State &jit, const KernelSpec &spec, bool positive) {
  std::lock_guard lock(jit.mutex);
  CompileRequest request;
  request.fileName = spec.file;
  request.source = spec.source;
  request.target = jit.device ? Target::Sm90a : Target::Cpu;
  request.kernel = spec.kernel;
  request.params = spec.params;
  request.hooks = spec.hooks;
  request.allScalarsPositive = positive;
  auto compiled = jit.compiler.compile(request);
  if (!compiled)
    return takeError(compiled);
  if (jit.device) {
    auto kernel = runtime::Kernel::load(*jit.device, compiled->image, compiled->metadata);
    if (!kernel)
      return takeError(kernel);
    return std::unique_ptr<Variant>(new Variant{std::move(*compiled), std::move(*kernel)});
  }
  auto kernel = runtime::CpuKernel::create(compiled->cpu.entry, compiled->metadata, jit.pool, compiled->cpu.owner);
  if (!kernel)
    return takeError(kernel);
  return std::unique_ptr<Variant>(new Variant{std::move(*compiled), std::move(*kernel)});
}

Expected<const Variant *> JitKernel::State::select(std::span<const runtime::ArgumentValue> arguments) {
  const runtime::LaunchMetadata &metadata = positive->compilation.metadata;
  bool holds = true;
  for (size_t i = 0; i < arguments.size() && i < metadata.arguments.size(); ++i)
    if (const float *value = std::get_if<float>(&arguments[i]))
      if (std::find(metadata.positiveScalars.begin(), metadata.positiveScalars.end(), metadata.arguments[i].name) !=
          metadata.positiveScalars.end())
        holds &= *value > 0 && std::isfinite(*value);
  if (holds)
    return positive.get();
  std::lock_guard lock(mutex);
  if (!general) {
    auto built = build(*jit, spec, /*positive=*/false);
    if (!built)
      return takeError(built);
    general = std::move(*built);
  }
  return general.get();
}

//===--------------------------------------------------------------------------------------------------------------===//
// JitKernel
//===--------------------------------------------------------------------------------------------------------------===//

const runtime::LaunchMetadata &JitKernel::metadata() const {
  return state->positive->compilation.metadata;
}
const CompileResult &JitKernel::compilation() const {
  return state->positive->compilation;
}

const std::string &JitKernel::tuning() const {
  return state->tuning;
}

Expected<void> JitKernel::launch(const runtime::Stream &stream, std::span<const runtime::ArgumentValue> arguments,
                                 const runtime::LaunchOptions &options) const {
  auto variant = state->select(arguments);
  if (!variant)
    return takeError(variant);
  if (const auto *kernel = std::get_if<runtime::Kernel>(&(*variant)->code))
    return kernel->launch(stream, arguments, options);
  return makeError(ErrorCode::InvalidArgument,
                   "kernel '{}' was compiled for the CPU; launch it without a stream, on host memory",
                   metadata().kernel);
}

Expected<void> JitKernel::launch(std::span<const runtime::ArgumentValue> arguments) const {
  auto variant = state->select(arguments);
  if (!variant)
    return takeError(variant);
  if (const auto *kernel = std::get_if<runtime::CpuKernel>(&(*variant)->code))
    return kernel->launch(arguments);
  return makeError(ErrorCode::InvalidArgument,
                   "kernel '{}' was compiled for a GPU; launch it on a stream, on device memory", metadata().kernel);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Jit
//===--------------------------------------------------------------------------------------------------------------===//

Jit Jit::forCpu(std::shared_ptr<runtime::ThreadPool> pool) {
  auto state = std::make_shared<State>();
  state->pool = pool ? std::move(pool) : std::make_shared<runtime::ThreadPool>();
  return Jit(std::move(state));
}

Expected<Jit> Jit::forDevice(const runtime::Device &device) {
  const runtime::DeviceInfo &info = device.info();
  if (info.major != 9 || info.minor != 0)
    return makeError(ErrorCode::Unsupported,
                     "{} has compute capability {}.{}; kernels are generated for 9.0 (H100, H200). Use the CPU target",
                     info.name, info.major, info.minor);
  auto state = std::make_shared<State>();
  state->device = device;
  return Jit(std::move(state));
}

Jit Jit::forThisMachine() {
  if (auto device = runtime::Device::open())
    if (auto jit = forDevice(*device))
      return *jit;
  return forCpu();
}

Target Jit::target() const {
  return state->device ? Target::Sm90a : Target::Cpu;
}
const runtime::Device *Jit::device() const {
  return state->device ? &*state->device : nullptr;
}

Expected<JitKernel> Jit::compile(const KernelSpec &spec) const {
  KernelSpec complete = spec;
  if (complete.source.empty()) {
    if (spec.file.empty())
      return makeError(ErrorCode::InvalidArgument,
                       "there is nothing to compile: neither a file nor a source was given");
    auto text = readTextFile(spec.file);
    if (!text)
      return takeError(text);
    complete.source = std::move(*text);
  }
  if (complete.file.empty())
    complete.file = "<source>";
  std::string tuning = complete.tuned ? state->tune(complete) : "";
  auto positive = JitKernel::State::build(*state, complete, /*positive=*/true);
  if (!positive)
    return takeError(positive);
  auto kernel = std::make_shared<JitKernel::State>();
  kernel->jit = state;
  kernel->spec = std::move(complete);
  kernel->tuning = std::move(tuning);
  kernel->positive = std::move(*positive);
  return JitKernel(std::move(kernel));
}

} // namespace lacuna
