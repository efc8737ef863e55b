//===- HandWrittenBackend.h - The command without a compiler ----*- C++ -*-===//
//
// What stands behind `lacuna attention` in its tests: a kernel written by hand, of one head dimension, tile and block,
// right or wrong as a test asks. It remembers what it was asked for.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TESTS_HANDWRITTENBACKEND_H
#define LACUNA_TESTS_HANDWRITTENBACKEND_H

#include "AttentionKernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace lacuna::tools {

using namespace runtime;

inline constexpr int kHeadDim = 16, kTileRows = 64, kBlock = 64;

/// Reads launch parameters in order.
class Parameters {
public:
  explicit Parameters(void **slots) : slots(slots) {}
  template <class T> T next() {
    T value;
    std::memcpy(&value, *slots++, sizeof(value));
    return value;
  }

private:
  void **slots;
};

/// A view of 16-bit elements, [.., .., .., kHeadDim].
struct View {
  uint16_t *data;
  int64_t strides[3];
  explicit View(Parameters &p) : data(p.next<uint16_t *>()) {
    for (int64_t &stride : strides)
      stride = p.next<int64_t>();
  }
  uint16_t *row(int64_t a, int64_t b, int64_t c) const {
    return data + a * strides[0] + b * strides[1] + c * strides[2];
  }
};

/// Attention in float32, row by row: what a compiler would make of the library kernel for bf16, written by hand.
/// Without lists it looks at every key.
template <bool kCausal, bool kWrong, bool kListed = true>
void attention(void **slots, int32_t x, int32_t h, int32_t b) {
  Parameters p(slots);
  View q(p), k(p), v(p);
  const int32_t *indptr = nullptr, *split = nullptr, *indices = nullptr;
  int64_t batchStride = 0, headStride = 0;
  if (kListed) {
    for (const int32_t **array : {&indptr, &split, &indices})
      *array = p.next<const int32_t *>();
    batchStride = p.next<int64_t>(), headStride = p.next<int64_t>();
    p.next<int32_t>();
  }
  View o(p);
  auto *lse = p.next<float *>();
  const int64_t lseBatch = p.next<int64_t>(), lseHead = p.next<int64_t>();
  const float scale = p.next<float>();
  p.next<int32_t>();
  const auto heads = p.next<int32_t>(), queries = p.next<int32_t>(), kvHeads = p.next<int32_t>(),
             keys = p.next<int32_t>();
  const int64_t g = h / (heads / kvHeads), row = b * batchStride + h * headStride + x * kTileRows / kBlock;
  for (int64_t i = int64_t(x) * kTileRows; i < std::min<int64_t>(queries, (x + 1) * kTileRows); ++i) {
    float sum = 0, largest = -std::numeric_limits<float>::infinity(), acc[kHeadDim] = {};
    for (int pass = 0; pass < 2; ++pass)
      for (int32_t at = kListed ? indptr[row] : 0; at < (kListed ? indptr[row + 1] : (keys + kBlock - 1) / kBlock);
           ++at) {
        const int64_t block = kListed ? indices[at] : at;
        for (int64_t j = block * kBlock; j < std::min<int64_t>(keys, (block + 1) * kBlock); ++j) {
          if (kCausal && (!kListed || at < split[row]) && j > i + keys - queries)
            continue;
          float s = 0;
          for (int d = 0; d < kHeadDim; ++d)
            s += bf16ToFloat(q.row(b, h, i)[d]) * bf16ToFloat(k.row(b, g, j)[d]);
          s *= scale;
          if (pass == 0) {
            largest = std::max(largest, s);
            continue;
          }
          float weight = std::exp(s - largest);
          sum += weight;
          for (int d = 0; d < kHeadDim; ++d)
            acc[d] += bf16ToFloat(floatToBf16(weight)) * bf16ToFloat(v.row(b, g, j)[d]);
        }
      }
    for (int d = 0; d < kHeadDim; ++d)
      o.row(b, h, i)[d] = floatToBf16(sum == 0 ? 0 : acc[d] / sum * (kWrong ? 1.1f : 1.0f));
    lse[b * lseBatch + h * lseHead + i] = largest + std::log(sum);
  }
}

class HandWrittenBackend final : public AttentionBackend {
public:
  Expected<CompiledAttention> compile(const AttentionRequest &request) override {
    last = request;
    if (failWith)
      return tl::unexpected(*failWith);
    LaunchMetadata metadata;
    metadata.kernel = metadata.symbol = "attention_forward";
    metadata.target = "cpu";
    auto view = [](const char *name, const char *heads, const char *length, bool output = false) {
      return Argument{name, Argument::Kind::View, DType::BF16, {{"B"}, {heads}, {length}, {"", kHeadDim}}, output};
    };
    metadata.arguments = {view("q", "H", "M"),
                          view("k", "G", "N"),
                          view("v", "G", "N"),
                          {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, kBlock, kBlock},
                          view("o", "H", "M", true),
                          {"lse", Argument::Kind::View, DType::F32, {{"B"}, {"H"}, {"M"}}, true},
                          {"scale", Argument::Kind::Scalar, DType::F32}};
    metadata.dims = {"B", "H", "M", "G", "N"};
    metadata.grid = {"ceildiv(M, 64)", "H", "B"};
    metadata.constraints = {{"H % G == 0", "H % G == 0"}};
    auto asks = [&](const char *hook) {
      return std::ranges::any_of(request.hooks, [&](const auto &given) { return given.first == hook; });
    };
    const bool masked = asks("keep"), listed = !asks("rows");
    if (!listed)
      metadata.arguments.erase(metadata.arguments.begin() + 3);
    CpuEntry entry = listed ? entryFor<true>(masked) : entryFor<false>(masked);
    Expected<CpuKernel> kernel = CpuKernel::create(entry, metadata, request.pool);
    if (!kernel)
      return takeError(kernel);
    return CompiledAttention{std::move(*kernel), "none", {{"tile", 1.5}, {"llvm", 2.5}}, predicted};
  }

  Expected<std::optional<TileAnswer>> chooseTile(const TileQuestion &question) override {
    asked = question;
    return tile;
  }

  template <bool kListed> CpuEntry entryFor(bool masked) const {
    return wrong    ? attention<false, true, kListed>
           : masked ? attention<true, false, kListed>
                    : attention<false, false, kListed>;
  }

  bool wrong = false;
  std::optional<TileAnswer> tile;
  std::optional<TileQuestion> asked;
  std::optional<Prediction> predicted;
  std::optional<Error> failWith;
  std::optional<AttentionRequest> last;
};

} // namespace lacuna::tools

#endif // LACUNA_TESTS_HANDWRITTENBACKEND_H
