// Persistent kernels on a GPU: programs of very different length, in any order, on two streams, launch after launch.

#include "lacuna/Jit/Jit.h"
#include "lacuna/Runtime/DeviceCopies.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// Sums over the listed blocks of keys; exact for small integers, so that the GPU and the CPU agree to the bit.
constexpr const char *kGather = R"(
param T in {f16} = f16
kernel gather(q: T[H, M, 64], k: T[H, N, 64], v: T[H, N, 64], rows: blocks<64, 64>[1, H | 1], o: out T[H, M, 64])
  grid (qi: ceildiv(M, 64), h: H)
{
  let tq = load q[h, qi * 64 :+ 64, :]
  var acc: f32[64, 64] = 0
  for t in rows[0, h, qi] by 64 {
    let tk = load k[h, t, :]
    let tv = load v[h, t, :]
    let s = dot(tq, transpose(tk))
    acc = dot(s as T, tv, acc)
  }
  store o[h, qi * 64 :+ 64, :] = acc as T
}
)";

constexpr int64_t kHeads = 7, kQueries = 60 * 64 - 13, kKeys = 40 * 64 - 5, kWidth = 64;
constexpr int64_t kRowBlocks = 60, kKeyBlocks = 40, kPrograms = kHeads * kRowBlocks;

/// -1, 0 and 1 as f16, mostly 0.
std::vector<uint16_t> smallIntegers(int64_t count, std::mt19937 &random) {
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (uint16_t &value : values)
    value = std::array<uint16_t, 8>{0, 0, 0, 0, 0, 0, 0x3C00, 0xBC00}[random() % 8];
  return values;
}

struct Problem {
  std::vector<uint16_t> q, k, v;
  std::vector<int32_t> indptr = {0}, split, indices;

  Problem() {
    std::mt19937 random(1);
    q = smallIntegers(kHeads * kQueries * kWidth, random);
    k = smallIntegers(kHeads * kKeys * kWidth, random);
    v = smallIntegers(kHeads * kKeys * kWidth, random);
    for (int64_t row = 0; row < kPrograms; ++row) {
      // None, a few, or all.
      const int64_t wanted = row % 5 == 0 ? 0 : row % 11 == 0 ? kKeyBlocks : static_cast<int64_t>(random() % 6);
      std::vector<int32_t> all(kKeyBlocks);
      std::iota(all.begin(), all.end(), 0);
      std::shuffle(all.begin(), all.end(), random);
      std::sort(all.begin(), all.begin() + wanted);
      split.push_back(static_cast<int32_t>(indices.size()));
      indices.insert(indices.end(), all.begin(), all.begin() + wanted);
      indptr.push_back(static_cast<int32_t>(indices.size()));
    }
  }

  std::vector<ArgumentValue> arguments(void *q, void *k, void *v, const int32_t *indptr, const int32_t *split,
                                       const int32_t *indices, void *o) const {
    auto view = [](void *data, int64_t rows) {
      return TensorView::contiguous(data, DType::F16, {kHeads, rows, kWidth});
    };
    BlockListView list{indptr, split, indices, 1, kHeads, kRowBlocks, static_cast<int64_t>(this->indices.size())};
    return {view(q, kQueries), view(k, kKeys), view(v, kKeys), list, view(o, kQueries)};
  }
};

} // namespace

TEST_CASE("programs run once each, whatever their order, their stream and the launches before") {
  Problem problem;
  std::vector<uint16_t> expected(static_cast<size_t>(kHeads * kQueries * kWidth));
  Expected<JitKernel> onCpu = Jit::forCpu().compile({.file = "gather.tile", .source = kGather});
  REQUIRE_MESSAGE(onCpu, onCpu.error().render());
  REQUIRE(onCpu->launch(problem.arguments(problem.q.data(), problem.k.data(), problem.v.data(), problem.indptr.data(),
                                          problem.split.data(), problem.indices.data(), expected.data())));

  Expected<Device> gpu = Device::open();
  REQUIRE_MESSAGE(gpu, gpu.error().render());
  Expected<Jit> jit = Jit::forDevice(*gpu);
  REQUIRE(jit);
  Expected<JitKernel> kernel = jit->compile({.file = "gather.tile", .source = kGather});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  REQUIRE(kernel->metadata().persistentBlocks > 0);

  DeviceCopies copies(*gpu);
  auto upload = [](DeviceCopies &to, const std::vector<uint16_t> &values) {
    return to.add(values.data(), values.size() * sizeof(uint16_t)).value();
  };
  auto ints = [&](const std::vector<int32_t> &values) { return copies.add(values).value(); };
  void *q = upload(copies, problem.q)->data(), *k = upload(copies, problem.k)->data(),
       *v = upload(copies, problem.v)->data();
  const int32_t *indptr = ints(problem.indptr), *split = ints(problem.split), *indices = ints(problem.indices);
  std::vector<const int32_t *> orders = {nullptr};
  std::mt19937 random(2);
  for (int shuffled = 0; shuffled < 3; ++shuffled) {
    std::vector<int32_t> order(kPrograms);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    orders.push_back(ints(order));
  }

  Expected<Stream> first = Stream::create(*gpu), second = Stream::create(*gpu);
  REQUIRE(first);
  REQUIRE(second);
  const std::vector<uint16_t> blank(expected.size(), 0x7E00); // NaN
  for (int round = 0; round < 25; ++round) {
    DeviceCopies ofRound(*gpu);
    std::vector<DeviceBuffer *> outputs;
    for (size_t launch = 0; launch < 2 * orders.size(); ++launch)
      outputs.push_back(upload(ofRound, blank));
    for (size_t launch = 0; launch < outputs.size(); ++launch) {
      auto arguments = problem.arguments(q, k, v, indptr, split, indices, outputs[launch]->data());
      Expected<void> launched = kernel->launch(launch % 2 ? *first : *second, arguments, {.order = orders[launch / 2]});
      REQUIRE_MESSAGE(launched, launched.error().render());
    }
    REQUIRE(first->synchronize());
    REQUIRE(second->synchronize());
    for (size_t launch = 0; launch < outputs.size(); ++launch) {
      std::vector<uint16_t> result(expected.size());
      REQUIRE(outputs[launch]->download(result.data(), result.size() * sizeof(uint16_t)));
      CAPTURE(round);
      CAPTURE(launch);
      REQUIRE(result == expected);
    }
  }
}
