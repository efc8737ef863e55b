#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/Kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::FakeDriver;

namespace {

LaunchMetadata copyMetadata() {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "copy";
  metadata.target = "sm_90a";
  metadata.arguments = {{"in", Argument::Kind::View, DType::F16, {{"B"}, {"M"}, {"", 72}}},
                        {"out", Argument::Kind::View, DType::F16, {{"B"}, {"M"}, {"", 72}}, true}};
  metadata.dims = {"B", "M"};
  metadata.grid = {"ceildiv(M, 64)", "B"};
  metadata.threads = 384;
  metadata.sharedBytes = 100000;
  metadata.tensorMaps = {{0, 1, 64}, {1, 1, 32}};
  return metadata;
}

/// All the GPU work of a small program; stops at the first error.
Expected<void> wholeProgram(FakeDriver &driver) {
  Expected<std::shared_ptr<const Driver>> loaded = driver.load();
  if (!loaded)
    return takeError(loaded);
  Expected<Device> device = Device::open(*loaded, 0);
  if (!device)
    return takeError(device);
  Expected<Stream> stream = Stream::create(*device);
  if (!stream)
    return takeError(stream);
  Expected<Event> start = Event::create(*device), end = Event::create(*device);
  if (!start || !end)
    return takeError(start ? end : start);
  Expected<DeviceBuffer> in = DeviceBuffer::allocate(*device, 2 * 100 * 72 * 2);
  if (!in)
    return takeError(in);
  Expected<DeviceBuffer> out = DeviceBuffer::allocate(*device, in->size());
  if (!out)
    return takeError(out);
  std::vector<uint16_t> host(2 * 100 * 72, 3);
  Expected<Kernel> kernel = Kernel::load(*device, ".version 8.3", copyMetadata());
  if (!kernel)
    return takeError(kernel);
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(in->data(), DType::F16, {2, 100, 72}),
                                          TensorView::contiguous(out->data(), DType::F16, {2, 100, 72})};
  return in->upload(host.data(), in->size())
      .and_then([&] { return out->fill(*stream, 0xff); })
      .and_then([&] { return start->record(*stream); })
      .and_then([&] { return kernel->launch(*stream, arguments); })
      .and_then([&] { return end->record(*stream); })
      .and_then([&] { return end->synchronize(); })
      .and_then([&] { return stream->synchronize(); })
      .and_then([&]() -> Expected<void> {
        Expected<double> time = end->millisecondsSince(*start);
        return time ? Expected<void>() : takeError(time);
      })
      .and_then([&] { return out->download(host.data(), out->size()); });
}

} // namespace

TEST_CASE("a program runs, and everything it made goes") {
  FakeDriver driver;
  Expected<void> done = wholeProgram(driver);
  REQUIRE_MESSAGE(done, done.error().render());
  CHECK(driver.state.lastGrid[0] == 2);
  CHECK(driver.state.lastGrid[1] == 2);
  CHECK(driver.state.lastGrid[2] == 1);
}

TEST_CASE("whichever driver call fails, the error is typed and nothing leaks") {
  int calls = 0;
  {
    FakeDriver driver;
    REQUIRE(wholeProgram(driver));
    calls = driver.state.calls;
  }
  REQUIRE(calls > 30);
  for (int call = 0; call < calls; ++call)
    for (cu::Result result : {cu::OutOfMemory, cu::InvalidValue, cu::IllegalAddress}) {
      CAPTURE(call);
      FakeDriver driver;
      driver.state.failCall = call;
      driver.state.failResult = result;
      Expected<void> done = wholeProgram(driver);
      // What gives something back has nobody to tell; the context is asked for and pushed there, too.
      constexpr fake::Call kSilent[] = {fake::Call::cuDevicePrimaryCtxRelease,
                                        fake::Call::cuStreamDestroy,
                                        fake::Call::cuEventDestroy,
                                        fake::Call::cuMemFree,
                                        fake::Call::cuModuleUnload,
                                        fake::Call::cuCtxGetCurrent,
                                        fake::Call::cuCtxPushCurrent};
      if (done && std::find(std::begin(kSilent), std::end(kSilent), driver.state.failed) != std::end(kSilent))
        continue;
      REQUIRE(!done);
      CHECK(done.error().message.find("failed: told to fail (FAKE_ERROR, error ") != std::string::npos);
    }
}

TEST_CASE("driver errors carry their kind") {
  const std::tuple<const char *, cu::Result, ErrorCode, const char *> cases[] = {
      {"cuInit", cu::NoDevice, ErrorCode::Unavailable, "initialising the CUDA driver failed"},
      {"cuDevicePrimaryCtxRetain", cu::OutOfMemory, ErrorCode::ResourceExhausted,
       "retaining the primary context of GPU 0 (Fake GPU)"},
      {"cuMemAlloc", cu::OutOfMemory, ErrorCode::ResourceExhausted,
       "allocating 28800 bytes of the 137438953472 on Fake GPU"},
      {"cuModuleLoadDataEx", cu::NoBinaryForGpu, ErrorCode::Incompatible,
       "loading PTX of 12 bytes on Fake GPU (sm_90a, driver for CUDA 12.4)"},
      {"cuModuleLoadDataEx", cu::UnsupportedPtxVersion, ErrorCode::Incompatible, "loading PTX"},
      {"cuModuleGetFunction", cu::NotFound, ErrorCode::NotFound, "looking for the kernel 'copy' in a loaded module"},
      {"cuFuncSetAttribute", cu::InvalidValue, ErrorCode::InvalidArgument,
       "allowing kernel 'copy' 100000 bytes of shared memory"},
      {"cuTensorMapEncodeTiled", cu::InvalidValue, ErrorCode::InvalidArgument,
       "encoding the tensor map of argument 'in'"},
      {"cuLaunchKernel", cu::LaunchOutOfResources, ErrorCode::ResourceExhausted, "launching kernel 'copy'"},
      {"cuStreamSynchronize", cu::IllegalAddress, ErrorCode::Internal, "waiting for a stream"},
  };
  for (const auto &[function, result, code, action] : cases) {
    CAPTURE(function);
    FakeDriver driver;
    driver.state.failFunction = function;
    driver.state.failResult = result;
    Expected<void> done = wholeProgram(driver);
    REQUIRE(!done);
    CHECK(done.error().code == code);
    CHECK_MESSAGE(done.error().message.find(action) == 0, done.error().message);
    if (std::string_view(function) == "cuModuleLoadDataEx")
      CHECK(done.error().notes[0] == "the driver's assembler says: line 7: something is wrong");
  }
}

TEST_CASE("drivers that are too old, and machines without a GPU") {
  {
    FakeDriver driver;
    driver.state.version = 11080;
    auto loaded = driver.load();
    REQUIRE(!loaded);
    CHECK(loaded.error().code == ErrorCode::Unavailable);
    CHECK(
        loaded.error().message ==
        "the CUDA driver a fake driver speaks CUDA 11.8, and 12.0 is the oldest that works; update the NVIDIA driver");
  }
  {
    FakeDriver driver;
    driver.state.missingFunction = "cuTensorMapEncodeTiled";
    CHECK(driver.load().error().message ==
          "the CUDA driver a fake driver lacks the function cuTensorMapEncodeTiled; update the NVIDIA driver");
  }
  {
    FakeDriver driver;
    driver.state.deviceCount = 0;
    Expected<Device> device = Device::open(*driver.load(), 0);
    REQUIRE(!device);
    CHECK(device.error().message == "the CUDA driver sees no GPU; check CUDA_VISIBLE_DEVICES, or use the CPU target");
  }
  FakeDriver driver;
  CHECK(Device::open(*driver.load(), 1).error().message == "GPU 1 was asked for, and there are 1; give 0 to 0");
  CHECK(Device::open(*driver.load(), -1).error().code == ErrorCode::InvalidArgument);
}

TEST_CASE("a kernel that the GPU cannot hold") {
  FakeDriver driver;
  Device device = driver.open();
  CHECK(device.info().target() == "sm_90a");
  LaunchMetadata metadata = copyMetadata();
  metadata.sharedBytes = 300000;
  CHECK(Kernel::load(device, "ptx", metadata).error().message ==
        "kernel 'copy' needs 300000 bytes of shared memory, and Fake GPU allows 232448; lower the tile sizes (BM, BN) "
        "or the "
        "number of stages");
  driver.state.maxThreads = 256;
  CHECK(Kernel::load(device, "ptx", copyMetadata()).error().message ==
        "kernel 'copy' runs 384 threads a CTA, and with 168 registers each Fake GPU allows 256; lower the tile sizes "
        "or the "
        "registers");
  CHECK(Kernel::load(device, "", copyMetadata()).error().message ==
        "an empty image was given to load; give a cubin or a PTX text");
}

TEST_CASE("tensor maps: as the driver wants them, and encoded once for a view") {
  FakeDriver driver;
  Device device = driver.open();
  Kernel kernel = *Kernel::load(device, "ptx", copyMetadata());
  Stream stream = Stream::borrow(device, nullptr);
  alignas(128) static std::byte memory[4096];
  auto launch = [&](size_t offset, int64_t rows, int64_t stride) {
    std::vector<ArgumentValue> arguments = {
        TensorView{memory + offset, DType::F16, {1, rows, 72}, {3, stride, 1}}, // nothing steps along the batch
        TensorView::contiguous(memory, DType::F16, {1, rows, 72})};
    Expected<void> launched = kernel.launch(stream, arguments);
    REQUIRE_MESSAGE(launched, launched.error().message);
    return driver.state.count(fake::Call::cuTensorMapEncodeTiled);
  };
  CHECK(launch(0, 100, 80) == 2);
  CHECK(driver.state.lastExtents == std::vector<uint64_t>{72, 100, 1});
  CHECK(driver.state.lastByteStrides == std::vector<uint64_t>{144, 16});
  CHECK(driver.state.lastBox == std::vector<uint32_t>{64, 32, 1});
  CHECK(launch(0, 100, 80) == 2);
  CHECK(launch(16, 100, 80) == 3); // another pointer
  CHECK(launch(16, 100, 88) == 4); // another stride
  CHECK(launch(16, 101, 88) == 6); // another extent, of both
  CHECK(launch(0, 100, 80) == 6);  // the first is still known
  for (size_t offset = 32; offset < 112; offset += 16)
    launch(offset, 100, 80);
  int before = driver.state.count(fake::Call::cuTensorMapEncodeTiled);
  CHECK(launch(0, 100, 80) == before + 1); // and now forgotten

  driver.state.failFunction = "cuTensorMapEncodeTiled"; // a map that failed is not taken for a good one
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(memory + 128, DType::F16, {1, 7, 72}),
                                          TensorView::contiguous(memory, DType::F16, {1, 7, 72})};
  CHECK(!kernel.launch(stream, arguments));
  driver.state.failFunction.clear();
  before = driver.state.count(fake::Call::cuTensorMapEncodeTiled);
  CHECK(kernel.launch(stream, arguments));
  CHECK(driver.state.count(fake::Call::cuTensorMapEncodeTiled) == before + 2);
}

TEST_CASE("a box lies along two row axes where a tile's rows do") {
  FakeDriver driver;
  Device device = driver.open();
  Stream stream = *Stream::create(device);
  LaunchMetadata metadata = copyMetadata();
  metadata.tensorMaps = {{0, 1, 16, 4}};
  Kernel kernel = *Kernel::load(device, ".version 8.3", metadata);
  alignas(128) static std::byte memory[4096];
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(memory, DType::F16, {2, 100, 72}),
                                          TensorView::contiguous(memory, DType::F16, {2, 100, 72})};
  REQUIRE(kernel.launch(stream, arguments));
  CHECK(driver.state.lastExtents == std::vector<uint64_t>{72, 100, 2});
  CHECK(driver.state.lastBox == std::vector<uint32_t>{64, 16, 4});
}

TEST_CASE("the caller's context stays current") {
  FakeDriver driver;
  Device device = driver.open();
  auto *theirs = reinterpret_cast<cu::Context>(0x7777);
  driver.state.stack.push_back(theirs);
  {
    ContextGuard outer(device);
    CHECK(driver.state.stack.size() == 2);
    ContextGuard inner(device); // already current: nothing is pushed
    CHECK(driver.state.stack.size() == 2);
  }
  CHECK(driver.state.stack.size() == 1);
  CHECK(driver.state.stack.back() == theirs);
  driver.state.stack.pop_back();
}

TEST_CASE("handles may be moved and destroyed in any order") {
  FakeDriver driver;
  std::optional<Device> device = driver.open();
  Stream first = *Stream::create(*device), second = *Stream::create(*device);
  first = std::move(second);
  DeviceBuffer buffer = *DeviceBuffer::allocate(*device, 100);
  DeviceBuffer moved = std::move(buffer);
  CHECK(moved.upload("x", 101).error().message == "uploading 101 bytes into a buffer of 100");
  CHECK(moved.download(nullptr, 101).error().message == "downloading 101 bytes from a buffer of 100");
  Event event = *Event::create(*device), other = std::move(event);
  Function function = *Module::load(*device, "ptx")->function("f");
  device.reset();
  CHECK(driver.state.live["contexts"] == 1);
  CHECK(driver.state.live["modules"] == 1);
}

TEST_CASE("a cubin runs on its processor and later ones of the same generation, PTX on every later one") {
  DeviceInfo info;
  auto runs = [&](int major, int minor, std::string_view target, std::string_view processor) {
    info.major = major, info.minor = minor;
    return info.runs(target, processor);
  };
  CHECK(runs(9, 0, "sm_90a", "sm_90a"));
  CHECK(runs(9, 0, "sm_90a", ""));
  CHECK(!runs(8, 9, "sm_90a", ""));
  CHECK(!runs(10, 0, "sm_90a", ""));
  CHECK(runs(8, 9, "sm_80", "sm_80"));
  CHECK(runs(8, 9, "sm_80", "sm_86"));
  CHECK(!runs(8, 0, "sm_80", "sm_86"));
  CHECK(!runs(9, 0, "sm_80", "sm_86"));
  CHECK(runs(9, 0, "sm_80", "sm_90"));
  CHECK(runs(12, 0, "sm_80", "sm_120"));
  CHECK(runs(13, 1, "sm_80", ""));
  CHECK(!runs(7, 5, "sm_80", ""));
  CHECK(!runs(9, 0, "cpu", ""));
}
