#include "lacuna/Jit/Attention.h"

#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/Reference.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

const AttentionShape kShape{
    .batch = 1, .heads = 2, .kvHeads = 1, .queries = 70, .keys = 900, .headDim = 16, .valueDim = 16};

struct Memory {
  ThreadPool pool;
  HostTensor q = *HostTensor::allocate(DType::BF16, {1, 2, 70, 16}),
             k = *HostTensor::allocate(DType::BF16, {1, 1, 900, 16}),
             v = *HostTensor::allocate(DType::BF16, {1, 1, 900, 16}),
             o = *HostTensor::allocate(DType::BF16, {1, 2, 70, 16}),
             lse = *HostTensor::allocate(DType::F32, {1, 2, 70});
  Memory() {
    uint64_t stream = 0;
    for (HostTensor *tensor : {&q, &k, &v})
      fillNormal(*tensor, 1, stream++, pool);
    forget();
  }
  void forget() {
    std::memset(o.data(), 0xff, o.bytes());
    std::memset(lse.data(), 0xff, lse.bytes());
  }
  AttentionTensors views() { return {q.view(), k.view(), v.view(), o.view(), lse.view()}; }
};

template <class T> std::string message(const Expected<T> &given) {
  return given ? "" : given.error().message;
}

} // namespace

TEST_CASE("Attention: planned once, in parts or whole, run on the caller's memory") {
  Memory memory;
  const Pattern causal = *Pattern::parse("causal");
  const BlockLists lists = *causal.build(kShape, 64, 64, 1);
  for (std::optional<int64_t> splits :
       {std::optional<int64_t>(), std::optional<int64_t>(1), std::optional<int64_t>(3)}) {
    CAPTURE(splits.value_or(0));
    Expected<Attention> attention =
        Attention::plan(Jit::forCpu(), {.shape = kShape, .hooks = {{"keep", "causal"}}, .splits = splits}, lists);
    REQUIRE_MESSAGE(attention, attention.error().render());
    CHECK(attention->splits() == splits.value_or(1));
    CHECK((attention->workspaceBytes() > 0) == (attention->splits() > 1));
    Expected<HostTensor> workspace =
        HostTensor::allocate(DType::F32, {static_cast<int64_t>(attention->workspaceBytes() / 4 + 1)});
    REQUIRE(workspace);
    std::memset(workspace->data(), 0xff, workspace->bytes());
    Expected<BoundAttention> launch =
        attention->bind(memory.views(), 0.25f, workspace->data(), attention->workspaceBytes());
    REQUIRE_MESSAGE(launch, launch.error().render());
    for (int run = 0; run < 2; ++run) {
      memory.forget();
      Expected<void> done = launch->run();
      REQUIRE_MESSAGE(done, done.error().render());
      AttentionProblem problem;
      problem.shape = kShape;
      problem.q = &memory.q, problem.k = &memory.k, problem.v = &memory.v;
      problem.lists = &lists;
      problem.scale = 0.25f;
      problem.keep = [&](int64_t, int64_t, int64_t i, int64_t j) { return causal.keeps(kShape, i, j); };
      Expected<CheckReport> check = checkAttention(problem, memory.o, memory.lse, memory.pool);
      REQUIRE(check);
      CHECK_MESSAGE(check->passed, (check->reasons.empty() ? "" : check->reasons[0]));
    }
  }
}

TEST_CASE("Attention: heads that share keys and lists share tiles, whole and in parts") {
  const AttentionShape shape{
      .batch = 1, .heads = 4, .kvHeads = 2, .queries = 70, .keys = 450, .headDim = 16, .valueDim = 16};
  ThreadPool pool;
  HostTensor q = *HostTensor::allocate(DType::BF16, {1, 4, 70, 16}),
             k = *HostTensor::allocate(DType::BF16, {1, 2, 450, 16}),
             v = *HostTensor::allocate(DType::BF16, {1, 2, 450, 16}),
             o = *HostTensor::allocate(DType::BF16, {1, 4, 70, 16}),
             lse = *HostTensor::allocate(DType::F32, {1, 4, 70});
  uint64_t stream = 0;
  for (HostTensor *tensor : {&q, &k, &v})
    fillNormal(*tensor, 1, stream++, pool);
  BlockLists lists; // each head its own; heads 0 and 1 have the same, and so have 2 and 3
  lists.heads = 4, lists.rowBlocks = 2, lists.keyBlocks = 8, lists.queryBlock = lists.keyBlock = 64;
  for (int32_t head = 0; head < 4; ++head)
    for (int32_t row = 0; row < 2; ++row) {
      lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
      for (int32_t block = head / 2 + row; block < 8; block += 1 + row)
        lists.indices.push_back(block);
      lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
    }
  for (std::optional<bool> pack : {std::optional<bool>(), std::optional<bool>(true), std::optional<bool>(false)})
    for (int64_t splits : {1, 3}) {
      CAPTURE(splits);
      Expected<Attention> attention =
          Attention::plan(Jit::forCpu(), {.shape = shape, .splits = splits, .pack = pack}, lists);
      REQUIRE_MESSAGE(attention, attention.error().render());
      CHECK(attention->tile() == (pack.value_or(true) ? PackedTile{2, 64, 128} : PackedTile{1, 64, 128}));
      CHECK(attention->splits() == splits);
      CHECK(attention->packing().find(pack.value_or(true) ? "2 heads a tile: " : "not asked for") == 0);
      std::vector<float> workspace(attention->workspaceBytes() / 4 + 16, std::numeric_limits<float>::quiet_NaN());
      auto address = (reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64;
      std::memset(o.data(), 0xff, o.bytes());
      std::memset(lse.data(), 0xff, lse.bytes());
      Expected<BoundAttention> launch = attention->bind({q.view(), k.view(), v.view(), o.view(), lse.view()}, 0.25f,
                                                        reinterpret_cast<void *>(address), attention->workspaceBytes());
      REQUIRE_MESSAGE(launch, launch.error().render());
      REQUIRE(launch->run());
      AttentionProblem problem;
      problem.shape = shape;
      problem.q = &q, problem.k = &k, problem.v = &v;
      problem.lists = &lists;
      problem.scale = 0.25f;
      Expected<CheckReport> check = checkAttention(problem, o, lse, pool);
      REQUIRE(check);
      CHECK_MESSAGE(check->passed, (check->reasons.empty() ? "" : check->reasons[0]));
    }
  // Heads with lists of their own, and a tile of the caller's, stay as they are.
  CHECK(Attention::plan(Jit::forCpu(), {.shape = shape, .params = {{"BM", "64"}}}, lists)->tile().heads == 1);
  lists.indices.back() = 7;
  Expected<Attention> apart = Attention::plan(Jit::forCpu(), {.shape = shape}, lists);
  REQUIRE_MESSAGE(apart, apart.error().render());
  CHECK(apart->tile().heads == 1);
  CHECK(apart->packing() == "the heads of a KV head have lists of their own");
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = shape, .pack = true}, lists)) ==
        "heads are to be packed, and cannot be: the heads of a KV head have lists of their own; leave out pack");
  // Neighbouring rows with the same blocks are one, of 128 queries.
  const BlockLists alike = *Pattern::parse("dense")->build(shape, 64, 64, 1);
  CHECK(Attention::plan(Jit::forCpu(), {.shape = shape, .pack = false}, alike)->tile() == PackedTile{1, 128, 128});
}

TEST_CASE("Attention: rows without blocks give zero and -inf without any part to run") {
  Memory memory;
  BlockLists lists = *Pattern::parse("dense")->build(kShape, 64, 64, 1);
  lists.indices.clear();
  std::fill(lists.indptr.begin(), lists.indptr.end(), 0);
  std::fill(lists.split.begin(), lists.split.end(), 0);
  Expected<Attention> attention = Attention::plan(Jit::forCpu(), {.shape = kShape, .splits = 2}, lists);
  REQUIRE_MESSAGE(attention, attention.error().render());
  Expected<HostTensor> workspace =
      HostTensor::allocate(DType::F32, {static_cast<int64_t>(attention->workspaceBytes())});
  Expected<BoundAttention> launch = attention->bind(memory.views(), 1, workspace->data(), attention->workspaceBytes());
  REQUIRE(launch);
  REQUIRE(launch->run());
  for (int64_t at = 0; at < memory.o.elements(); ++at)
    REQUIRE(memory.o.valueAt(at) == 0);
  for (float lse : memory.lse.as<float>())
    REQUIRE(lse == -std::numeric_limits<float>::infinity());
}

TEST_CASE("Attention: a NaN behind the mask reaches the result in parts as it does in one launch") {
  Memory memory;
  BlockLists lists = *Pattern::parse("dense")->build(kShape, 64, 64, 1);
  lists.split.assign(lists.indptr.begin() + 1, lists.indptr.end()); // all partial
  const int64_t masked = 850;
  memory.v.as<uint16_t>()[masked * 16] = 0x7fff;
  // In 5 parts of 15 blocks, the last three have no key.
  for (int64_t splits : {1, 5}) {
    memory.forget();
    Expected<Attention> attention =
        Attention::plan(Jit::forCpu(), {.shape = kShape, .hooks = {{"keep", "j < 300"}}, .splits = splits}, lists);
    REQUIRE_MESSAGE(attention, attention.error().render());
    Expected<HostTensor> workspace =
        HostTensor::allocate(DType::F32, {static_cast<int64_t>(attention->workspaceBytes() + 1)});
    Expected<BoundAttention> launch =
        attention->bind(memory.views(), 0.25f, workspace->data(), attention->workspaceBytes());
    REQUIRE(launch);
    REQUIRE(launch->run());
    CAPTURE(splits);
    for (int64_t row = 0; row < 140; ++row) {
      REQUIRE(std::isnan(memory.o.valueAt(row * 16)));
      REQUIRE(std::isfinite(memory.o.valueAt(row * 16 + 1)));
      REQUIRE(std::isfinite(memory.lse.valueAt(row)));
    }
  }
}

TEST_CASE("Attention: what it refuses, by name") {
  Memory memory;
  const BlockLists lists = *Pattern::parse("dense")->build(kShape, 64, 64, 1);
  Expected<Attention> attention = Attention::plan(Jit::forCpu(), {.shape = kShape, .splits = 2}, lists);
  REQUIRE_MESSAGE(attention, attention.error().render());
  Expected<HostTensor> workspace = HostTensor::allocate(DType::F32, {1 << 16});
  const size_t bytes = attention->workspaceBytes();
  REQUIRE(bytes < (1 << 16));
  CHECK(message(attention->bind(memory.views(), 1)).find("a workspace of 0 bytes") == 0);
  CHECK(message(attention->bind(memory.views(), 1, workspace->data(), bytes - 1)).find("rows in 2 parts need") !=
        std::string::npos);
  CHECK(message(attention->bind(memory.views(), 1, static_cast<char *>(workspace->data()) + 4, bytes))
            .find("give a multiple of 64 bytes") != std::string::npos);
  AttentionTensors wrong = memory.views();
  wrong.k.shape[2] = 899;
  CHECK(message(attention->bind(wrong, 1, workspace->data(), bytes)) ==
        "k is bf16 [1, 1, 899, 16], and the attention was planned for bf16 [1, 1, 900, 16]; plan it anew");
  wrong = memory.views();
  wrong.lse.dtype = DType::F16;
  CHECK(message(attention->bind(wrong, 1, workspace->data(), bytes)).find("lse is f16 [1, 2, 70]") == 0);
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = kShape, .hooks = {{"rows", "causal"}}}, lists)) ==
        "the hook 'rows' puts a pattern in place of the lists, and an attention is planned for lists; leave it out");
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = kShape, .splits = 40}, lists)) ==
        "rows in 40 parts were asked for; give 1 to 32");
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = kShape, .splits = 0}, lists)) ==
        "rows in 0 parts were asked for; give 1 to 32");
  AttentionShape longer = kShape;
  longer.keys = 5000;
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = longer}, lists)).find("the lists cover") == 0);
  longer.headDim = 12;
  CHECK(message(Attention::plan(Jit::forCpu(), {.shape = longer}, lists)).find("head-dim is 12") == 0);
}

TEST_CASE("Attention: tiles of the caller's that are none, and params that are the plan's, are refused") {
  const BlockLists lists = *Pattern::parse("dense")->build(kShape, 64, 64, 1);
  auto refused = [&](const char *param, const char *value) {
    return message(Attention::plan(Jit::forCpu(), {.shape = kShape, .params = {{param, value}}}, lists));
  };
  for (const char *param : {"BM", "BN"})
    for (const char *value : {"0", "-64", "x", "", "64 ", "9223372036854775807", "99999999999999999999"})
      CHECK(refused(param, value) ==
            fmt::format("the param {} of an attention is '{}'; give a whole number from 1 to 1024, the tile's {}",
                        param, value, param[1] == 'M' ? "queries" : "keys"));
  CHECK(refused("BM", "48").find("48 is not in the domain of BM") != std::string::npos);
  for (const char *param : {"D", "DV", "T", "QB", "KB", "R", "L", "RN"})
    CHECK(refused(param, "16") == fmt::format("the param {} of an attention follows from its shape, its lists and its "
                                              "tile; leave it out",
                                              param));
}
