// What an attention runs as: its tile, block, packing, parts, and the time that is predicted for it.
#include "Tools/HandWrittenBackend.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;
using namespace lacuna::tools;

TEST_CASE("lists in memory say which rows of which heads share tiles") {
  AttentionOptions options;
  options.device = "cpu", options.heads = 4, options.kvHeads = 2, options.queries = 300, options.keys = 400;
  options.block = "64x64", options.pattern = "lists:somewhere";
  auto planFor = [&](const char *text, const char *pack, uint64_t seed = 1) {
    options.pack = pack;
    AttentionPlan plan = planAttention(options, std::nullopt, std::nullopt).value();
    BlockLists lists = *Pattern::parse(text)->build(plan.shape, 64, 64, seed);
    Expected<std::optional<BlockLists>> rows = planRows(options, lists, plan);
    REQUIRE_MESSAGE(rows, rows.error().render());
    CHECK(rows->has_value() == (plan.packed || plan.rowsPaired > 1));
    return plan;
  };
  AttentionPlan plan = planFor("random:0.3:shared", "auto");
  CHECK(*plan.packed == PackedTile{2, 64, 128});
  CHECK(plan.packing == "2 heads a tile: 10 programs in 1 part, 32 steps; apart: 20 programs in 1 part, 48 steps");
  CHECK(plan.rowsPaired == 1);
  CHECK_FALSE(planFor("random:0.3:shared", "off").packed);
  plan = planFor("random:0.3", "auto");
  CHECK_FALSE(plan.packed);
  CHECK(plan.packing == "the heads of a KV head have lists of their own");
  // Neighbouring rows with the same blocks are one.
  plan = planFor("dense", "off");
  CHECK(plan.kernelQueryBlock() == 128);
  CHECK(plan.tile == AttentionTile{128, 128});
  options.pack = "on";
  plan = planAttention(options, std::nullopt, std::nullopt).value();
  Expected<std::optional<BlockLists>> refused =
      planRows(options, *Pattern::parse("random:0.3")->build(plan.shape, 64, 64, 1), plan);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "--pack on needs lists that the heads of a KV head share, and those of "
                                   "'lists:somewhere' differ; use --pack off");
}

TEST_CASE("few queries are packed, in as many parts as fill a GPU") {
  AttentionOptions options;
  options.heads = 64, options.kvHeads = 8, options.queries = 8, options.keys = 4096;
  auto packs = [&](const char *device, int64_t batch) {
    options.device = device, options.batch = batch;
    Expected<AttentionPlan> plan = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(plan);
    return plan->packed.has_value();
  };
  for (const char *split : {"auto", "1", "4"}) {
    options.split = split;
    for (int64_t batch : {1, 32}) {
      CHECK(packs("cpu", batch));
      CHECK(packs("gpu", batch));
    }
  }
  options.queries = 4096; // tiles are full either way
  CHECK_FALSE(packs("gpu", 1));
  options.pack = "on";
  CHECK(packs("gpu", 1));
}

TEST_CASE("a group that divides no tile is not packed") {
  AttentionOptions options;
  options.heads = 5, options.kvHeads = 1, options.queries = 3, options.keys = 10, options.device = "cpu";
  Expected<AttentionPlan> plan = planAttention(options, std::nullopt, std::nullopt);
  REQUIRE(plan);
  CHECK_FALSE(plan->packed);
  options.pack = "on";
  CHECK(
      planAttention(options, std::nullopt, std::nullopt).error().message ==
      "--pack on was given, but 5 heads a KV head divide no tile of 64 or 128 rows (192 for head dimensions up to 64) "
      "into a divisor of the query block 128; use --pack off");
}

TEST_CASE("a prediction counts the steps of all rows, or those of the longest where it is waited for") {
  HandWrittenBackend backend;
  backend.predicted = Prediction{1, "tensor cores", 2};
  AttentionRequest request;
  request.pool = std::make_shared<ThreadPool>();
  AttentionKernels kernels;
  kernels.code.push_back(backend.compile(request).value());
  AttentionPlan plan;
  plan.shape = {1, 2, 2, 128, 640, 16, 16};
  plan.tile = {64, 64};
  BlockLists lists = *Pattern::parse("dense")->build(plan.shape, 64, 64, 1);
  auto predict = [&](int64_t multiprocessors) { return *kernels.predict(plan, lists, multiprocessors); };
  CHECK(predict(1).microseconds == 2 * 2 * 2 * 10);
  CHECK(predict(4).microseconds == 20);
  CHECK(predict(4).boundBy == "tensor cores");
  CHECK(predict(132).microseconds == 20);
  CHECK(predict(132).boundBy == "the longest row");
  kernels.split = SplitPlan::create(lists, plan.shape, plan.tile, 5, {}).value();
  CHECK(predict(132).microseconds == 4);
  CHECK(predict(10).microseconds == 8);
  kernels.code[0].predicted.reset();
  CHECK_FALSE(kernels.predict(plan, lists, 1));
}

TEST_CASE("where no block is given the pattern decides, and lists take 128x128") {
  AttentionOptions options;
  options.device = "cpu";
  auto plan = [&](const char *pattern, int64_t headDim) {
    options.pattern = pattern;
    options.headDim = headDim;
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(made.has_value());
    CHECK(made->tile == AttentionTile{made->queryBlock, made->keyBlock});
    return made->tile;
  };
  CHECK(plan("dense", 128) == AttentionTile{128, 176});
  CHECK(plan("causal", 128) == AttentionTile{128, 176});
  CHECK(plan("window:100", 64) == AttentionTile{128, 128});
  CHECK(plan("random:0.1", 64) == AttentionTile{128, 128});
}

TEST_CASE("a pattern is synthesised unless rows run in parts; heads are packed either way") {
  AttentionOptions options;
  options.device = "cpu", options.heads = 8, options.kvHeads = 2, options.queries = 3;
  auto plan = [&] {
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(made.has_value());
    return *made;
  };
  for (const char *split : {"auto", "1"}) {
    options.split = split;
    CHECK(plan().synthesised);
    CHECK(plan().packed == PackedTile{4, 16, 128});
  }
  options.split = "2";
  CHECK_FALSE(plan().synthesised);
  CHECK(plan().packed == PackedTile{4, 16, 128});
}

TEST_CASE("packed heads take blocks of 128x128 where none is given, others the best for the pattern") {
  AttentionOptions options;
  options.device = "cpu", options.headDim = 64, options.heads = 8, options.kvHeads = 2, options.queries = 300;
  auto block = [&] {
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE_MESSAGE(made.has_value(), made.error().render());
    CHECK(made->packed.has_value() == (options.pack == "on"));
    return AttentionTile{made->queryBlock, made->keyBlock};
  };
  options.pack = "on";
  CHECK(block() == AttentionTile{128, 128});
  options.pack = "off";
  CHECK(block() == AttentionTile{192, 128});
}

TEST_CASE("parts are of lists: a pattern is left out where the rule decides on them") {
  HandWrittenBackend backend;
  AttentionRequest request;
  request.pool = std::make_shared<ThreadPool>();
  request.hooks = {{"keep", "j <= i + N - M"}, {"rows", "causal"}};
  AttentionPlan plan;
  plan.shape = {1, 2, 2, 128, 640, 16, 16};
  plan.tile = {64, 64};
  plan.splits = 1;
  BlockLists lists = *Pattern::parse("causal")->build(plan.shape, 64, 64, 1);
  CHECK(compileAttention(plan, request, backend, lists)->hooks == request.hooks);
  plan.splits = 3;
  Expected<AttentionKernels> parts = compileAttention(plan, request, backend, lists);
  REQUIRE_MESSAGE(parts.has_value(), parts.error().render());
  CHECK(parts->splits() == 3);
  request.hooks.pop_back();
  CHECK(parts->hooks == request.hooks);
  CHECK(parts->params.front() == std::pair<std::string, std::string>("BM", "64"));
  AttentionPlan packed = plan;
  packed.shape.kvHeads = 1, packed.packed = PackedTile{2, 64, 64};
  Expected<AttentionKernels> together = compileAttention(packed, request, backend, lists);
  REQUIRE_MESSAGE(together.has_value(), together.error().render());
  CHECK(together->params.front() == std::pair<std::string, std::string>("R", "2"));
  CHECK(together->params[1] == std::pair<std::string, std::string>("BM", "128"));
  CHECK(2 * together->split->programs() == parts->split->programs());
  CHECK(backend.last->hooks.empty()); // of the merge
}
