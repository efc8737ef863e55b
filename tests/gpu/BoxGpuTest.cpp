// Copies whose box starts past the end of the view's innermost axis, and not at a multiple of 64: at 48 and at 160.
#include "lacuna/Jit/Jit.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <vector>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// Steps of 16 through a block of 64 keys: with N = 40 the last one copies columns 48 to 63 of p.
constexpr const char *kNarrowSteps = R"(
kernel gather(p: bf16[M, N], v: bf16[N, 64], rows: blocks<64, 64>[1, 1], o: out f32[M, 64])
  grid (i: ceildiv(M, 64))
{
  var acc: f32[64, 64] = 0
  for t in rows[0, 0, i] by 16 {
    let weights = load p[i * 64 :+ 64, t]
    let values = load v[t, :]
    acc = dot(weights, values, acc)
  }
  store o[i * 64 :+ 64, :] = acc
}
)";

/// Steps of 96, in boxes of 64 columns: with K = 150 the last one copies columns 160 to 191 of a.
constexpr const char *kWideSteps = R"(
kernel multiply(a: bf16[M, K], b: bf16[K, 64], o: out f32[M, 64])
  grid (i: ceildiv(M, 64))
{
  var acc: f32[64, 64] = 0
  for k in 0..K by 96 {
    acc = dot(load a[i * 64 :+ 64, k :+ 96], load b[k :+ 96, :], acc)
  }
  store o[i * 64 :+ 64, :] = acc
}
)";

/// Small integers, whose products and sums are exact.
float valueAt(int64_t row, int64_t column) {
  return static_cast<float>((row * 7 + column * 5) % 9 - 4);
}

DeviceBuffer uploadMatrix(const Device &device, int64_t rows, int64_t columns, int64_t pitch) {
  std::vector<uint16_t> bits(static_cast<size_t>(rows * pitch), 0x7fc0); // NaN in the gaps
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      bits[static_cast<size_t>(row * pitch + column)] =
          static_cast<uint16_t>(std::bit_cast<uint32_t>(valueAt(row, column)) >> 16);
  auto buffer = DeviceBuffer::allocate(device, bits.size() * 2);
  REQUIRE_MESSAGE(buffer, buffer.error().render());
  REQUIRE(buffer->upload(bits.data(), bits.size() * 2));
  return std::move(*buffer);
}

/// Multiplies a matrix of `inner` columns, in rows of `pitch` elements, by one of as many rows.
void checkProduct(KernelSpec spec, int64_t inner, int64_t pitch) {
  constexpr int64_t kRows = 100, kColumns = 64;
  Expected<Device> device = Device::open();
  REQUIRE_MESSAGE(device, device.error().render());
  auto jit = Jit::forDevice(*device);
  REQUIRE_MESSAGE(jit, jit.error().render());
  auto kernel = jit->compile(std::move(spec));
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  const DeviceBuffer a = uploadMatrix(*device, kRows, inner, pitch);
  const DeviceBuffer b = uploadMatrix(*device, inner, kColumns, kColumns);
  auto out = DeviceBuffer::allocate(*device, kRows * kColumns * 4);
  auto stream = Stream::create(*device);
  REQUIRE((out && stream));
  TensorView left = TensorView::contiguous(a.data(), DType::BF16, {kRows, inner});
  left.strides[0] = pitch;
  std::vector<ArgumentValue> arguments = {left, TensorView::contiguous(b.data(), DType::BF16, {inner, kColumns}),
                                          TensorView::contiguous(out->data(), DType::F32, {kRows, kColumns})};
  auto launched = kernel->launch(*stream, arguments);
  REQUIRE_MESSAGE(launched, launched.error().render());
  auto finished = stream->synchronize();
  REQUIRE_MESSAGE(finished, finished.error().render());
  std::vector<float> result(kRows * kColumns);
  REQUIRE(out->download(result.data(), kRows * kColumns * 4));
  int64_t wrong = 0;
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column) {
      float wanted = 0;
      for (int64_t k = 0; k < inner; ++k)
        wanted += valueAt(row, k) * valueAt(k, column);
      wrong += result[static_cast<size_t>(row * kColumns + column)] != wanted;
    }
  CHECK(wrong == 0);
}

} // namespace

TEST_CASE("boxes past the end of the view at positions 48 and 160") {
  checkProduct(
      {.file = "narrow.tile", .source = kNarrowSteps, .hooks = {{"rows", "some 0 .. 2147483647 all 0 .. 2147483647"}}},
      40, 48);
  checkProduct({.file = "wide.tile", .source = kWideSteps}, 150, 152);
}
