// The runtime on a GPU: loading, launching, tensor maps, and the errors that only a driver can give.

#include "lacuna/Runtime/HostTensor.h"
#include "lacuna/Runtime/Kernel.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// out[r, c] = factor * in[r, c], a CTA a row and a thread a column.
constexpr const char *kScalePtx = R"(
.version 8.3
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 in, .param .u64 inStride, .param .u64 out, .param .u64 outStride, .param .f32 factor,
                      .param .u32 M, .param .u32 N)
{
  .reg .pred %p; .reg .b32 %r<6>; .reg .f32 %f<3>; .reg .b64 %d<12>;
  mov.u32 %r0, %ctaid.x; mov.u32 %r1, %tid.x; ld.param.u32 %r2, [N];
  setp.ge.u32 %p, %r1, %r2; @%p ret;
  ld.param.u64 %d0, [in]; ld.param.u64 %d1, [inStride]; ld.param.u64 %d2, [out]; ld.param.u64 %d3, [outStride];
  cvt.u64.u32 %d4, %r0; cvt.u64.u32 %d5, %r1;
  mad.lo.u64 %d6, %d4, %d1, %d5; mad.lo.u64 %d7, %d4, %d3, %d5;
  shl.b64 %d6, %d6, 2; shl.b64 %d7, %d7, 2; add.u64 %d0, %d0, %d6; add.u64 %d2, %d2, %d7;
  ld.param.f32 %f0, [factor]; ld.global.f32 %f1, [%d0]; mul.f32 %f2, %f1, %f0; st.global.f32 [%d2], %f2;
  ret;
}
)";

LaunchMetadata scaleMetadata() {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "scale";
  metadata.target = "sm_80";
  metadata.arguments = {{"in", Argument::Kind::View, DType::F32, {{"M"}, {"N"}}},
                        {"out", Argument::Kind::View, DType::F32, {{"M"}, {"N"}}, true},
                        {"factor", Argument::Kind::Scalar, DType::F32}};
  metadata.dims = {"M", "N"};
  metadata.grid = {"M"};
  metadata.constraints = {{"N <= 128", "N <= 128"}};
  metadata.threads = 128;
  return metadata;
}

/// Loads the box of 64 columns x 16 rows at (64 x, 16 y, z) of `in` through the tensor map and stores the 2048 bytes of
/// shared memory as they lie to out[z, y, x].
constexpr const char *kBoxPtx = R"(
.version 8.3
.target sm_90a
.address_size 64
.visible .entry box(.param .align 64 .b8 map[128], .param .u64 in, .param .u64 s0, .param .u64 s1, .param .u64 out,
                    .param .u64 o0, .param .u64 o1, .param .u64 o2,
                     .param .u32 B, .param .u32 M, .param .u32 X, .param .u32 Y)
.maxntid 128
{
  .shared .align 1024 .b8 tile[2048];
  .shared .align 8 .b64 bar;
  .reg .pred %p; .reg .b32 %r<16>; .reg .b64 %d<12>;
  mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ctaid.y; mov.u32 %r3, %ctaid.z;
  mov.u32 %r4, bar; mov.u32 %r5, tile;
  setp.ne.u32 %p, %r0, 0; @%p bra ready;
  mbarrier.init.shared::cta.b64 [%r4], 1;
  fence.mbarrier_init.release.cluster;
  mov.b64 %d0, map; cvta.param.u64 %d0, %d0;
  shl.b32 %r6, %r1, 6; shl.b32 %r7, %r2, 4;
  mbarrier.arrive.expect_tx.shared::cta.b64 %d1, [%r4], 2048;
  cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r5], [%d0, {%r6, %r7, %r3}], [%r4];
ready:
  bar.sync 0;
waiting:
  mbarrier.try_wait.parity.shared::cta.b64 %p, [%r4], 0;
  @!%p bra waiting;
  ld.param.u64 %d2, [out]; ld.param.u64 %d3, [o0]; ld.param.u64 %d4, [o1]; ld.param.u64 %d5, [o2];
  cvt.u64.u32 %d6, %r3; mul.lo.u64 %d6, %d6, %d3;
  cvt.u64.u32 %d7, %r2; mad.lo.u64 %d6, %d7, %d4, %d6;
  cvt.u64.u32 %d7, %r1; mad.lo.u64 %d6, %d7, %d5, %d6;
  shl.b64 %d6, %d6, 1; add.u64 %d2, %d2, %d6;
  shl.b32 %r8, %r0, 4; add.u32 %r9, %r5, %r8; cvt.u64.u32 %d8, %r8; add.u64 %d2, %d2, %d8;
  ld.shared.v4.b32 {%r10, %r11, %r12, %r13}, [%r9];
  st.global.v4.b32 [%d2], {%r10, %r11, %r12, %r13};
  ret;
}
)";

LaunchMetadata boxMetadata(int64_t columns) {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "box";
  metadata.target = "sm_90a";
  metadata.arguments = {{"in", Argument::Kind::View, DType::BF16, {{"B"}, {"M"}, {"", columns}}},
                        {"out", Argument::Kind::View, DType::BF16, {{"B"}, {"Y"}, {"X"}, {"", 1024}}, true}};
  metadata.dims = {"B", "M", "X", "Y"};
  metadata.grid = {"X", "Y", "B"};
  metadata.threads = 128;
  metadata.tensorMaps = {{0, 1, 16}};
  return metadata;
}

Device device() {
  Expected<Device> opened = Device::open();
  REQUIRE_MESSAGE(opened, opened.error().render());
  return *opened;
}

DeviceBuffer upload(const Device &gpu, const void *data, size_t bytes) {
  Expected<DeviceBuffer> buffer = DeviceBuffer::allocate(gpu, bytes);
  REQUIRE(buffer);
  REQUIRE(buffer->upload(data, bytes));
  return std::move(*buffer);
}

} // namespace

TEST_CASE("a PTX kernel runs on strided views, on our stream and on the default one") {
  Device gpu = device();
  Expected<Kernel> kernel = Kernel::load(gpu, kScalePtx, scaleMetadata());
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  CHECK(kernel->function().localBytes() == 0);
  CHECK(kernel->function().registers() > 0);
  std::vector<float> in(50 * 80), out(50 * 100, -1);
  for (size_t index = 0; index < in.size(); ++index)
    in[index] = static_cast<float>(index);
  Expected<Stream> own = Stream::create(gpu);
  REQUIRE(own);
  Stream borrowed = Stream::borrow(gpu, nullptr);
  for (Stream *stream : {&*own, &borrowed}) {
    DeviceBuffer deviceIn = upload(gpu, in.data(), in.size() * 4), deviceOut = upload(gpu, out.data(), out.size() * 4);
    std::vector<ArgumentValue> arguments = {TensorView{deviceIn.data(), DType::F32, {50, 70}, {80, 1}},
                                            TensorView{deviceOut.data(), DType::F32, {50, 70}, {100, 1}}, 3.0f};
    Expected<void> launched = kernel->launch(*stream, arguments);
    REQUIRE_MESSAGE(launched, launched.error().render());
    REQUIRE(stream->synchronize());
    std::vector<float> result(out.size());
    REQUIRE(deviceOut.download(result.data(), result.size() * 4));
    for (int r = 0; r < 50; ++r)
      for (int c = 0; c < 100; ++c)
        REQUIRE(result[r * 100 + c] == (c < 70 ? 3.0f * in[r * 80 + c] : -1.0f));
  }
}

TEST_CASE("tensor maps: box, swizzle, zeros past the view, new maps for new memory") {
  Device gpu = device();
  if (gpu.info().major != 9) {
    MESSAGE("needs compute capability 9.0");
    return;
  }
  Expected<Stream> stream = Stream::create(gpu);
  REQUIRE(stream);
  for (int64_t columns : {8, 40, 64, 128, 200}) {
    Expected<Kernel> kernel = Kernel::load(gpu, kBoxPtx, boxMetadata(columns));
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    for (auto [batch, rows, padding] :
         {std::tuple<int64_t, int64_t, int64_t>{1, 1, 0}, {3, 37, 0}, {2, 16, 8}, {3, 37, 0}}) {
      const int64_t x = (columns + 63) / 64, y = (rows + 15) / 16, stride = columns + padding;
      std::vector<uint16_t> in(batch * rows * stride), out(batch * y * x * 1024, 0xffff);
      for (size_t index = 0; index < in.size(); ++index)
        in[index] = static_cast<uint16_t>(index + 1);
      DeviceBuffer deviceIn = upload(gpu, in.data(), in.size() * 2),
                   deviceOut = upload(gpu, out.data(), out.size() * 2);
      std::vector<ArgumentValue> arguments = {
          TensorView{deviceIn.data(), DType::BF16, {batch, rows, columns}, {rows * stride, stride, 1}},
          TensorView::contiguous(deviceOut.data(), DType::BF16, {batch, y, x, 1024})};
      for (int repeat = 0; repeat < 2; ++repeat) {
        Expected<void> launched = kernel->launch(*stream, arguments);
        REQUIRE_MESSAGE(launched, launched.error().render());
      }
      REQUIRE(stream->synchronize());
      REQUIRE(deviceOut.download(out.data(), out.size() * 2));
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t r = 0; r < y * 16; ++r)
          for (int64_t c = 0; c < x * 64; ++c) {
            // 128-byte swizzle: the 16-byte chunk of a row is exchanged by the row's number modulo 8.
            int64_t inBox = (r % 16) * 64 + (((c % 64) / 8) ^ (r % 8)) * 8 + c % 8;
            uint16_t found = out[((b * y + r / 16) * x + c / 64) * 1024 + inBox];
            uint16_t wanted = r < rows && c < columns ? in[(b * rows + r) * stride + c] : 0;
            REQUIRE(found == wanted);
          }
    }
  }
}

TEST_CASE("images that cannot be loaded") {
  Device gpu = device();
  auto problem = [&](std::string_view image, LaunchMetadata metadata = scaleMetadata()) {
    Expected<Kernel> kernel = Kernel::load(gpu, image, std::move(metadata));
    REQUIRE(!kernel);
    MESSAGE(kernel.error().render());
    return kernel.error();
  };
  CHECK(problem("").code == ErrorCode::InvalidArgument);
  CHECK(problem("no PTX at all").code == ErrorCode::Incompatible);
  std::string broken = kScalePtx;
  broken.replace(broken.find("mul.f32"), 7, "mux.f32");
  Error error = problem(broken);
  CHECK(error.code == ErrorCode::Incompatible);
  REQUIRE(!error.notes.empty());
  CHECK(error.notes[0].find("the driver's assembler says") == 0);
  std::string future = kScalePtx;
  future.replace(future.find("8.3"), 3, "9.9");
  CHECK(problem(future).code == ErrorCode::Incompatible);
  std::string garbage = "\x7f";
  garbage += "ELF, and then nothing that a cubin holds";
  CHECK(problem(garbage).code == ErrorCode::Incompatible);
  LaunchMetadata other = scaleMetadata();
  other.symbol = "missing";
  CHECK(problem(kScalePtx, other).code == ErrorCode::NotFound);
  LaunchMetadata greedy = scaleMetadata();
  greedy.sharedBytes = 1 << 20;
  CHECK(problem(kScalePtx, greedy).code == ErrorCode::ResourceExhausted);
}

TEST_CASE("limits: memory, and GPUs that do not exist") {
  Device gpu = device();
  Expected<DeviceBuffer> huge = DeviceBuffer::allocate(gpu, size_t(1) << 46);
  REQUIRE(!huge);
  CHECK(huge.error().code == ErrorCode::ResourceExhausted);
  CHECK(Device::open(1000).error().code == ErrorCode::InvalidArgument);
  CHECK(Device::open(-1).error().code == ErrorCode::InvalidArgument);
  CHECK(DeviceBuffer::allocate(gpu, 0).error().code == ErrorCode::InvalidArgument);
  Expected<DeviceBuffer> small = DeviceBuffer::allocate(gpu, 4);
  REQUIRE(small);
  CHECK(small->upload("12345", 5).error().message == "uploading 5 bytes into a buffer of 4");
}

TEST_CASE("the host time of a launch") {
  Device gpu = device();
  Expected<Kernel> kernel = Kernel::load(gpu, kScalePtx, scaleMetadata());
  REQUIRE(kernel);
  Expected<Stream> stream = Stream::create(gpu);
  std::vector<float> data(128);
  DeviceBuffer in = upload(gpu, data.data(), 512), out = upload(gpu, data.data(), 512);
  std::vector<ArgumentValue> arguments = {TensorView::contiguous(in.data(), DType::F32, {1, 128}),
                                          TensorView::contiguous(out.data(), DType::F32, {1, 128}), 2.0f};
  Expected<LaunchSignature> signature = LaunchSignature::create(scaleMetadata());
  REQUIRE(signature);
  auto nanoseconds = [](auto body) {
    constexpr int kRepeats = 500;
    auto start = std::chrono::steady_clock::now();
    for (int repeat = 0; repeat < kRepeats; ++repeat)
      body();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kRepeats;
  };
  const Driver &driver = gpu.driver();
  ParameterPack pack;
  pack.addArguments(arguments, *signature->bind(arguments));
  ContextGuard guard(gpu);
  double ours = 0, bare = 0;
  for (int round = 0; round < 5; ++round) {
    ours = nanoseconds([&] { (void)kernel->launch(*stream, arguments); });
    REQUIRE(stream->synchronize());
    bare = nanoseconds([&] {
      (void)driver.cuLaunchKernel(kernel->function().handle(), 1, 1, 1, 128, 1, 1, 0, stream->handle(), pack.pointers(),
                                  nullptr);
    });
    REQUIRE(stream->synchronize());
  }
  MESSAGE("a launch takes " << ours << " ns of host time, the bare driver call " << bare << " ns");
  CHECK(ours - bare < 1000);
}
