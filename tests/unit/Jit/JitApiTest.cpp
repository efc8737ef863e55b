// What the facade has beside compile and launch: the library, compilations in the background, a listener, prepared
// launches; and a GPU that the fake driver plays.

#include "fakecuda/FakeDriver.h"

#include "lacuna/Jit/Jit.h"
#include "lacuna/Jit/KernelLibrary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::FakeDriver;

namespace {

constexpr const char *kShift = R"(
kernel shift(x: f32[M, 16], y: out f32[M, 16], rate: f32)
  grid (i: ceildiv(M, 16))
{
  let s = load x[i * 16 :+ 16, :]
  store y[i * 16 :+ 16, :] = exp((s - rowmax(s)) * rate)
}
)";

constexpr const char *kProduct = R"(
kernel product(a: f16[M, 64], b: f16[64, 64], c: out f16[M, 64], rate: f32)
  grid (m: ceildiv(M, 64))
{
  let ta = load a[m * 64 :+ 64, :]
  let tb = load b[0 :+ 64, :]
  store c[m * 64 :+ 64, :] = (dot(ta, tb) * rate) as f16
}
)";

struct Rows {
  std::vector<float> x = std::vector<float>(20 * 16), y = x;
  std::vector<ArgumentValue> arguments(float rate) {
    return {TensorView::contiguous(x.data(), DType::F32, {20, 16}),
            TensorView::contiguous(y.data(), DType::F32, {20, 16}), rate};
  }
};

} // namespace

TEST_CASE("the library's kernels compile by name, without their files") {
  std::set<std::string_view> names;
  for (const LibraryText &each : kernelLibrary())
    names.insert(each.name);
  CHECK(names.contains("attention_forward"));
  CHECK(names.contains("matmul"));
  CHECK(!names.contains("hooks"));
  CHECK(libraryText("none").empty());
  Jit jit = Jit::forCpu(std::make_shared<ThreadPool>(1));
  auto kernel = jit.compile({.params = {{"D", "64"}}, .library = "attention_forward"});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  CHECK(kernel->metadata().kernel == "attention_forward");
  auto missing = jit.compile({.library = "attention"});
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::NotFound);
  CHECK(missing.error().message.find("the library has no kernel 'attention'; it has attention_forward, ") == 0);
  auto both = jit.compile({.file = "x.tile", .library = "matmul"});
  REQUIRE(!both);
  CHECK(both.error().message ==
        "both a kernel of the library ('matmul') and a text of its own (x.tile) were given; give one of them");
}

TEST_CASE("kernels compile in the background, and a failure comes with the future") {
  Jit jit = Jit::forCpu(std::make_shared<ThreadPool>(1));
  std::vector<std::shared_future<Expected<JitKernel>>> futures;
  for (int each = 0; each < 3; ++each)
    futures.push_back(jit.compileAsync({.file = "shift.tile", .source = kShift}));
  futures.push_back(jit.compileAsync({.file = "wrong.tile", .source = "kernel"}));
  for (int each = 0; each < 3; ++each)
    REQUIRE_MESSAGE(futures[each].get(), futures[each].get().error().render());
  Rows rows;
  CHECK(futures[0].get()->launch(rows.arguments(1)));
  CHECK(rows.y[7] == 1.0f);
  REQUIRE(!futures[3].get());
  CHECK(futures[3].get().error().message.find("wrong.tile:1:") == 0);
}

TEST_CASE("where no thread can be had, who polls is not kept waiting") {
  Jit jit = Jit::forCpu(std::make_shared<ThreadPool>(1));
  pthread_attr_t usual, huge;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  REQUIRE(pthread_getattr_default_np(&huge) == 0);
  REQUIRE(pthread_attr_setstacksize(&huge, size_t(1) << 47) == 0); // which no address space has
  REQUIRE(pthread_setattr_default_np(&huge) == 0);
  auto future = jit.compileAsync({.file = "shift.tile", .source = kShift});
  pthread_setattr_default_np(&usual);
  CHECK(future.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  CHECK(future.get());
}

TEST_CASE("a listener hears of each compilation, its stages, variants and failures") {
  std::vector<CompileEvent> heard;
  std::string failure;
  Jit silent = Jit::forCpu(std::make_shared<ThreadPool>(1));
  Jit jit = silent.withListener([&](const CompileEvent &event) {
    heard.push_back(event);
    failure = event.error ? event.error->message : "";
  });
  auto kernel = jit.compile({.file = "shift.tile", .source = kShift});
  REQUIRE(kernel);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].kernel == "shift");
  CHECK(heard[0].file == "shift.tile");
  CHECK(heard[0].target == Target::Cpu);
  CHECK(!heard[0].variant);
  CHECK(heard[0].source == CacheSource::None);
  REQUIRE(!heard[0].stages.empty());
  CHECK(heard[0].stages.back().stage == Stage::Object);
  double stages = 0;
  for (const StageTime &time : heard[0].stages)
    stages += time.milliseconds;
  CHECK(heard[0].milliseconds >= stages);
  Rows rows;
  REQUIRE(kernel->launch(rows.arguments(1)));
  CHECK(heard.size() == 1);
  REQUIRE(kernel->launch(rows.arguments(-1)));
  REQUIRE(kernel->launch(rows.arguments(-2)));
  REQUIRE(heard.size() == 2);
  CHECK(heard[1].variant);
  CHECK(heard[1].kernel == "shift");
  CHECK(!jit.compile({.file = "wrong.tile", .source = "kernel"}));
  REQUIRE(heard.size() == 3);
  CHECK(heard[2].file == "wrong.tile");
  CHECK(failure.find("wrong.tile:1:") == 0);
  REQUIRE(silent.compile({.file = "shift.tile", .source = kShift}));
  CHECK(heard.size() == 3);
}

TEST_CASE("a prepared launch on the CPU, of the code that its scalars choose") {
  auto kernel = Jit::forCpu(std::make_shared<ThreadPool>(1)).compile({.file = "shift.tile", .source = kShift});
  REQUIRE(kernel);
  Rows rows, others;
  auto prepared = kernel->prepare(rows.arguments(1));
  REQUIRE_MESSAGE(prepared, prepared.error().render());
  prepared->run();
  CHECK(rows.y[5] == 1.0f);
  REQUIRE(prepared->set(1, others.y.data()));
  prepared->run();
  CHECK(others.y[5] == 1.0f);
  CHECK(prepared->set(2, -1.0f).error().message.find("argument 'rate' is -1") == 0);
  auto general = kernel->prepare(rows.arguments(-1));
  REQUIRE(general);
  CHECK(general->set(2, -2.0f));
  CHECK(kernel->prepare(std::vector<ArgumentValue>{}).error().code == ErrorCode::InvalidArgument);
}

TEST_CASE("on a GPU of the fake driver: launched, prepared, unloaded") {
  FakeDriver driver;
  Device device = driver.open();
  Jit jit = *Jit::forDevice(device);
  auto kernel = jit.compile({.file = "product.tile", .source = kProduct});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  DeviceBuffer memory = *DeviceBuffer::allocate(device, 1 << 16);
  auto at = [&](size_t offset) { return static_cast<std::byte *>(memory.data()) + offset; };
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(at(0), DType::F16, {100, 64}),
                                          TensorView::contiguous(at(16384), DType::F16, {64, 64}),
                                          TensorView::contiguous(at(32768), DType::F16, {100, 64}), 0.5f};
  Stream stream = *Stream::create(device);
  REQUIRE(kernel->launch(stream, arguments));
  auto prepared = kernel->prepare(stream, arguments);
  REQUIRE_MESSAGE(prepared, prepared.error().render());
  REQUIRE(prepared->run());
  CHECK(driver.state.count(fake::Call::cuLaunchKernel) == 2);
  // A variant is not loaded into a capture.
  arguments[3] = -1.0f;
  driver.state.capturing = true;
  const std::string refusal = "kernel 'product' has no code yet for float32 scalars that are not above zero, and the "
                              "stream is being captured, when none can be loaded; launch it once with such a value "
                              "before the capture";
  CHECK(kernel->launch(stream, arguments).error().message == refusal);
  CHECK(kernel->prepare(stream, arguments).error().message == refusal);
  driver.state.capturing = false;
  REQUIRE(kernel->launch(stream, arguments));
  driver.state.capturing = true;
  CHECK(kernel->launch(stream, arguments));
  CHECK(driver.state.count(fake::Call::cuLaunchKernel) == 4);
  CHECK(kernel->launch(arguments).error().message ==
        "kernel 'product' was compiled for a GPU; launch it on a stream, on device memory");
  CHECK(kernel->prepare(arguments).error().code == ErrorCode::InvalidArgument);
}

TEST_CASE("R8: a driver that refuses every image: Incompatible with both named, after one try more at most") {
  FakeDriver driver;
  driver.state.refuse = fake::Refuse::Everything;
  Device device = driver.open();
  Jit jit = *Jit::forDevice(device);
  for (int round = 0; round < 2; ++round) { // the second may come from the cache, and is then compiled anew
    const size_t before = driver.state.images.size();
    auto kernel = jit.compile({.file = "product.tile", .source = kProduct});
    REQUIRE(!kernel);
    CHECK(kernel.error().code == ErrorCode::Incompatible);
    CHECK(driver.state.images.size() - before <= 2);
    CHECK(kernel.error().message.find("Fake GPU (sm_90a, driver for CUDA 12.4)") != std::string::npos);
  }
  driver.state.refuse = fake::Refuse::Nothing;
  CHECK(jit.compile({.file = "product.tile", .source = kProduct}));
}
