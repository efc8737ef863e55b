// Prepared launches: checked once, packed once, and what may change afterwards.

#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/PreparedLaunch.h"

#include <doctest/doctest.h>

#include <optional>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::Call;
using fake::FakeDriver;

namespace {

/// in (tensor map), list, out, scale > 0, count; persistent where `blocks` is above 0.
LaunchMetadata gatherMetadata(int blocks) {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "gather";
  metadata.target = "sm_90a";
  metadata.arguments = {{"in", Argument::Kind::View, DType::F16, {{"M"}, {"", 64}}},
                        {"rows", Argument::Kind::Blocks, DType::I32, {{"", 1}, {"", 2}}, false, 64, 64},
                        {"out", Argument::Kind::View, DType::F32, {{"M"}, {"", 4}}, true},
                        {"scale", Argument::Kind::Scalar, DType::F32},
                        {"count", Argument::Kind::Scalar, DType::I32}};
  metadata.dims = {"M"};
  metadata.grid = {"ceildiv(M, 64)", "2"};
  metadata.threads = 384;
  metadata.tensorMaps = {{0, 0, 64}};
  metadata.positiveScalars = {"scale"};
  metadata.persistentBlocks = blocks;
  return metadata;
}

/// What the driver is given: places of the parameters of gatherMetadata.
struct Seen {
  int launches = 0;
  unsigned char map = 0; ///< the fake fills a map with the number of the call that encoded it
  void *in = nullptr, *out = nullptr;
  int32_t *indices = nullptr, *queue = nullptr;
  const int32_t *order = nullptr;
  float scale = 0;
  int32_t count = 0, rows = 0;
};

struct Bench {
  explicit Bench(int blocks = 0)
      : device(driver.open()), stream(Stream::create(device).value()),
        memory(DeviceBuffer::allocate(device, 1 << 16).value()),
        kernel(Kernel::load(device, ".version 8.3", gatherMetadata(blocks)).value()) {
    driver.state.onLaunch = [this, blocks](void **p) {
      auto at = [&](size_t slot, auto &value) { std::memcpy(&value, p[slot], sizeof(value)); };
      ++seen.launches;
      at(0, seen.map), at(1, seen.in), at(5, seen.indices), at(9, seen.out), at(11, seen.scale), at(12, seen.count);
      at(13, seen.rows);
      if (blocks > 0)
        at(14, seen.queue), at(15, seen.order);
    };
  }
  void *at(size_t offset) { return static_cast<std::byte *>(memory.data()) + offset; }
  int32_t *words(size_t offset) { return static_cast<int32_t *>(at(offset)); }
  BlockListView list(size_t offset) { return {words(offset), words(offset + 256), words(offset + 512), 1, 2, 2, 7}; }
  std::vector<ArgumentValue> arguments() {
    return {TensorView::contiguous(at(0), DType::F16, {100, 64}), list(32768),
            TensorView::contiguous(at(16384), DType::F32, {100, 4}), 0.5f, int32_t(3)};
  }
  PreparedLaunch prepare(const LaunchOptions &options = {}) {
    Expected<PreparedLaunch> prepared = kernel.prepare(stream, arguments(), options);
    REQUIRE_MESSAGE(prepared, prepared.error().render());
    return std::move(*prepared);
  }

  FakeDriver driver;
  Device device;
  Stream stream;
  DeviceBuffer memory;
  Kernel kernel;
  Seen seen;
};

std::string messageOf(Expected<void> failed) {
  REQUIRE(!failed);
  CHECK(failed.error().code == ErrorCode::InvalidArgument);
  return failed.error().message;
}

} // namespace

TEST_CASE("a run only asks for the context and launches, with the parameters of launch()") {
  Bench bench;
  REQUIRE(bench.kernel.launch(bench.stream, bench.arguments()));
  Seen launched = bench.seen;
  PreparedLaunch prepared = bench.prepare();
  CHECK(prepared.bounds().grid == std::array<int64_t, 3>{2, 2, 1});
  CHECK(prepared.metadata().kernel == "gather");
  ContextGuard current(bench.device); // as a thread that uses the CUDA runtime has it
  const auto before = bench.driver.state.counts;
  for (int run = 0; run < 3; ++run)
    REQUIRE(prepared.run());
  auto after = bench.driver.state.counts;
  for (Call expected : {Call::cuLaunchKernel, Call::cuCtxGetCurrent})
    after[static_cast<size_t>(expected)] -= 3;
  CHECK(before == after);
  CHECK(bench.seen.launches == 4);
  CHECK(bench.seen.map == launched.map);
  CHECK(bench.seen.in == launched.in);
  CHECK(bench.seen.indices == launched.indices);
  CHECK(bench.seen.out == launched.out);
  CHECK(bench.seen.scale == 0.5f);
  CHECK(bench.seen.count == 3);
  CHECK(bench.seen.rows == 100);
  CHECK(bench.driver.state.lastGrid[0] == 2);
  CHECK(bench.driver.state.lastGrid[1] == 2);
  CHECK(bench.driver.state.lastStream == bench.stream.handle());
}

TEST_CASE("arguments are put in place one by one, and nothing else is checked again") {
  Bench bench;
  PreparedLaunch prepared = bench.prepare();
  REQUIRE(prepared.run());
  const unsigned char firstMap = bench.seen.map;
  REQUIRE(prepared.set(0, bench.at(64)));
  REQUIRE(prepared.set(1, bench.list(40960)));
  REQUIRE(prepared.set(2, bench.at(20480)));
  REQUIRE(prepared.set(3, 2.0f));
  REQUIRE(prepared.set(4, int32_t(9)));
  REQUIRE(prepared.run());
  CHECK(bench.seen.in == bench.at(64));
  CHECK(bench.seen.map == firstMap + 1);
  CHECK(bench.seen.indices == bench.words(40960 + 512));
  CHECK(bench.seen.out == bench.at(20480));
  CHECK(bench.seen.scale == 2.0f);
  CHECK(bench.seen.count == 9);
  CHECK(bench.seen.rows == 100);
  // The maps of the last few pointers are kept.
  const int encoded = bench.driver.state.count(Call::cuTensorMapEncodeTiled);
  REQUIRE(prepared.set(0, bench.at(0)));
  REQUIRE(prepared.run());
  CHECK(bench.seen.map == firstMap);
  CHECK(bench.driver.state.count(Call::cuTensorMapEncodeTiled) == encoded);
}

TEST_CASE("what may not be put in place is refused by name, and the launch stays as it was") {
  Bench bench;
  PreparedLaunch prepared = bench.prepare();
  CHECK(messageOf(prepared.set(0, nullptr)) == "argument 'in' is a null pointer; give memory of shape [100, 64]");
  CHECK(messageOf(prepared.set(0, bench.at(8))).find("it must be a multiple of 16 bytes") != std::string::npos);
  CHECK(messageOf(prepared.set(3, bench.at(0))) ==
        "argument 'scale' of kernel 'gather' is a scalar (f32), and a view was given");
  CHECK(messageOf(prepared.set(3, int32_t(1))) ==
        "argument 'scale' of kernel 'gather' is a scalar (f32), and an i32 was given");
  CHECK(messageOf(prepared.set(3, -1.0f)).find("argument 'scale' is -1") == 0);
  CHECK(messageOf(prepared.set(2, bench.list(0))) ==
        "argument 'out' of kernel 'gather' is a view, and a block list was given");
  BlockListView wrong = bench.list(0);
  wrong.heads = 3;
  CHECK(messageOf(prepared.set(1, wrong)) == "list 'rows' has 3 heads; give 2 (one each) or 1 (shared)");
  CHECK(messageOf(prepared.set(5, 1.0f)) ==
        "argument number 5 was given to set, and kernel 'gather' takes 5, numbered from 0");
  bench.driver.state.failFunction = "cuTensorMapEncodeTiled";
  CHECK(!prepared.set(0, bench.at(64)));
  bench.driver.state.failFunction.clear();
  REQUIRE(prepared.run());
  CHECK(bench.seen.in == bench.at(0));
  CHECK(bench.seen.scale == 0.5f);
  CHECK(bench.seen.indices == bench.words(32768 + 512));
}

TEST_CASE("memory that is not the device's is refused when the launch is prepared") {
  Bench bench;
  bench.driver.state.deviceCount = 2;
  static std::byte host[100 * 64 * 2];
  auto refusal = [&](size_t index, auto value) {
    std::vector<ArgumentValue> arguments = bench.arguments();
    arguments[index] = value;
    auto prepared = bench.kernel.prepare(bench.stream, arguments);
    REQUIRE(!prepared);
    CHECK(prepared.error().code == ErrorCode::InvalidArgument);
    return prepared.error().message;
  };
  CHECK(refusal(2, TensorView::contiguous(host, DType::F32, {100, 4})).find("argument 'out' is at 0x") == 0);
  BlockListView list = bench.list(0);
  list.split = reinterpret_cast<const int32_t *>(host);
  CHECK(refusal(1, list).find("split of list 'rows' is at 0x") == 0);
  Device other = bench.driver.open(1);
  DeviceBuffer there = *DeviceBuffer::allocate(other, 100 * 64 * 2);
  CHECK(refusal(0, TensorView::contiguous(there.data(), DType::F16, {100, 64})) ==
        "argument 'in' lies on GPU 1, and the kernel is loaded on GPU 0; copy it there, or load the kernel on GPU 1");

  Stream theirs = Stream::borrow(other, nullptr);
  const std::string message = "kernel 'gather' is loaded on GPU 0, and the stream belongs to GPU 1; load the kernel "
                              "there too, or give a stream of GPU 0";
  CHECK(messageOf(bench.kernel.launch(theirs, bench.arguments())) == message);
  CHECK(bench.kernel.prepare(theirs, bench.arguments()).error().message == message);
  PreparedLaunch prepared = bench.prepare();
  CHECK(messageOf(prepared.run(theirs)) == message);
  CHECK(messageOf(prepared.setStream(theirs)) == message);
  CHECK(bench.seen.launches == 0);
}

TEST_CASE("a kernel on each of two devices runs there, whichever context the thread has") {
  Bench bench;
  bench.driver.state.deviceCount = 2;
  Device other = bench.driver.open(1);
  Kernel there = *Kernel::load(other, "ptx", gatherMetadata(0));
  DeviceBuffer memory = *DeviceBuffer::allocate(other, 1 << 16);
  auto *base = static_cast<std::byte *>(memory.data());
  auto *words = static_cast<int32_t *>(memory.data());
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(base, DType::F16, {100, 64}),
                                          BlockListView{words, words, words, 1, 2, 2, 7},
                                          TensorView::contiguous(base + 16384, DType::F32, {100, 4}), 0.5f, int32_t(3)};
  Stream stream = *Stream::create(other);
  PreparedLaunch second = *there.prepare(stream, arguments), first = bench.prepare();
  std::vector<cu::Context> contexts;
  bench.driver.state.onLaunch = [&](void **) { contexts.push_back(bench.driver.state.stack.back()); };
  ContextGuard current(other);
  REQUIRE(first.run());
  REQUIRE(second.run());
  REQUIRE(contexts.size() == 2);
  CHECK(contexts[0] != contexts[1]);
  CHECK(contexts[1] == bench.driver.state.stack.back());
}

TEST_CASE("a persistent run takes its stream's queue, and none under capture, with one question") {
  Bench bench(1);
  const int32_t order[] = {1, 0};
  REQUIRE(bench.kernel.launch(bench.stream, bench.arguments()));
  int32_t *queue = bench.seen.queue;
  REQUIRE(queue);
  PreparedLaunch prepared = bench.prepare({order});
  const int asked = bench.driver.state.count(Call::cuStreamIsCapturing),
            numbered = bench.driver.state.count(Call::cuStreamGetId);
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue == queue);
  CHECK(bench.seen.order == order);
  CHECK(bench.driver.state.lastGrid[0] == 4);
  CHECK(bench.driver.state.lastGrid[1] == 1);
  bench.driver.state.capturing = true;
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue == nullptr);
  CHECK(bench.seen.order == order);
  bench.driver.state.capturing = false;
  prepared.setOrder(nullptr);
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue == queue);
  CHECK(bench.seen.order == nullptr);
  CHECK(bench.driver.state.count(Call::cuStreamIsCapturing) == asked + 3);
  CHECK(bench.driver.state.count(Call::cuStreamGetId) == numbered);
}

TEST_CASE("another stream has another queue: for one run, or from now on") {
  Bench bench(1);
  PreparedLaunch prepared = bench.prepare();
  REQUIRE(prepared.run());
  int32_t *own = bench.seen.queue;
  Stream other = Stream::borrow(bench.device, reinterpret_cast<cu::Stream>(0x2222));
  bench.driver.state.streamId = 2;
  REQUIRE(prepared.run(other));
  int32_t *others = bench.seen.queue;
  CHECK(others != own);
  CHECK(bench.driver.state.lastStream == other.handle());
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue == own);
  REQUIRE(prepared.setStream(other));
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue == others);
  CHECK(bench.driver.state.lastStream == other.handle());
  // The stream that is another one in each thread is asked for its number each time.
  REQUIRE(prepared.setStream(Stream::borrow(bench.device, cu::perThreadStream())));
  bench.driver.state.streamId = 3;
  REQUIRE(prepared.run());
  int32_t *third = bench.seen.queue;
  bench.driver.state.streamId = 4;
  REQUIRE(prepared.run());
  CHECK(bench.seen.queue != third);
  // A stream whose number cannot be had leaves the launch where it was.
  REQUIRE(prepared.setStream(other));
  bench.driver.state.failFunction = "cuStreamGetId";
  CHECK(!prepared.setStream(bench.stream));
  bench.driver.state.failFunction.clear();
  bench.driver.state.streamId = 2;
  REQUIRE(prepared.run());
  CHECK(bench.driver.state.lastStream == other.handle());
  CHECK(bench.seen.queue == others);
}

TEST_CASE("a prepared launch keeps its kernel, and may be moved") {
  std::optional<Bench> bench(std::in_place, 1);
  std::optional<PreparedLaunch> prepared = bench->prepare();
  bench->kernel = *Kernel::load(bench->device, "ptx", gatherMetadata(0)); // the last other handle
  PreparedLaunch moved = std::move(*prepared);
  prepared.reset();
  CHECK(bench->driver.state.live["modules"] == 2);
  REQUIRE(moved.run());
  moved = bench->prepare();
  CHECK(bench->driver.state.live["modules"] == 1);
}

TEST_CASE("on the CPU: runs with what was put in place") {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "fill";
  metadata.target = "cpu";
  metadata.arguments = {{"y", Argument::Kind::View, DType::F32, {{"M"}}, true},
                        {"value", Argument::Kind::Scalar, DType::F32}};
  metadata.dims = {"M"};
  metadata.grid = {"M"};
  CpuEntry entry = [](void **p, int32_t x, int32_t, int32_t) {
    (*static_cast<float **>(p[0]))[x] = *static_cast<float *>(p[1]);
  };
  CpuKernel kernel = *CpuKernel::create(entry, metadata, std::make_shared<ThreadPool>(2));
  std::vector<float> first(100), second(100);
  CHECK(!kernel.prepare(std::vector<ArgumentValue>{1.0f}));
  PreparedCpuLaunch prepared =
      *kernel.prepare(std::vector<ArgumentValue>{TensorView::contiguous(first.data(), DType::F32, {100}), 2.0f});
  prepared.run();
  CHECK(first == std::vector<float>(100, 2.0f));
  REQUIRE(prepared.set(0, second.data()));
  REQUIRE(prepared.set(1, 3.0f));
  prepared.run();
  CHECK(first == std::vector<float>(100, 2.0f));
  CHECK(second == std::vector<float>(100, 3.0f));
  CHECK(prepared.bounds().programs() == 100);
  CHECK(prepared.metadata().kernel == "fill");
  CHECK(messageOf(prepared.set(0, nullptr)).find("argument 'y' is a null pointer") == 0);
  CHECK(messageOf(prepared.set(1, int32_t(1))).find("argument 'value'") == 0);
}
