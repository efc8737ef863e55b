// The library's attention kernel, interpreted over a grid of shapes, tiles, lists and hooks. Each case is checked
// against float64 once; every other order of events must give the same bits.
#include "Harness.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::interpreter_tests;
using lacuna::numeric::ListKind;
using lacuna::runtime::DType;

namespace {

/// The bits of the result.
std::vector<unsigned char> run(const numeric::AttentionCase &attention, uint64_t seeds) {
  CAPTURE(attention.describe());
  auto kernel = compileAttention(attention.spec);
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  AttentionRun run(attention);
  std::vector<unsigned char> first;
  for (const InterpreterOptions &schedule : schedules(seeds)) {
    CAPTURE(static_cast<int>(schedule.schedule));
    CAPTURE(schedule.seed);
    auto report = run.interpret(*kernel, schedule);
    REQUIRE_MESSAGE(report.has_value(), report.error().render());
    if (!first.empty()) {
      CHECK(run.bits() == first);
      continue;
    }
    first = run.bits();
    const std::vector<std::string> wrong = run.check();
    CHECK_MESSAGE(wrong.empty(), wrong.front());
  }
  return first;
}

void runCase(const CaseOptions &options, uint64_t seeds = 2) {
  run(makeCase(options), seeds);
}

} // namespace

TEST_CASE("head dimensions, with partly filled chunks and k-steps") {
  for (int64_t width : {16, 40, 64, 80, 128})
    for (DType dtype : {DType::BF16, DType::F16})
      runCase(
          {.dtype = dtype, .D = width, .BN = 32, .M = 77, .N = 101, .mask = "causal", .seed = 1000u + uint64_t(width)},
          1);
}

TEST_CASE("one to three consumer warpgroups") {
  runCase({.D = 64, .BM = 64, .BN = 128, .M = 130, .N = 260});
  runCase({.D = 64, .BM = 128, .BN = 64, .M = 250, .N = 190, .mask = "causal"});
  runCase({.D = 64, .BM = 192, .BN = 64, .M = 200, .N = 150, .mask = "causal"});
  runCase({.D = 128, .BM = 128, .BN = 128, .M = 131, .N = 257, .mask = "window:40:5"}, 1);
}

TEST_CASE("an operand for which registers do not suffice goes through shared memory") {
  auto kernel = compileAttention(makeCase({.D = 64, .BM = 192, .BN = 192}).spec);
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  CHECK(!kernel->find<warp::PackAFragOp>());
  CHECK(kernel->find<warp::StoreSharedOp>());
  runCase({.D = 64, .BM = 192, .BN = 192, .M = 400, .N = 500, .mask = "causal"}, 3);
  runCase({.dtype = DType::F16, .D = 128, .BM = 192, .BN = 128, .M = 70, .N = 400}, 1);
  runCase({.D = 128, .BM = 64, .BN = 176, .M = 130, .N = 400}, 1);
}

TEST_CASE("tiles of keys from 16 to 128") {
  for (int64_t keys : {16, 48, 80, 112, 128})
    runCase({.D = 64, .BN = keys, .M = 65, .N = 2 * keys + 3, .mask = "causal", .seed = uint64_t(keys)}, 1);
}

TEST_CASE("list blocks that span several tiles, or of which several fill one") {
  for (ListKind lists : {ListKind::Uneven, ListKind::Pattern}) {
    runCase({.D = 64, .BM = 64, .BN = 32, .QB = 128, .KB = 96, .M = 200, .N = 290, .mask = "causal", .lists = lists},
            1);
    runCase({.D = 64, .BM = 128, .BN = 128, .KB = 32, .M = 140, .N = 270, .mask = "causal", .lists = lists}, 1);
    runCase({.D = 64, .BM = 128, .BN = 128, .KB = 64, .M = 400, .N = 1000, .lists = lists}, 1);
    runCase({.D = 40, .BM = 64, .BN = 64, .KB = 16, .M = 100, .N = 119, .mask = "thirds", .lists = lists}, 1);
    runCase({.D = 64, .BM = 64, .BN = 96, .KB = 48, .M = 70, .N = 301, .mask = "thirds", .lists = lists}, 1);
  }
}

TEST_CASE("lists of every kind: rows without blocks, partial and full ones, shared ones") {
  uint64_t seed = 7;
  for (ListKind lists : {ListKind::Random, ListKind::Uneven, ListKind::Shared, ListKind::PerHead, ListKind::PerBatch,
                         ListKind::OneEntry, ListKind::Empty})
    runCase({.D = 32,
             .BM = 64,
             .BN = 32,
             .batch = 2,
             .heads = 2,
             .M = 130,
             .N = 170,
             .mask = "not-self",
             .lists = lists,
             .seed = seed++});
}

TEST_CASE("groups of query heads, other widths of V") {
  runCase({.D = 64, .DV = 32, .batch = 1, .heads = 4, .kvHeads = 2, .M = 66, .N = 90, .mask = "by-head"}, 1);
  runCase({.dtype = DType::F16, .D = 40, .DV = 72, .BM = 128, .batch = 2, .heads = 2, .kvHeads = 1, .M = 129, .N = 64},
          1);
}

TEST_CASE("packed groups of heads: few queries, ends of both row axes, lists of the KV heads") {
  runCase({.D = 64, .BM = 64, .heads = 8, .kvHeads = 1, .M = 1, .N = 130, .mask = "causal", .packed = true});
  runCase({.D = 64, .BM = 128, .QB = 64, .heads = 8, .kvHeads = 2, .M = 37, .N = 90, .mask = "by-head", .packed = true},
          1);
  runCase({.D = 40, .BM = 192, .QB = 64, .heads = 6, .kvHeads = 2, .M = 70, .N = 101, .mask = "causal", .packed = true},
          1);
  runCase({.dtype = DType::F16,
           .D = 128,
           .BM = 64,
           .QB = 16,
           .batch = 2,
           .heads = 4,
           .kvHeads = 1,
           .M = 50,
           .N = 77,
           .mask = "thirds",
           .score = "library-alibi",
           .packed = true},
          1);
  for (ListKind lists : {ListKind::Random, ListKind::Uneven, ListKind::PerHead, ListKind::OneEntry, ListKind::Empty})
    runCase({.D = 32,
             .BM = 64,
             .BN = 32,
             .QB = 32,
             .batch = 2,
             .heads = 4,
             .kvHeads = 2,
             .M = 75,
             .N = 100,
             .mask = "not-self",
             .lists = lists,
             .packed = true},
            1);
}

TEST_CASE("score hooks") {
  runCase({.D = 64, .M = 70, .N = 140, .mask = "causal", .score = "library-softcap"}, 1);
  runCase({.D = 64, .heads = 2, .kvHeads = 2, .M = 70, .N = 140, .mask = "library-window", .score = "library-alibi"},
          1);
}

TEST_CASE("a single query, a single key") {
  runCase({.D = 64, .M = 1, .N = 1});
  runCase({.D = 64, .BM = 128, .M = 1, .N = 300, .mask = "causal"});
  runCase({.D = 64, .BM = 128, .M = 300, .N = 1});
}

TEST_CASE("a pattern gives the same bits as lists of the same blocks") {
  std::vector<CaseOptions> cases = {
      {.D = 64, .BM = 128, .BN = 64, .batch = 2, .heads = 2, .kvHeads = 1, .M = 150, .N = 190},
      {.D = 16, .BM = 128, .BN = 32, .heads = 2, .kvHeads = 2, .M = 250, .N = 190, .mask = "causal"},
      {.D = 16, .BM = 64, .BN = 32, .QB = 128, .KB = 96, .M = 200, .N = 290, .mask = "window:40:5"},
      {.D = 16, .BM = 128, .BN = 128, .KB = 32, .M = 140, .N = 270, .mask = "causal"},
      {.D = 16, .BM = 64, .BN = 96, .KB = 48, .M = 170, .N = 301, .mask = "library-window"},
      {.D = 16, .BM = 64, .BN = 64, .KB = 16, .M = 100, .N = 119, .mask = "library-symmetric"},
      {.D = 16, .BM = 64, .BN = 32, .M = 200, .N = 90, .mask = "library-chunked"},
      {.D = 16, .BM = 64, .BN = 32, .M = 300, .N = 1, .mask = "causal"},
  };
  for (CaseOptions &options : cases) {
    const std::vector<unsigned char> listed = run(makeCase(options), 1);
    options.synthesised = true;
    CHECK(run(makeCase(options), 3) == listed);
  }
}

TEST_CASE("many orders of events") {
  runCase({.D = 16, .BM = 128, .BN = 16, .M = 140, .N = 120, .mask = "causal"}, 100);
}

TEST_CASE("the specialisations of the numeric tests, with lists and lengths by chance") {
  constexpr int64_t kMostScores = 60000; // of all heads
  size_t cases = 0;
  const std::vector<numeric::AttentionSpec> specs = numeric::attentionSpecs(/*seed=*/1);
  for (size_t index = 0; index < specs.size(); ++index)
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const numeric::AttentionCase attention = numeric::makeAttentionCase(specs[index], 100 * index + seed);
      const runtime::AttentionShape &shape = attention.shape;
      if (shape.batch * shape.heads * shape.queries * shape.keys > kMostScores)
        continue;
      run(attention, 1);
      ++cases;
      break;
    }
  CHECK(cases > specs.size() / 2);
}
