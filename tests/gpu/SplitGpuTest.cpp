// Attention in parts on a GPU, as callers run it: only parts with blocks, longest first, into a workspace whose other
// places keep what they held; again and again, on one stream. Heads apart and packed.

#include "lacuna/Jit/Attention.h"
#include "lacuna/Runtime/DeviceCopies.h"
#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/Reference.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

struct Problem {
  AttentionShape shape;
  const char *pattern;
  std::optional<int64_t> splits = {};
  bool oneLongRow = false; ///< the first row keeps its blocks, the others one each
  int64_t heads = 1;       ///< of a tile
  int64_t block = 128;
  std::optional<bool> pack = {};
};

/// The first row keeps its blocks, each other one has one full block.
BlockLists withOneLongRow(const BlockLists &lists) {
  BlockLists uneven = lists;
  uneven.indices.assign(lists.indices.begin(), lists.indices.begin() + lists.indptr[1]);
  for (size_t row = 1; row < lists.split.size(); ++row) {
    uneven.split[row] = uneven.indptr[row];
    uneven.indices.push_back(static_cast<int32_t>(row));
    uneven.indptr[row + 1] = uneven.indptr[row] + 1;
  }
  return uneven;
}

void run(const Problem &given) {
  const AttentionShape &shape = given.shape;
  CAPTURE(given.pattern);
  CAPTURE(shape.queries);
  ThreadPool pool;
  Expected<Device> device = Device::open();
  REQUIRE_MESSAGE(device, device.error().render());
  Expected<Jit> jit = Jit::forDevice(*device);
  REQUIRE(jit);
  Expected<Stream> stream = Stream::create(*device);
  REQUIRE(stream);
  const Pattern pattern = *Pattern::parse(given.pattern);
  BlockLists lists = *pattern.build(shape, given.block, given.block, 1);
  if (given.oneLongRow)
    lists = withOneLongRow(lists);
  AttentionSpec spec{.shape = shape, .splits = given.splits, .pack = given.pack};
  if (!pattern.keepHook().empty())
    spec.hooks["keep"] = pattern.keepHook();
  Expected<Attention> attention = Attention::plan(*jit, spec, lists);
  REQUIRE_MESSAGE(attention, attention.error().render());
  CHECK(attention->splits() >= (given.splits ? 1 : 2));
  CHECK(attention->tile().heads == given.heads);

  HostTensor q = *HostTensor::allocate(DType::BF16, {shape.batch, shape.heads, shape.queries, shape.headDim}),
             k = *HostTensor::allocate(DType::BF16, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}),
             v = *HostTensor::allocate(DType::BF16, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}),
             o = *HostTensor::allocate(DType::BF16, {shape.batch, shape.heads, shape.queries, shape.valueDim}),
             lse = *HostTensor::allocate(DType::F32, {shape.batch, shape.heads, shape.queries});
  uint64_t number = 0;
  for (HostTensor *tensor : {&q, &k, &v})
    fillNormal(*tensor, 1, number++, pool);
  DeviceCopies copies(*device);
  std::vector<DeviceBuffer *> buffers;
  auto place = [&](HostTensor &tensor) {
    buffers.push_back(copies.add(tensor.data(), tensor.bytes()).value());
    return TensorView::contiguous(buffers.back()->data(), tensor.dtype(), tensor.shape());
  };
  AttentionTensors tensors{place(q), place(k), place(v), place(o), place(lse)};
  Expected<DeviceBuffer> workspace = DeviceBuffer::allocate(*device, std::max<size_t>(attention->workspaceBytes(), 1));
  REQUIRE(workspace);
  Expected<BoundAttention> launch = attention->bind(tensors, 0.1f, workspace->data(), attention->workspaceBytes());
  REQUIRE_MESSAGE(launch, launch.error().render());
  AttentionProblem problem;
  problem.shape = shape;
  problem.q = &q, problem.k = &k, problem.v = &v;
  problem.lists = &lists;
  problem.scale = 0.1f;
  problem.keep = [&](int64_t, int64_t, int64_t i, int64_t j) { return pattern.keeps(shape, i, j); };
  std::vector<uint16_t> first;
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    REQUIRE(workspace->fill(*stream, 0xff)); // NaN
    for (size_t output : {3, 4})
      REQUIRE(buffers[output]->fill(*stream, 0xff));
    for (int again = 0; again < 1 + round % 3; ++again) {
      Expected<void> done = launch->run(*stream);
      REQUIRE_MESSAGE(done, done.error().render());
    }
    REQUIRE(stream->synchronize());
    REQUIRE(buffers[3]->download(o.data(), o.bytes()));
    REQUIRE(buffers[4]->download(lse.data(), lse.bytes()));
    const std::vector<uint16_t> result(o.as<uint16_t>().begin(), o.as<uint16_t>().end());
    if (round > 0) {
      REQUIRE(result == first);
      continue;
    }
    first = result;
    Expected<CheckReport> check = checkAttention(problem, o, lse, pool);
    REQUIRE(check);
    CHECK_MESSAGE(check->passed, (check->reasons.empty() ? "" : check->reasons[0]));
  }
}

} // namespace

TEST_CASE("few rows, many keys: the rule splits, and the result is right every time") {
  run({{1, 4, 2, 100, 20000, 128, 128}, "dense", {}});
  run({.shape = {1, 2, 1, 1, 30001, 64, 64}, .pattern = "causal", .heads = 2});
}

TEST_CASE("one long row among short ones: what need not run does not, and is not read") {
  run({{1, 2, 2, 1500, 16384, 128, 128}, "dense", {}, true});
  run({{2, 3, 3, 300, 5000, 64, 128}, "random:0.3", 7});
  run({{1, 1, 1, 700, 4000, 256, 256}, "window:1500:64", 32});
}

TEST_CASE("few queries of many heads: packed, and in as many parts as fill the GPU") {
  run({.shape = {1, 64, 8, 16, 20000, 128, 128}, .pattern = "dense", .heads = 8});
  run({.shape = {1, 64, 8, 1, 32768, 128, 128}, .pattern = "causal", .heads = 8});
  run({.shape = {2, 16, 2, 5, 9001, 64, 64}, .pattern = "causal", .heads = 8});
  run({.shape = {1, 32, 8, 40, 16384, 256, 256}, .pattern = "window:9000:64", .heads = 4});
}

TEST_CASE("blocks of 64 rows: heads with one list fill tiles of 128, whole and in parts") {
  for (int64_t splits : {1, 3}) {
    run({{1, 16, 8, 1000, 2000, 128, 128}, "random:0.3:shared", splits, false, 2, 64, true});
    run({{2, 8, 2, 500, 3000, 64, 64}, "random:0.2:shared", splits, false, 4, 64, true});
  }
}
