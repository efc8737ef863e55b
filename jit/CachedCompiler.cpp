#include "lacuna/Jit/CachedCompiler.h"

#include "AssemblerChoice.h"
#include "BuildIds.h"
#include "CacheKeyOf.h"
#include "CompilationRecord.h"
#include "CompilerPool.h"
#include "Refusal.h"

#include "lacuna/Compiler/Pipeline/Seeing.h"
#include "lacuna/Runtime/Log.h"
#include "lacuna/Runtime/MemoryCache.h"
#include "lacuna/Runtime/Trace.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

namespace lacuna {

using runtime::CacheKey;
using runtime::CacheMode;
using Clock = std::chrono::steady_clock;

struct CachedCompiler::State {
  /// Where a request is looked for.
  struct Lookup {
    ResolvedRequest resolved;
    std::vector<CacheKey> keys;                               ///< the last is that of what is compiled here
    runtime::MissReason reason = runtime::MissReason::Absent; ///< why it was not found, where that is worth telling
  };

  std::optional<runtime::Knobs> given;

  // Set by prepare(), constant afterwards.
  std::once_flag prepared;
  Expected<runtime::Knobs> knobs;
  Expected<CacheMode> mode = CacheMode::Off;
  Expected<bool> jit = true;
  BuildIds builds;
  // Set by the first openDisk(), constant afterwards.
  std::once_flag diskOpened;
  std::optional<runtime::DiskCache> disk;

  AssemblerChoice assemblers;
  runtime::MemoryCache<const CompileResult> memory;
  CompilerPool compilers;

  /// Reads the settings. Errors: InvalidArgument.
  Expected<void> prepare();
  /// The cache on disk, or null where there is none.
  const runtime::DiskCache *openDisk();
  /// What the keys of a request say of the tools, but for the assembler.
  ToolVersions toolsFor(Target target);
  Expected<Lookup> lookupOf(const CompileRequest &request, const ChosenAssembler &chosen,
                            const runtime::Driver *driver);
  /// From memory or disk, under any of the keys; nothing where it is not there.
  std::optional<CachedCompilation> find(const CompileRequest &request, Lookup &lookup);
  Expected<CompileResult> compileNow(const CompileRequest &request, const ChosenAssembler &chosen);
  Expected<ChosenAssembler> assemblerFor(const CompileRequest &request);
  /// The kernel of an entry, which was looked for since `begin`.
  std::shared_ptr<const CompileResult> fromDisk(runtime::CacheEntry &&entry, Clock::time_point begin);
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

Expected<void> CachedCompiler::State::prepare() {
  std::call_once(prepared, [&] {
    knobs = given ? Expected<runtime::Knobs>(*given) : runtime::Knobs::fromEnvironment();
    mode = knobs.and_then([](const runtime::Knobs &read) { return runtime::cacheModeOf(read); });
    // A kernel on disk has no stages to dump, and edited stages are nobody else's kernel.
    if (mode && *mode == CacheMode::Disk && !(knobs->dump.empty() && knobs->overrides.empty())) {
      mode = CacheMode::Memory;
      runtime::log("cache", runtime::LogLevel::Info,
                   "nothing is taken from disk or put there while LACUNA_DUMP or LACUNA_OVERRIDE is set");
    }
    jit = knobs.and_then([](const runtime::Knobs &read) { return runtime::jitAllowedBy(read); });
    builds = buildIds();
  });
  if (!mode)
    return tl::unexpected(mode.error());
  return jit ? Expected<void>() : tl::unexpected(jit.error());
}

/// Without a directory, kernels are kept in memory; that is said once.
const runtime::DiskCache *CachedCompiler::State::openDisk() {
  std::call_once(diskOpened, [&] {
    if (!mode || *mode != CacheMode::Disk)
      return;
    auto opened = runtime::chooseCacheDirectory(*knobs).and_then([&](const std::string &path) {
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
  // Where nothing is compiled it does not matter what is on this machine.
  if (request.target == Target::Cpu || request.driverAssembles || !*jit)
    return ChosenAssembler{};
  auto chosen = assemblers.get(openDisk());
  if (!chosen && chosen.error().code == ErrorCode::NotFound)
    chosen.error().code = ErrorCode::Unavailable; // As the compiler says it: nothing of the request is at fault.
  return chosen;
}

ToolVersions CachedCompiler::State::toolsFor(Target target) {
  CodeGenerator generator = codeGeneratorOf(target);
  ToolVersions tools;
  tools.llvm = generator.llvm;
  tools.ptx = generator.ptx;
  tools.hookLibrary = generator.hookLibrary;
  if (target == Target::Cpu) // The builds are those of this process, which keeps it.
    return tools;
  tools.compiler = builds.compiler;
  tools.llvm += fmt::format(" {} {}", builds.llvm, builds.mlir);
  return tools;
}

Expected<CachedCompiler::State::Lookup> CachedCompiler::State::lookupOf(const CompileRequest &request,
                                                                        const ChosenAssembler &chosen,
                                                                        const runtime::Driver *driver) {
  auto resolved = resolveRequest(request);
  if (!resolved)
    return takeError(resolved);
  Lookup lookup{std::move(*resolved), {}};
  ToolVersions tools = toolsFor(request.target);
  auto add = [&](std::string assembler) {
    tools.assembler = std::move(assembler);
    lookup.keys.push_back(cacheKeyOf(request, lookup.resolved, tools, *knobs));
  };
  if (request.target == Target::Cpu) {
    add("");
  } else if (chosen.assembler) {
    add(fmt::format("ptxas {}", chosen.version));
  } else { // What an assembler made elsewhere is better than what the driver would make of PTX here.
    for (const std::string &version : notedAssemblers(openDisk()))
      add(fmt::format("ptxas {}", version));
    add(fmt::format("driver {}", driver ? driver->version() : 0));
  }
  return lookup;
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
  auto result = compilers.compile(complete, *knobs);
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

std::shared_ptr<const CompileResult> CachedCompiler::State::fromDisk(runtime::CacheEntry &&entry,
                                                                     Clock::time_point begin) {
  auto result = resultOf(std::move(entry));
  std::chrono::duration<double, std::milli> elapsed = Clock::now() - begin;
  showResult(*result, *knobs, cacheSourceName(CacheSource::Disk), elapsed.count());
  return result;
}

Expected<std::shared_ptr<const CompileResult>> CachedCompiler::State::fromDiskOrCompiler(const CompileRequest &request,
                                                                                         const ChosenAssembler &chosen,
                                                                                         const CacheKey &key,
                                                                                         bool &onDisk) {
  runtime::TraceSpan span("obtain", spanDetail(request));
  const auto begin = Clock::now();
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
  if (!onDisk) {
    if (chosen.assembler)
      noteAssembler(*disk, chosen.version);
    return result;
  }
  return fromDisk(std::move(obtained->entry), begin);
}

CachedCompiler::CachedCompiler() : state(std::make_shared<State>()) {}
CachedCompiler::CachedCompiler(const runtime::Knobs &knobs) : CachedCompiler() {
  state->given = knobs;
}

std::optional<CachedCompilation> CachedCompiler::State::find(const CompileRequest &request, Lookup &lookup) {
  for (const CacheKey &key : lookup.keys)
    if (auto known = memory.find(bytesOf(key)))
      return CachedCompilation{std::move(known), CacheSource::Memory};
  if (!openDisk())
    return std::nullopt;
  runtime::TraceSpan span("obtain", spanDetail(request));
  for (const CacheKey &key : lookup.keys) {
    const auto begin = Clock::now();
    auto entry = disk->get(key);
    if (!entry) {
      lookup.reason = entry.error() == runtime::MissReason::Absent ? lookup.reason : entry.error();
      continue;
    }
    auto make = [&]() -> Expected<std::shared_ptr<const CompileResult>> { return fromDisk(std::move(*entry), begin); };
    return CachedCompilation{*memory.obtain(bytesOf(key), make), CacheSource::Disk};
  }
  return std::nullopt;
}

Expected<CacheMode> CachedCompiler::mode() const {
  (void)state->prepare();
  return state->mode;
}

Expected<bool> CachedCompiler::mayCompile() const {
  (void)state->prepare();
  return state->jit;
}

const runtime::DiskCache *CachedCompiler::disk() const {
  (void)state->prepare();
  return state->openDisk();
}

Expected<CacheAnswer> CachedCompiler::find(const CompileRequest &request, const runtime::Driver *driver) const {
  if (Expected<void> ready = state->prepare(); !ready)
    return takeError(ready);
  auto chosen = state->assemblerFor(request);
  if (!chosen)
    return takeError(chosen);
  auto lookup = state->lookupOf(request, *chosen, driver);
  if (!lookup)
    return takeError(lookup);
  CacheAnswer answer{lookup->resolved.kernel, state->find(request, *lookup), {}};
  if (!answer.compilation)
    answer.missing = missingKernel(request, lookup->resolved, state->openDisk(), lookup->reason, *state->jit);
  return answer;
}

Expected<CachedCompilation> CachedCompiler::compile(const CompileRequest &request,
                                                    const runtime::Driver *driver) const {
  if (Expected<void> ready = state->prepare(); !ready)
    return takeError(ready);
  auto chosen = isWhole(request) ? state->assemblerFor(request) : ChosenAssembler{request.assembler, {}};
  if (!chosen)
    return takeError(chosen);
  const bool keeps = isWhole(request) && *state->mode != CacheMode::Off;
  if (!keeps && *state->jit) {
    auto result = isWhole(request) ? state->compileNow(request, *chosen) : Compiler(*state->knobs).compile(request);
    if (!result)
      return takeError(result);
    return CachedCompilation{std::make_shared<const CompileResult>(std::move(*result)), CacheSource::None};
  }
  auto lookup = state->lookupOf(request, *chosen, driver);
  if (!lookup) {
    // A front end that crashes does so again in the compiler, which leaves a reproducer.
    if (lookup.error().code == ErrorCode::Internal && *state->jit)
      if (auto again = state->compileNow(request, *chosen); !again)
        return takeError(again);
    return takeError(lookup);
  }
  if (!*state->jit || lookup->keys.size() > 1) {
    if (auto found = keeps ? state->find(request, *lookup) : std::nullopt)
      return std::move(*found);
    if (!*state->jit)
      return tl::unexpected(
          missingKernel(request, lookup->resolved, state->openDisk(), lookup->reason, /*compiles=*/false));
  }
  bool inMemory = false, onDisk = false;
  const CacheKey &key = lookup->keys.back();
  auto make = [&] { return state->fromDiskOrCompiler(request, *chosen, key, onDisk); };
  auto result = state->memory.obtain(bytesOf(key), make, &inMemory);
  if (!result)
    return takeError(result);
  return CachedCompilation{std::move(*result), inMemory ? CacheSource::Memory
                                               : onDisk ? CacheSource::Disk
                                                        : CacheSource::None};
}

Expected<CachedCompilation> CachedCompiler::compileAnew(const CompileRequest &request,
                                                        const runtime::Driver *driver) const {
  if (Expected<void> ready = state->prepare(); !ready)
    return takeError(ready);
  if (!*state->jit)
    return makeError(ErrorCode::Unavailable,
                     "LACUNA_JIT=off lets nothing be compiled in the place of what the cache holds; put another there "
                     "with: LACUNA_JIT=on lacuna warm {}",
                     warmWords(request));
  if (*state->mode != CacheMode::Off) {
    auto chosen = state->assemblerFor(request);
    if (!chosen)
      return takeError(chosen);
    auto lookup = state->lookupOf(request, *chosen, driver);
    if (!lookup)
      return takeError(lookup);
    const runtime::DiskCache *disk = request.target == Target::Cpu ? nullptr : state->openDisk();
    for (const CacheKey &key : lookup->keys) {
      state->memory.forget(bytesOf(key));
      if (disk)
        disk->remove(key);
    }
  }
  return compile(request, driver);
}

} // namespace lacuna
