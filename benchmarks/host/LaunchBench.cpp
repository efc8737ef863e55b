// Host time of a launch: the driver's call alone, a prepared launch, and a launch that checks its arguments.
//
// The kernel does nothing and has the arguments of attention: four views under tensor maps, a list, a scalar. Run it
// with the real driver, or with the fake one, whose calls cost next to nothing, so that what is left is ours:
//
//   build/bin/lacuna-bench-host
//   LACUNA_DRIVER=build/lib/libfakecuda.so build/bin/lacuna-bench-host
//
// One thread; each case is enqueued on one stream, and the stream is waited for outside the time.
#include "lacuna/Runtime/PreparedLaunch.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

LaunchMetadata makeMetadata(bool persistent) {
  auto view = [](const char *name, const char *heads, const char *rows, bool output = false) {
    return Argument{name, Argument::Kind::View, DType::BF16, {{"B"}, {heads}, {rows}, {"", 128}}, output};
  };
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "nothing";
  metadata.target = "sm_90a";
  metadata.arguments = {view("q", "H", "M"),
                        view("k", "G", "N"),
                        view("v", "G", "N"),
                        {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, 128, 128},
                        view("o", "H", "M", true),
                        {"lse", Argument::Kind::View, DType::F32, {{"B"}, {"H"}, {"M"}}, true},
                        {"scale", Argument::Kind::Scalar, DType::F32}};
  metadata.dims = {"B", "H", "M", "G", "N"};
  metadata.grid = {"ceildiv(M, 128)", "H", "B"};
  metadata.constraints = {{"H % G == 0", "H % G == 0"}};
  metadata.threads = 128;
  metadata.tensorMaps = {{0, 2, 128}, {1, 2, 128}, {2, 2, 128}, {4, 2, 64}};
  metadata.persistentBlocks = persistent ? 1 : 0;
  return metadata;
}

/// A kernel of these parameters that returns at once.
std::string makePtx(const LaunchMetadata &metadata) {
  std::string parameters;
  auto add = [&](std::string_view type, size_t count) {
    for (size_t index = 0; index < count; ++index)
      parameters += fmt::format("{}.param {} p{}", parameters.empty() ? "" : ", ", type,
                                std::count(parameters.begin(), parameters.end(), 'p'));
  };
  for (size_t map = 0; map < metadata.tensorMaps.size(); ++map)
    parameters += fmt::format("{}.param .align 64 .b8 m{}[128]", parameters.empty() ? "" : ", ", map);
  for (const Argument &argument : metadata.arguments) {
    add(".u64", argument.kind == Argument::Kind::View     ? argument.shape.size()
                : argument.kind == Argument::Kind::Blocks ? 5
                                                          : 0);
    add(".u32", argument.kind == Argument::Kind::View ? 0 : 1);
  }
  add(".u32", metadata.dims.size());
  if (metadata.persistentBlocks > 0) {
    add(".u64", 2);
    add(".u32", 3);
  }
  return fmt::format(".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry nothing({})\n{{\n  ret;\n}}\n",
                     parameters);
}

template <class T> T orExit(Expected<T> value) {
  if (!value) {
    std::fprintf(stderr, "lacuna-bench-host: %s\n", value.error().render().c_str());
    std::exit(1);
  }
  return std::move(*value);
}

/// One kernel with arguments for a small launch.
struct Case {
  explicit Case(bool persistent)
      : device(orExit(Device::open())), stream(orExit(Stream::create(device))),
        memory(orExit(DeviceBuffer::allocate(device, 1 << 20))),
        kernel(orExit(Kernel::load(device, makePtx(makeMetadata(persistent)), makeMetadata(persistent)))) {
    auto *base = static_cast<std::byte *>(memory.data());
    auto *words = reinterpret_cast<int32_t *>(base + (1 << 19));
    arguments = {TensorView::contiguous(base, DType::BF16, {1, 2, 128, 128}),
                 TensorView::contiguous(base, DType::BF16, {1, 1, 128, 128}),
                 TensorView::contiguous(base, DType::BF16, {1, 1, 128, 128}),
                 BlockListView{words, words, words, 1, 2, 1, 2},
                 TensorView::contiguous(base, DType::BF16, {1, 2, 128, 128}),
                 TensorView::contiguous(base, DType::F32, {1, 2, 128}),
                 0.125f};
  }

  /// Times `enqueue`, and waits for the stream now and then, outside the time, so that its queue never fills.
  template <class Enqueue> void time(benchmark::State &state, Enqueue enqueue) {
    int pending = 0;
    for (auto each : state) {
      (void)each;
      if (!enqueue())
        state.SkipWithError("a launch failed");
      if (++pending < 512)
        continue;
      state.PauseTiming();
      (void)stream.synchronize();
      pending = 0;
      state.ResumeTiming();
    }
    (void)stream.synchronize();
  }

  Device device;
  Stream stream;
  DeviceBuffer memory;
  Kernel kernel;
  std::vector<ArgumentValue> arguments;
};

/// cuLaunchKernel with parameters that were laid out before, in the right context.
void bareDriverCall(benchmark::State &state) {
  Case with(state.range(0) != 0);
  ContextGuard guard(with.device);
  std::array<std::byte, 128> nothing = {};
  std::array<void *, ParameterPack::kMaxCount> parameters;
  parameters.fill(nothing.data());
  const Driver &driver = with.device.driver();
  with.time(state, [&] {
    return driver.cuLaunchKernel(with.kernel.function().handle(), 1, 2, 1, 128, 1, 1, 0, with.stream.handle(),
                                 parameters.data(), nullptr) == cu::Success;
  });
}

void preparedRun(benchmark::State &state) {
  Case with(state.range(0) != 0);
  PreparedLaunch prepared = orExit(with.kernel.prepare(with.stream, with.arguments));
  with.time(state, [&] { return prepared.run().has_value(); });
}

/// The same in a thread that has the context current, as one that uses the CUDA runtime or PyTorch has.
void preparedRunInContext(benchmark::State &state) {
  Case with(state.range(0) != 0);
  PreparedLaunch prepared = orExit(with.kernel.prepare(with.stream, with.arguments));
  ContextGuard guard(with.device);
  with.time(state, [&] { return prepared.run().has_value(); });
}

/// With other queries and another output each time.
void preparedSetAndRun(benchmark::State &state) {
  Case with(state.range(0) != 0);
  PreparedLaunch prepared = orExit(with.kernel.prepare(with.stream, with.arguments));
  ContextGuard guard(with.device);
  auto *base = static_cast<std::byte *>(with.memory.data());
  size_t turn = 0;
  with.time(state, [&] {
    void *next = base + 256 * (++turn % 2);
    return prepared.set(0, next) && prepared.set(4, next) && prepared.run();
  });
}

void checkedLaunch(benchmark::State &state) {
  Case with(state.range(0) != 0);
  ContextGuard guard(with.device);
  with.time(state, [&] { return with.kernel.launch(with.stream, with.arguments).has_value(); });
}

BENCHMARK(bareDriverCall)->ArgName("persistent")->Arg(0)->Arg(1);
BENCHMARK(preparedRun)->ArgName("persistent")->Arg(0)->Arg(1);
BENCHMARK(preparedRunInContext)->ArgName("persistent")->Arg(0)->Arg(1);
BENCHMARK(preparedSetAndRun)->ArgName("persistent")->Arg(0)->Arg(1);
BENCHMARK(checkedLaunch)->ArgName("persistent")->Arg(0)->Arg(1);

} // namespace

BENCHMARK_MAIN();
