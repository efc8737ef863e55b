#include "lacuna/Jit/CachedCompiler.h"

#include "AssemblerChoice.h"
#include "BuildIds.h"
#include "CompilationRecord.h"

#include "lacuna/Compiler/Pipeline/Resolve.h"
#include "lacuna/Runtime/Log.h"
#include "lacuna/Runtime/MemoryCache.h"

#include <mutex>
#include <optional>

namespace lacuna {

using runtime::CacheKey;
using runtime::CacheMode;

struct CachedCompiler::State {
  std::optional<runtime::Knobs> given;

  // Set by prepare(), constant afterwards.
  std::once_flag prepared;
  Expected<runtime::Knobs> knobs;
  Expected<CacheMode> mode = CacheMode::Off;
  // Set by the first openDisk(), constant afterwards.
  std::once_flag diskOpened;
  std::optional<runtime::DiskCache> disk;
  BuildIds builds;

  AssemblerChoice assemblers;
  runtime::MemoryCache<const CompileResult> memory;
  std::mutex mutex; // of `compiler`
  std::optional<Compiler> compiler;

  void prepare();
  /// The cache on disk, or null where there is none.
  const runtime::DiskCache *openDisk();
  Expected<CacheKey> keyOf(const CompileRequest &request, const ChosenAssembler &chosen, const runtime::Driver *driver);
  Expected<CompileResult> compileNow(const CompileRequest &request, const ChosenAssembler &chosen);
  Expected<ChosenAssembler> assemblerFor(const CompileRequest &request);
  Expected<std::shared_ptr<const CompileResult>>
  fromDiskOrCompiler(const CompileRequest &request, const ChosenAssembler &chosen, const CacheKey &key, bool &onDisk);
};

std::string_view cacheSourceName(CacheSource source) {
  constexpr std::string_view kNames[] = {"none", "memory", "disk"};
  return kNames[static_cast<int>(source)];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Settings
//===--------------------------------------------------------------------------------------------------------------===//

void CachedCompiler::State::prepare() {
  std::call_once(prepared, [&] {
    knobs = given ? Expected<runtime::Knobs>(*given) : runtime::Knobs::fromEnvironment();
    mode = knobs.and_then([](const runtime::Knobs &read) { return runtime::cacheModeOf(read); });
  });
}

/// Without a directory, kernels are kept in memory; that is said once.
const runtime::DiskCache *CachedCompiler::State::openDisk() {
  std::call_once(diskOpened, [&] {
    if (!mode || *mode != CacheMode::Disk)
      return;
    auto directory = buildIds().and_then([&](const BuildIds &ids) {
      builds = ids;
      return runtime::chooseCacheDirectory(*knobs);
    });
    auto opened = directory.and_then([&](const std::string &path) {
      runtime::DiskCacheOptions options;
      options.sizeLimit = static_cast<uint64_t>(knobs->cacheMegabytes) << 20;
      return runtime::DiskCache::open(path, options);
    });
    if (opened)
      disk = std::move(*opened);
    else
      runtime::log("cache", runtime::LogLevel::Warn, "compiled kernels are kept in memory only: {}",
                   opened.error().message);
  });
  return disk ? &*disk : nullptr;
}

Expected<ChosenAssembler> CachedCompiler::State::assemblerFor(const CompileRequest &request) {
  if (request.target == Target::Cpu || request.driverAssembles)
    return ChosenAssembler{};
  auto chosen = assemblers.get(openDisk());
  if (!chosen && chosen.error().code == ErrorCode::NotFound)
    chosen.error().code = ErrorCode::Unavailable; // As the compiler says it: nothing of the request is at fault.
  return chosen;
}

Expected<CacheKey> CachedCompiler::State::keyOf(const CompileRequest &request, const ChosenAssembler &chosen,
                                                const runtime::Driver *driver) {
  CodeGenerator generator = codeGeneratorOf(request.target);
  ToolVersions tools;
  tools.llvm = generator.llvm;
  tools.ptx = generator.ptx;
  tools.hookLibrary = generator.hookLibrary;
  if (request.target == Target::Cpu) // The builds are those of this process, which keeps it.
    return cacheKeyOf(request, tools, *knobs);
  tools.compiler = builds.compiler;
  tools.llvm += fmt::format(" {} {}", builds.llvm, builds.mlir);
  tools.assembler = chosen.assembler ? fmt::format("ptxas {}", chosen.version)
                                     : fmt::format("driver {}", driver ? driver->version() : 0);
  return cacheKeyOf(request, tools, *knobs);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Compiling
//===--------------------------------------------------------------------------------------------------------------===//

Expected<CompileResult> CachedCompiler::State::compileNow(const CompileRequest &request,
                                                          const ChosenAssembler &chosen) {
  CompileRequest complete = request;
  complete.assembler = chosen.assembler;
  const bool driverAssembles = isGpu(request.target) && !chosen.assembler;
  if (driverAssembles) {
    complete.stopAfter = Stage::Ptx;
    complete.keep.insert(Stage::Ptx);
  }
  std::lock_guard lock(mutex);
  if (!compiler)
    compiler.emplace();
  auto result = compiler->compile(complete);
  if (result && driverAssembles) {
    result->image = std::move(result->texts[Stage::Ptx]);
    result->texts.clear();
  }
  return result;
}

namespace {

runtime::CacheEntry entryOf(const CompileResult &result) {
  return {result.metadata, result.image, result.isCubin, writeRecord(result)};
}

std::shared_ptr<const CompileResult> resultOf(runtime::CacheEntry &&entry) {
  auto result = std::make_shared<CompileResult>();
  result->metadata = std::move(entry.metadata);
  result->image = std::move(entry.image);
  result->isCubin = entry.isCubin;
  // A record that cannot be read costs the report; the kernel is as good.
  if (auto read = readRecord(entry.record, *result); !read)
    runtime::log("cache", runtime::LogLevel::Info, "{}", read.error().message);
  return result;
}

bool isWhole(const CompileRequest &request) {
  return !request.stopAfter && request.keep.empty() && request.overrides.empty() && request.dumpDirectory.empty() &&
         !request.assembler;
}

std::string_view bytesOf(const CacheKey &key) {
  return {reinterpret_cast<const char *>(key.digest.data()), key.digest.size()};
}

} // namespace

Expected<std::shared_ptr<const CompileResult>> CachedCompiler::State::fromDiskOrCompiler(const CompileRequest &request,
                                                                                         const ChosenAssembler &chosen,
                                                                                         const CacheKey &key,
                                                                                         bool &onDisk) {
  std::shared_ptr<const CompileResult> result;
  auto compile = [&]() -> Expected<runtime::CacheEntry> {
    auto compiled = compileNow(request, chosen);
    if (!compiled)
      return takeError(compiled);
    result = std::make_shared<const CompileResult>(std::move(*compiled));
    return entryOf(*result);
  };
  if (request.target == Target::Cpu || !openDisk()) {
    if (auto compiled = compile(); !compiled)
      return takeError(compiled);
    return result;
  }
  auto obtained = disk->obtain(key, compile);
  if (!obtained)
    return takeError(obtained);
  onDisk = obtained->found;
  return onDisk ? resultOf(std::move(obtained->entry)) : result;
}

CachedCompiler::CachedCompiler() : state(std::make_shared<State>()) {}
CachedCompiler::CachedCompiler(const runtime::Knobs &knobs) : CachedCompiler() {
  state->given = knobs;
}

Expected<CacheMode> CachedCompiler::mode() const {
  state->prepare();
  return state->mode;
}

const runtime::DiskCache *CachedCompiler::disk() const {
  state->prepare();
  return state->openDisk();
}

Expected<CachedCompilation> CachedCompiler::compile(const CompileRequest &request,
                                                    const runtime::Driver *driver) const {
  state->prepare();
  if (!state->mode)
    return takeError(Expected<CacheMode>(state->mode));
  auto chosen = isWhole(request) ? state->assemblerFor(request) : ChosenAssembler{request.assembler, {}};
  if (!chosen)
    return takeError(chosen);
  if (*state->mode == CacheMode::Off || !isWhole(request)) {
    auto result = isWhole(request) ? state->compileNow(request, *chosen) : Compiler().compile(request);
    if (!result)
      return takeError(result);
    return CachedCompilation{std::make_shared<const CompileResult>(std::move(*result)), CacheSource::None};
  }
  auto key = state->keyOf(request, *chosen, driver);
  if (!key)
    return takeError(key);
  bool inMemory = false, onDisk = false;
  auto make = [&] { return state->fromDiskOrCompiler(request, *chosen, *key, onDisk); };
  auto result = state->memory.obtain(bytesOf(*key), make, &inMemory);
  if (!result)
    return takeError(result);
  return CachedCompilation{std::move(*result), inMemory ? CacheSource::Memory
                                               : onDisk ? CacheSource::Disk
                                                        : CacheSource::None};
}

Expected<CachedCompilation> CachedCompiler::compileAnew(const CompileRequest &request,
                                                        const runtime::Driver *driver) const {
  state->prepare();
  if (state->mode && *state->mode != CacheMode::Off) {
    auto chosen = state->assemblerFor(request);
    if (!chosen)
      return takeError(chosen);
    auto key = state->keyOf(request, *chosen, driver);
    if (!key)
      return takeError(key);
    state->memory.forget(bytesOf(*key));
    if (const runtime::DiskCache *disk = request.target == Target::Cpu ? nullptr : state->openDisk())
      disk->remove(*key);
  }
  return compile(request, driver);
}

} // namespace lacuna
