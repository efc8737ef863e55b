// The ranges that a profiler shows of a program without the compiler: loads, launches, the cache on disk.
#include "fakecuda/FakeDriver.h"
#include "nvtx/Recorder.h"

#include "Runtime/CacheSamples.h"
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/DiskCache.h"
#include "lacuna/Runtime/PreparedLaunch.h"
#include "lacuna/Runtime/ProfilerRange.h"
#include "lacuna/Runtime/Trace.h"

#include <fmt/ranges.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

LaunchMetadata doubleMetadata(const char *target) {
  LaunchMetadata metadata;
  metadata.kernel = "double";
  metadata.symbol = "double_D16_0123abcd";
  metadata.target = target;
  metadata.arguments = {{"x", Argument::Kind::View, DType::F32, {{"M"}, {"", 16}}, true}};
  metadata.dims = {"M"};
  metadata.grid = {"M"};
  metadata.threads = 128;
  return metadata;
}

/// What the profiler has heard since the last call.
std::string heard() {
  return fmt::format("{}", fmt::join(recorder::takeEvents(), "; "));
}

void nothing(void **, int32_t, int32_t, int32_t) {}

} // namespace

TEST_CASE("a profiler is attached, and hears names in the domain lacuna") {
  heard();
  CHECK(profilerRangesBuilt());
  CHECK(profilerAttached());
  CHECK(spansHeard());
  CHECK(!traceEnabled());
  {
    ProfilerRange outer("outer", "of two");
    TraceSpan inner("inner");
  }
  CHECK(heard() == "lacuna: + outer of two; lacuna: + inner; lacuna: -; lacuna: -");
}

TEST_CASE("loading and launching are ranges with the kernel's symbol, which is registered once") {
  fake::FakeDriver driver;
  Device device = Device::open(driver.load().value(), 0).value();
  Stream stream = Stream::create(device).value();
  DeviceBuffer memory = DeviceBuffer::allocate(device, 4096).value();
  heard();
  Kernel kernel = Kernel::load(device, ".version 8.3", doubleMetadata("sm_90a")).value();
  CHECK(heard() == "lacuna: + module load double_D16_0123abcd; lacuna: -");

  const std::string launch = "lacuna: + launch double_D16_0123abcd; lacuna: -";
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(memory.data(), DType::F32, {4, 16})};
  REQUIRE(kernel.launch(stream, arguments));
  CHECK(heard() == launch);

  PreparedLaunch prepared = kernel.prepare(stream, arguments).value();
  CHECK(heard() == "");
  const int texts = recorder::registeredTexts();
  REQUIRE(prepared.run());
  CHECK(heard() == launch);
  REQUIRE(prepared.run(stream));
  CHECK(heard() == launch);
  CHECK(recorder::registeredTexts() == texts);

  // A launch that fails ends its range, too.
  driver.state.failFunction = "cuLaunchKernel";
  CHECK(!prepared.run());
  CHECK(heard() == launch);
}

TEST_CASE("so are launches on the CPU") {
  CpuKernel kernel = CpuKernel::create(nothing, doubleMetadata("cpu"), std::make_shared<ThreadPool>(2)).value();
  std::vector<float> data(64);
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(data.data(), DType::F32, {4, 16})};
  heard();
  REQUIRE(kernel.launch(arguments));
  kernel.prepare(arguments).value().run();
  CHECK(heard() == "lacuna: + launch double_D16_0123abcd; lacuna: -; lacuna: + launch double_D16_0123abcd; lacuna: -");
}

TEST_CASE("what the cache reads and writes is a range: a read with its key, a write with the symbol") {
  ScratchDirectory scratch;
  DiskCache cache = DiskCache::open(scratch / "cache", {}).value();
  const CacheKey key = sampleKey(1);
  heard();
  CHECK(!cache.get(key));
  CHECK(heard() == "lacuna: + cache get " + key.hex() + "; lacuna: -");
  CacheEntry entry = sampleEntry(1);
  REQUIRE(cache.put(key, entry));
  CHECK(heard() == "lacuna: + cache put " + entry.metadata.symbol + "; lacuna: -");
}
