// Kernels from the cache on a real driver: as good as compiled ones, and replaced where the driver refuses them.
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Jit/Jit.h"

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

constexpr const char *kScale = R"(
kernel scale(x: f32[M, 64], y: out f32[M, 64], factor: f32)
  grid (i: ceildiv(M, 64))
{
  store y[i * 64 :+ 64, :] = (load x[i * 64 :+ 64, :]) * factor
}
)";

struct Fixture {
  ScratchDirectory scratch;
  ScopedVariable mode{"LACUNA_CACHE", "disk"};
  ScopedVariable directory{"LACUNA_CACHE_DIR", (scratch / "cache").c_str()};
  Device device = [] {
    Expected<Device> opened = Device::open();
    REQUIRE_MESSAGE(opened, opened.error().render());
    return *opened;
  }();

  /// Compiles with a Jit of its own, as another process would; runs it and checks the result.
  CacheSource run() const {
    auto jit = Jit::forDevice(device);
    REQUIRE_MESSAGE(jit, jit.error().render());
    auto kernel = jit->compile({.file = "scale.tile", .source = kScale});
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    constexpr int64_t kRows = 100, kCount = kRows * 64;
    std::vector<float> x(kCount), y(kCount, -1);
    for (size_t index = 0; index < x.size(); ++index)
      x[index] = static_cast<float>(index % 97);
    auto in = DeviceBuffer::allocate(device, kCount * 4), out = DeviceBuffer::allocate(device, kCount * 4);
    auto stream = Stream::create(device);
    REQUIRE((in && out && stream));
    REQUIRE(in->upload(x.data(), kCount * 4));
    std::vector<ArgumentValue> arguments = {TensorView::contiguous(in->data(), DType::F32, {kRows, 64}),
                                            TensorView::contiguous(out->data(), DType::F32, {kRows, 64}), 2.0f};
    auto launched = kernel->launch(*stream, arguments);
    REQUIRE_MESSAGE(launched, launched.error().render());
    REQUIRE(stream->synchronize());
    REQUIRE(out->download(y.data(), kCount * 4));
    bool right = true;
    for (size_t index = 0; index < x.size(); ++index)
      right &= y[index] == 2 * x[index];
    CHECK(right);
    return kernel->source();
  }
};

} // namespace

TEST_CASE("a kernel from disk does what the compiled one does") {
  Fixture fixture;
  CHECK(fixture.run() == CacheSource::None);
  CHECK(fixture.run() == CacheSource::Disk);
}

TEST_CASE("an image that the driver refuses is compiled anew and replaced") {
  Fixture fixture;
  CHECK(fixture.run() == CacheSource::None);
  Expected<DiskCache> cache = DiskCache::open(fixture.scratch / "cache", {});
  REQUIRE(cache);
  REQUIRE(cache->list().size() == 1);
  auto stored = cache->read(cache->list()[0].hex);
  REQUIRE(stored);
  CacheEntry spoilt = stored->entry;
  spoilt.image = spoilt.isCubin ? "\177ELF that is no cubin" : "no PTX";
  REQUIRE(cache->put(stored->key, spoilt)); // Under a checksum that fits.
  CHECK(fixture.run() == CacheSource::None);
  CHECK(cache->read(cache->list()[0].hex)->entry == stored->entry);
  CHECK(fixture.run() == CacheSource::Disk);
}
