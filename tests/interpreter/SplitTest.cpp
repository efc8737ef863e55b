// Rows in parts and their merge (attention_split.tile), interpreted: both kernels one after the other, against float64.
#include "Harness.h"

#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/Reference.h"
#include "lacuna/Runtime/SplitPlan.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace lacuna;
using namespace lacuna::interpreter_tests;
using namespace lacuna::numeric;
using namespace lacuna::runtime;

namespace {

HostTensor normal(DType dtype, std::vector<int64_t> shape, uint64_t stream) {
  HostTensor tensor = makeTensor(dtype, std::move(shape));
  fillNormal(tensor, 3, stream, pool());
  return tensor;
}

/// Both kernels in every schedule; `splits` parts of the longest row.
void run(const CaseOptions &options, int64_t splits) {
  const AttentionCase attention = makeCase(options);
  const AttentionSpec &spec = attention.spec;
  const AttentionShape &shape = attention.shape;
  CAPTURE(attention.describe());
  Names params = paramsOf(spec);
  params["BM"] = fmt::format("{}", spec.tile.queries);
  auto parts = WarpKernel::compile("attention_split.tile", params, hooksOf(spec), "attention_parts");
  REQUIRE_MESSAGE(parts, parts.error().render());
  auto merge = WarpKernel::compile("attention_split.tile", params, {}, "attention_merge");
  REQUIRE_MESSAGE(merge, merge.error().render());

  const BlockLists lists = makeLists(attention).value();
  const HostTensor q = normal(spec.dtype, {shape.batch, shape.heads, shape.queries, shape.headDim}, 0),
                   k = normal(spec.dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}, 1),
                   v = normal(spec.dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}, 2);
  const GuardedTensor qIn(q, Layout::withGaps(q.shape(), 1)), kIn(k, Layout::withGaps(k.shape(), 1)),
      vIn(v, Layout::withGaps(v.shape(), 2));
  GuardedTensor o(spec.dtype, Layout::withGaps({shape.batch, shape.heads, shape.queries, shape.valueDim}, 1));
  GuardedTensor lse(DType::F32, Layout::withGaps({shape.batch, shape.heads, shape.queries}, 1));
  const PackedTile tile = spec.packed.value_or(PackedTile{1, spec.tile.queries, spec.tile.keys});
  auto plan = SplitPlan::create(lists, shape, {tile.queries, tile.keys}, splits, {}, tile.heads);
  REQUIRE_MESSAGE(plan, plan.error().render());
  HostTensor workspace = makeTensor(DType::F32, {static_cast<int64_t>(plan->workspaceBytes() / sizeof(float))});
  auto view = [](const GuardedTensor &tensor) { return std::get<TensorView>(input(tensor)); };
  const float scale = 0.125f;
  const auto partsArguments =
      plan->partsArguments(plan->tables().data(), workspace.data(), view(qIn), view(kIn), view(vIn), scale);
  const auto mergeArguments =
      plan->mergeArguments(plan->tables().data(), workspace.data(), o.hostView(), lse.hostView());

  AttentionProblem problem;
  problem.shape = shape;
  problem.q = &q, problem.k = &k, problem.v = &v;
  const BlockLists ofHeads = listsOfHeads(shape, lists);
  problem.lists = &ofHeads;
  problem.scale = scale;
  if (spec.mask->keeps)
    problem.keep = [&](int64_t b, int64_t h, int64_t i, int64_t j) { return spec.mask->keeps(shape, b, h, i, j); };
  if (spec.score->score)
    problem.score = [&](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
      return spec.score->score(shape, s, b, h, i, j);
    };
  std::vector<unsigned char> first;
  for (const InterpreterOptions &schedule : schedules(2)) {
    std::memset(workspace.data(), 0xff, workspace.bytes());
    o.poison();
    lse.poison();
    auto report = interpretWarp(parts->func(), parts->metadata, partsArguments, schedule);
    REQUIRE_MESSAGE(report, report.error().render());
    report = interpretWarp(merge->func(), merge->metadata, mergeArguments, schedule);
    REQUIRE_MESSAGE(report, report.error().render());
    CHECK(!o.findStrayWrite());
    CHECK(!lse.findStrayWrite());
    if (first.empty()) {
      first = o.memory();
      auto check = checkAttention(problem, o.gather(), lse.gather(), pool());
      REQUIRE(check);
      CHECK_MESSAGE(check->passed, (check->reasons.empty() ? "" : check->reasons[0]));
    }
    CHECK(o.memory() == first);
  }
}

} // namespace

TEST_CASE("rows in parts, merged") {
  run({.D = 64, .BM = 64, .BN = 32, .M = 70, .N = 500, .mask = "causal"}, 4);
  run({.dtype = DType::F16, .D = 128, .BM = 128, .BN = 64, .M = 3, .N = 700}, 5);
  run({.D = 40,
       .DV = 72,
       .BM = 64,
       .BN = 64,
       .KB = 16,
       .heads = 2,
       .M = 65,
       .N = 301,
       .mask = "thirds",
       .lists = ListKind::Uneven},
      3);
  run({.D = 64,
       .BM = 64,
       .BN = 32,
       .QB = 128,
       .KB = 64,
       .batch = 2,
       .heads = 2,
       .M = 200,
       .N = 190,
       .lists = ListKind::PerHead},
      7);
  run({.D = 16, .BM = 64, .BN = 16, .M = 64, .N = 90, .lists = ListKind::OneEntry}, 2);
}

TEST_CASE("packed heads in parts, merged: ends of both row axes, lists of the KV heads") {
  run({.D = 64, .BM = 64, .BN = 32, .QB = 64, .heads = 8, .kvHeads = 1, .M = 1, .N = 300, .packed = true}, 4);
  run({.dtype = DType::F16,
       .D = 64,
       .BM = 128,
       .BN = 32,
       .QB = 64,
       .batch = 2,
       .heads = 8,
       .kvHeads = 2,
       .M = 37,
       .N = 290,
       .mask = "by-head",
       .score = "library-alibi",
       .packed = true},
      3);
  run({.D = 32,
       .BM = 128,
       .BN = 64,
       .QB = 64,
       .KB = 32,
       .heads = 4,
       .kvHeads = 2,
       .M = 70,
       .N = 301,
       .mask = "causal",
       .lists = ListKind::PerHead,
       .packed = true},
      5);
}
