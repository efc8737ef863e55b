// How long it takes to find a compiled kernel: in memory, on disk, and (on a machine with a GPU) from disk to a loaded
// module. The kernel is the library's attention for D = 128.
//
//   lacuna-bench-cache                      everything that this machine can do
//   lacuna-bench-cache --benchmark_filter=memory
#include "lacuna/Jit/Jit.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Jit/LoadKernel.h"
#include "lacuna/Jit/Warm.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// A cache directory that is gone with the program.
class Directory {
public:
  Directory() : path((std::filesystem::temp_directory_path() / "lacuna-bench-XXXXXX").string()) {
    if (!mkdtemp(path.data()))
      std::abort();
    knobs.cacheDirectory = path + "/cache";
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
  Knobs knobs;
};

const KernelSpec &spec() {
  static const KernelSpec value = {.file = "attention_forward.tile",
                                   .source = std::string(libraryText("attention_forward")),
                                   .params = {{"D", "128"}}};
  return value;
}

CompileRequest request() {
  CompileRequest request;
  request.fileName = spec().file;
  request.source = spec().source;
  request.params = spec().params;
  request.allScalarsPositive = true;
  return request;
}

/// Stops the benchmark with an error's text.
template <class T> bool failed(benchmark::State &state, const Expected<T> &result) {
  if (!result)
    state.SkipWithError(result.error().message.c_str());
  return !result;
}

/// Jit::compile of what it has already. The target does not matter to it: the CPU is everywhere.
void memoryHit(benchmark::State &state) {
  Jit jit = Jit::forCpu();
  if (failed(state, jit.compile(spec())))
    return;
  for (auto _ : state) {
    auto kernel = jit.compile(spec());
    benchmark::DoNotOptimize(kernel);
  }
}

/// The same by a file's name: its text is read each time, so that an edited one is noticed.
void memoryHitOfFile(benchmark::State &state) {
  Directory directory;
  KernelSpec byName = spec();
  byName.file = directory.path + "/attention_forward.tile";
  std::ofstream(byName.file) << byName.source;
  byName.source.clear();
  Jit jit = Jit::forCpu();
  if (failed(state, jit.compile(byName)))
    return;
  for (auto _ : state) {
    auto kernel = jit.compile(byName);
    benchmark::DoNotOptimize(kernel);
  }
}

/// The store alone: from a key to a checked entry in memory.
void diskRead(benchmark::State &state) {
  Directory directory;
  CachedCompiler compiler(directory.knobs);
  if (failed(state, compiler.compile(request())) || !compiler.disk())
    return;
  auto entry = compiler.disk()->read(compiler.disk()->list().at(0).hex);
  CacheKey key = entry->key;
  for (auto _ : state) {
    auto found = compiler.disk()->get(key);
    benchmark::DoNotOptimize(found);
  }
  state.counters["image_bytes"] = static_cast<double>(entry->entry.image.size());
}

/// As a new process does it: settings, directory, assembler, text, key, entry.
void diskHit(benchmark::State &state) {
  Directory directory;
  if (failed(state, CachedCompiler(directory.knobs).compile(request())))
    return;
  for (auto _ : state) {
    auto compiled = CachedCompiler(directory.knobs).compile(request());
    if (failed(state, compiled))
      return;
    if (compiled->source != CacheSource::Disk)
      state.SkipWithError("it was not found on disk");
  }
}

/// The same, and loaded.
void diskHitToModule(benchmark::State &state) {
  Directory directory;
  auto device = Device::open();
  if (failed(state, device) || failed(state, CachedCompiler(directory.knobs).compile(request(), &device->driver())))
    return;
  for (auto _ : state) {
    auto loaded = loadKernel(CachedCompiler(directory.knobs), request(), *device);
    if (failed(state, loaded))
      return;
    if (loaded->compilation.source != CacheSource::Disk)
      state.SkipWithError("it was not found on disk");
    state.PauseTiming(); // unloading
    loaded = makeError(ErrorCode::NotFound, "unloaded");
    state.ResumeTiming();
  }
}

/// Every kernel of the library from disk, as a server does it at its start: a new Jit each time, without what starting
/// the process takes. On a GPU they are loaded as well.
void libraryFromDisk(benchmark::State &state) {
  Directory directory;
  setenv("LACUNA_CACHE", "disk", 1);
  setenv("LACUNA_CACHE_DIR", directory.knobs.cacheDirectory.c_str(), 1);
  const std::vector<WarmRequest> requests = libraryRequests();
  auto device = Device::open();
  auto open = [&] {
    auto jit = device ? Jit::forDevice(*device) : Expected<Jit>(Jit::ahead());
    return jit ? *jit : Jit::ahead();
  };
  if (failed(state, open().warm(requests).check()))
    return;
  for (auto _ : state) {
    Jit jit = open();
    const WarmReport report = jit.warm(requests);
    if (report.count(WarmState::Cached) != requests.size())
      state.SkipWithError("a kernel was not found on disk");
    state.PauseTiming(); // unloading
    jit = Jit::ahead();
    state.ResumeTiming();
  }
  state.counters["kernels"] = static_cast<double>(requests.size());
}

/// What is saved.
void compilation(benchmark::State &state) {
  Directory directory;
  directory.knobs.cache = "off";
  CachedCompiler compiler(directory.knobs);
  for (auto _ : state)
    if (failed(state, compiler.compile(request())))
      return;
}

} // namespace

BENCHMARK(memoryHit)->Unit(benchmark::kMicrosecond);
BENCHMARK(memoryHitOfFile)->Unit(benchmark::kMicrosecond);
BENCHMARK(diskRead)->Unit(benchmark::kMicrosecond);
BENCHMARK(diskHit)->Unit(benchmark::kMicrosecond);
BENCHMARK(libraryFromDisk)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(compilation)->Unit(benchmark::kMillisecond);

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  if (Device::open())
    benchmark::RegisterBenchmark("diskHitToModule", diskHitToModule)->Unit(benchmark::kMicrosecond);
  benchmark::RunSpecifiedBenchmarks();
}
