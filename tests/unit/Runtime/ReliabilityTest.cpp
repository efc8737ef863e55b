// What the runtime does when the machine or the caller is at fault: limits (R9), failing driver calls (R10), machines
// without what it needs (R11) and every wrong argument (R13).

#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/PreparedLaunch.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::Call;
using fake::FakeDriver;

namespace {

LaunchMetadata attentionMetadata(int persistentBlocks = 0) {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "attention";
  metadata.target = "sm_90a";
  metadata.arguments = {
      {"q", Argument::Kind::View, DType::BF16, {{"B"}, {"H"}, {"M"}, {"", 64}}},
      {"k", Argument::Kind::View, DType::BF16, {{"B"}, {"G"}, {"N"}, {"", 64}}},
      {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, 128, 128},
      {"o", Argument::Kind::View, DType::BF16, {{"B"}, {"H"}, {"M"}, {"", 64}}, true},
      {"lse", Argument::Kind::View, DType::F32, {{"B"}, {"H"}, {"M"}}, true},
      {"scale", Argument::Kind::Scalar, DType::F32},
      {"count", Argument::Kind::Scalar, DType::I32},
  };
  metadata.dims = {"B", "H", "M", "G", "N"};
  metadata.grid = {"ceildiv(M, 128)", "H", "B"};
  metadata.constraints = {{"H % G == 0", "H % G == 0"}};
  metadata.positiveScalars = {"scale"};
  metadata.threads = 384;
  metadata.sharedBytes = 200000;
  metadata.tensorMaps = {{0, 2, 128}, {1, 2, 128}, {3, 2, 64}};
  metadata.persistentBlocks = persistentBlocks;
  return metadata;
}

/// Arguments that fit, over 64 KiB at `memory`.
std::vector<ArgumentValue> goodArguments(void *memory) {
  auto *words = static_cast<int32_t *>(memory);
  return {TensorView::contiguous(memory, DType::BF16, {2, 4, 100, 64}),
          TensorView::contiguous(memory, DType::BF16, {2, 2, 120, 64}),
          BlockListView{words, words, words, 2, 4, 1, 8},
          TensorView::contiguous(memory, DType::BF16, {2, 4, 100, 64}),
          TensorView::contiguous(memory, DType::F32, {2, 4, 100}),
          0.125f,
          int32_t(7)};
}
constexpr size_t kBytes = 2 * 4 * 120 * 64 * 2;

/// Load, launch, prepare, replace, unload, up to the first error. `launchAgain`: the kernel then still launched.
Expected<void> loadLaunchUnload(FakeDriver &driver, int persistentBlocks, bool &launchAgain) {
  launchAgain = false;
  Expected<std::shared_ptr<const Driver>> loaded = driver.load();
  if (!loaded)
    return takeError(loaded);
  Expected<Device> device = Device::open(*loaded, 0);
  if (!device)
    return takeError(device);
  Expected<Stream> stream = Stream::create(*device);
  if (!stream)
    return takeError(stream);
  Expected<DeviceBuffer> memory = DeviceBuffer::allocate(*device, kBytes);
  if (!memory)
    return takeError(memory);
  Expected<Kernel> kernel = Kernel::load(*device, ".version 8.3", attentionMetadata(persistentBlocks));
  if (!kernel)
    return takeError(kernel);
  std::vector<ArgumentValue> arguments = goodArguments(memory->data());
  Expected<void> done = kernel->launch(*stream, arguments);
  if (done) {
    Expected<PreparedLaunch> prepared = kernel->prepare(*stream, arguments);
    if (prepared) {
      done = prepared->run()
                 .and_then([&] { return prepared->set(0, static_cast<std::byte *>(memory->data()) + 16); })
                 .and_then([&] { return prepared->run(*stream); })
                 .and_then([&] { return prepared->setStream(*stream); })
                 .and_then([&] { return prepared->run(); });
      // Whatever failed, the same object runs again once the driver does.
      launchAgain = prepared->run().has_value() && kernel->launch(*stream, arguments).has_value();
    } else {
      done = takeError(prepared);
      launchAgain = kernel->launch(*stream, arguments).has_value();
    }
  } else {
    launchAgain = kernel->launch(*stream, arguments).has_value();
  }
  return done.and_then([&] { return stream->synchronize(); });
}

} // namespace

TEST_CASE("R9: over shared memory, threads or memory: required, limit, what to lower") {
  FakeDriver driver;
  driver.state.sharedBytes = 101376; // 99 KiB
  driver.state.multiprocessors = 128;
  driver.state.memoryBytes = 1 << 20;
  Device device = driver.open();
  auto refusal = [](auto failed) {
    REQUIRE(!failed);
    CHECK(failed.error().code == ErrorCode::ResourceExhausted);
    return failed.error().render();
  };
  CHECK(refusal(Kernel::load(device, "ptx", attentionMetadata())) ==
        "kernel 'attention' needs 200000 bytes of shared memory, and Fake GPU allows 101376; lower the tile sizes (BM, "
        "BN) or the number of stages");
  driver.state.maxThreads = 256;
  CHECK(refusal(Kernel::load(device, "ptx", attentionMetadata())) ==
        "kernel 'attention' runs 384 threads a CTA, and with 168 registers each Fake GPU allows 256; lower the tile "
        "sizes or the registers");
  DeviceBuffer half = *DeviceBuffer::allocate(device, 1 << 19);
  CHECK(refusal(DeviceBuffer::allocate(device, (1 << 19) + 1)) ==
        "allocating 524289 bytes of the 1048576 on Fake GPU failed: told to fail (FAKE_ERROR, error 2)\n"
        "  note: free memory on the GPU, or give smaller tensors");
  driver.state.maxThreads = 1024;
  LaunchMetadata small = attentionMetadata();
  small.sharedBytes = 1000;
  Kernel kernel = *Kernel::load(device, "ptx", small);
  driver.state.failFunction = "cuLaunchKernel";
  driver.state.failResult = cu::LaunchOutOfResources;
  CHECK(refusal(kernel.launch(Stream::borrow(device, nullptr), goodArguments(half.data()))) ==
        "launching kernel 'attention' failed: told to fail (FAKE_ERROR, error 701)\n"
        "  note: a CTA of it has 384 threads of 168 registers and 1000 bytes of shared memory; Fake GPU allows a CTA "
        "65536 registers and 101376 bytes: lower the tile sizes or the number of stages");
  CHECK(driver.state.live["modules"] == 1);
}

TEST_CASE("R10: whichever driver call of load, launch and unload fails: a typed error, nothing leaked, usable after") {
  for (int persistentBlocks : {0, 1}) {
    CAPTURE(persistentBlocks);
    int calls = 0;
    bool again = false;
    {
      FakeDriver driver;
      Expected<void> done = loadLaunchUnload(driver, persistentBlocks, again);
      REQUIRE_MESSAGE(done, done.error().render());
      CHECK(again);
      calls = driver.state.calls;
    }
    REQUIRE(calls > 30);
    bool launching = false;
    for (int call = 0; call < calls; ++call)
      for (cu::Result result : {cu::OutOfMemory, cu::InvalidValue, cu::IllegalAddress, cu::NotFound}) {
        CAPTURE(call);
        CAPTURE(result);
        FakeDriver driver;
        driver.state.failCall = call;
        driver.state.failResult = result;
        Expected<void> done = loadLaunchUnload(driver, persistentBlocks, again);
        launching |= driver.state.count(Call::cuLaunchKernel) > 0;
        if (done) // the launches after the last checked one
          continue;
        // InvalidValue is also how the driver says that it does not know a pointer.
        const std::string &message = done.error().message;
        CHECK_MESSAGE((message.find("failed: told to fail (FAKE_ERROR, error ") != std::string::npos ||
                       message.find("is not memory of a GPU") != std::string::npos),
                      message);
        // From the first launch on there is a kernel: it and what was prepared of it run again.
        if (driver.state.count(Call::cuLaunchKernel) > 0)
          CHECK(again);
      }
    CHECK(launching);
  }
}

TEST_CASE("R11: no driver, an old one, one without cuGetProcAddress, no device: Unavailable with a sentence") {
  auto unavailable = [](auto failed) {
    REQUIRE(!failed);
    CHECK(failed.error().code == ErrorCode::Unavailable);
    return failed.error().render();
  };
  CHECK(unavailable(Driver::load("/none/libcuda.so.1")).find("there is no CUDA driver here (/none/libcuda.so.1: ") ==
        0);
  CHECK(unavailable(Driver::load("libm.so.6")) ==
        "libm.so.6 has no cuGetProcAddress, so its CUDA driver is older than 11.3; update it to one for CUDA 12.0 or "
        "later");
  FakeDriver driver;
  driver.state.version = 11080;
  CHECK(unavailable(driver.load()).find("speaks CUDA 11.8, and 12.0 is the oldest that works") != std::string::npos);
  driver.state = fake::State();
  driver.state.failFunction = "cuInit";
  driver.state.failResult = cu::NoDevice;
  CHECK(unavailable(driver.load()).find("use the CPU target") != std::string::npos);
  driver.state = fake::State();
  driver.state.deviceCount = 0;
  CHECK(unavailable(Device::open(*driver.load(), 0)).find("sees no GPU") != std::string::npos);
}

TEST_CASE("R13: every wrong argument is refused by name before anything is launched") {
  FakeDriver driver;
  Device device = driver.open();
  Stream stream = *Stream::create(device);
  DeviceBuffer memory = *DeviceBuffer::allocate(device, kBytes);
  Kernel kernel = *Kernel::load(device, "ptx", attentionMetadata());
  static std::byte host[64];
  using Spoil = void (*)(ArgumentValue &);
#define SPOIL(change)                                                                                                  \
  [](ArgumentValue &value) {                                                                                           \
    auto &v = std::get<TensorView>(value);                                                                             \
    (void)v;                                                                                                           \
    change;                                                                                                            \
  }
  const std::pair<const char *, Spoil> views[] = {
      {"kind", SPOIL(value = 1.0f)},
      {"dtype", SPOIL(v.dtype = DType::F16)},
      {"rank", SPOIL(v.shape.erase(v.shape.begin()); v.strides.erase(v.strides.begin()))},
      {"strides of another rank", SPOIL(v.strides.push_back(1))},
      {"zero size", SPOIL(v.shape[0] = 0)},
      {"negative size", SPOIL(v.shape[1] = -4)},
      {"a size beyond 31 bits", SPOIL(v.shape[2] = int64_t(1) << 31)},
      {"innermost stride", SPOIL(v.strides.back() = 2)},
      {"negative stride", SPOIL(v.strides[0] = -64)},
      {"overflow", SPOIL(v.strides[0] = std::numeric_limits<int64_t>::max() / 16 * 16)},
      {"null", SPOIL(v.data = nullptr)},
      {"alignment", SPOIL(v.data = static_cast<std::byte *>(v.data) + 1)},
  };
  const std::pair<const char *, Spoil> outputs[] = {{"elements that share memory", SPOIL(v.strides[1] = 0)}};
#undef SPOIL
#define SPOIL(change)                                                                                                  \
  [](ArgumentValue &value) {                                                                                           \
    auto &l = std::get<BlockListView>(value);                                                                          \
    (void)l;                                                                                                           \
    change;                                                                                                            \
  }
  const std::pair<const char *, Spoil> lists[] = {
      {"kind", SPOIL(value = int32_t(1))},
      {"batches", SPOIL(l.batches = 3)},
      {"heads", SPOIL(l.heads = 3)},
      {"no rows", SPOIL(l.rowBlocks = 0)},
      {"negative entries", SPOIL(l.entries = -1)},
      {"null indptr", SPOIL(l.indptr = nullptr)},
      {"null split", SPOIL(l.split = nullptr)},
      {"null indices", SPOIL(l.indices = nullptr)},
      {"alignment", SPOIL(l.split = reinterpret_cast<const int32_t *>(reinterpret_cast<uintptr_t>(l.split) + 2))},
      {"too many entries", SPOIL(l.entries = int64_t(1) << 31)},
  };
#undef SPOIL
  int refused = 0;
  auto check = [&](size_t index, const char *what, Spoil spoil) {
    CAPTURE(what);
    std::vector<ArgumentValue> arguments = goodArguments(memory.data());
    spoil(arguments[index]);
    const std::string name = "'" + attentionMetadata().arguments[index].name + "'";
    Expected<void> launched = kernel.launch(stream, arguments);
    REQUIRE(!launched);
    CHECK(launched.error().code == ErrorCode::InvalidArgument);
    CHECK_MESSAGE(launched.error().message.find(name) != std::string::npos, launched.error().message);
    Expected<PreparedLaunch> prepared = kernel.prepare(stream, arguments);
    REQUIRE(!prepared);
    CHECK(prepared.error().message == launched.error().message);
    ++refused;
  };
  REQUIRE(kernel.launch(stream, goodArguments(memory.data())));
  const int launches = driver.state.count(Call::cuLaunchKernel);
  for (size_t index : {0, 1, 3, 4})
    for (const auto &[what, spoil] : views)
      check(index, what, spoil);
  for (size_t index : {3, 4})
    for (const auto &[what, spoil] : outputs)
      check(index, what, spoil);
  for (const auto &[what, spoil] : lists)
    check(2, what, spoil);
  check(5, "not positive", [](ArgumentValue &value) { value = 0.0f; });
  check(5, "not a number", [](ArgumentValue &value) { value = std::numeric_limits<float>::quiet_NaN(); });
  check(5, "kind", [](ArgumentValue &value) { value = int32_t(1); });
  check(6, "kind", [](ArgumentValue &value) { value = 1.0f; });
  CHECK(refused == 4 * 12 + 2 + 10 + 4);
  CHECK(driver.state.count(Call::cuLaunchKernel) == launches);

  // Device: what only preparing asks the driver for.
  for (size_t index : {0, 1, 3, 4}) {
    std::vector<ArgumentValue> arguments = goodArguments(memory.data());
    std::get<TensorView>(arguments[index]).data =
        reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(host) + 15) / 16 * 16);
    auto prepared = kernel.prepare(stream, arguments);
    REQUIRE(!prepared);
    CHECK(prepared.error().message.find("'" + attentionMetadata().arguments[index].name + "' is at 0x") !=
          std::string::npos);
  }
}

TEST_CASE("the fake driver's script: each entry, and what it does not understand") {
  fake::State state;
  CHECK(state.script("version=11080;devices=0; capability=8.9;multiprocessors=128;shared=101376;memory=5;threads=7;"
                     "missing=cuInit;fail=cuMemAlloc@2:700;ptx=only;report=leaks") == "");
  CHECK(state.version == 11080);
  CHECK(state.deviceCount == 0);
  CHECK(state.major == 8);
  CHECK(state.minor == 9);
  CHECK(state.multiprocessors == 128);
  CHECK(state.sharedBytes == 101376);
  CHECK(state.memoryBytes == 5);
  CHECK(state.maxThreads == 7);
  CHECK(state.missingFunction == "cuInit");
  CHECK(state.failFunction == "cuMemAlloc");
  CHECK(state.failAt == 2);
  CHECK(state.failResult == cu::IllegalAddress);
  CHECK(state.refuse == fake::Refuse::Cubins);
  CHECK(state.script("failcall=3:2;image=none") == "");
  CHECK(state.failCall == 2);
  CHECK(state.refuse == fake::Refuse::Everything);
  for (const char *wrong : {"version", "version=x", "fail=cuMemAlloc:2", "colour=red", "ptx=never"})
    CHECK(state.script(std::string("devices=1;") + wrong) == wrong);
}
