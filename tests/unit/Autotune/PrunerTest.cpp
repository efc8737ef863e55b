#include "TestKernel.h"

#include "lacuna/Autotune/Pruner.h"

using namespace lacuna;
using namespace lacuna::autotune;

TEST_CASE("Pruner: each point that is dropped says why") {
  KernelDescription kernel = test::attentionLike();
  auto pruner = Pruner::create(kernel, {{"D", "128"}, {"T", "bf16"}}, test::h200());
  REQUIRE(pruner);
  Point point = {{"BM", "128"}, {"BN", "128"}};
  Facts fits{.sharedBytes = 200000, .registersNeeded = 196, .registersPresent = 240, .predictedFraction = 1};
  CHECK_FALSE(pruner->judge(point, fits));

  Facts large = fits;
  large.sharedBytes = 240000;
  auto drop = pruner->judge(point, large);
  REQUIRE(drop);
  CHECK(drop->kind == "shared memory");
  CHECK(drop->reason == "needs 240000 bytes of shared memory, a thread block of NVIDIA H200 has 232448");

  Facts wide = fits;
  wide.registersNeeded = 256;
  drop = pruner->judge(point, wide);
  REQUIRE(drop);
  CHECK(drop->kind == "registers");
  CHECK(drop->reason == "accumulators and operands take 256 registers a thread, and there are 240");

  drop = pruner->judge({{"BM", "32"}, {"BN", "128"}}, fits);
  REQUIRE(drop);
  CHECK(drop->kind == "constraint");
  CHECK(drop->reason.find("BM >= 64") != std::string::npos);
}

TEST_CASE("Pruner: a machine with less shared memory drops more") {
  KernelDescription kernel = test::attentionLike();
  MachineLimits small = test::h200();
  small.sharedBytes = 100 * 1024;
  auto pruner = Pruner::create(kernel, {}, small);
  REQUIRE(pruner);
  Facts facts{.sharedBytes = 102401};
  CHECK(pruner->judge({{"BM", "128"}, {"BN", "128"}}, facts)->kind == "shared memory");
  facts.sharedBytes = 102400;
  CHECK_FALSE(pruner->judge({{"BM", "128"}, {"BN", "128"}}, facts));
}

TEST_CASE("Pruner: failures of the analysis are sorted by what they say, without place and caret") {
  Error constraint{ErrorCode::InvalidArgument, "a.tile:4:7: error: the params QB = 128 break this constraint\n  where"};
  CHECK(Pruner::judgeFailure(constraint).kind == "constraint");
  CHECK(Pruner::judgeFailure(constraint).reason == "the params QB = 128 break this constraint");
  CHECK(Pruner::judgeFailure({ErrorCode::CompileFailed, "needs 300 KiB of shared memory"}).kind == "shared memory");
  CHECK(Pruner::judgeFailure({ErrorCode::CompileFailed, "registers do not suffice"}).kind == "registers");
  CHECK(Pruner::judgeFailure({ErrorCode::CompileFailed, "this product has 64 rows"}).kind == "refused");
}

TEST_CASE("Pruner: the cost model drops what can reach less than half of the best") {
  Facts slow{.predictedFraction = 0.45, .boundBy = "copies"}, fair{.predictedFraction = 0.55}, unknown;
  auto drop = Pruner::compare(slow, 1.0);
  REQUIRE(drop);
  CHECK(drop->kind == "cost model");
  CHECK(drop->reason == "can reach 45 % of the peak at most (bound by copies), another point 100 %");
  CHECK_FALSE(Pruner::compare(fair, 1.0));
  CHECK_FALSE(Pruner::compare(unknown, 1.0));
}

TEST_CASE("Pruner: predictions that are nearly equal are ordered by the work of a step") {
  Facts a{.predictedFraction = 0.999, .stepWork = 256}, b{.predictedFraction = 1.0, .stepWork = 352},
      c{.predictedFraction = 0.8, .stepWork = 1000};
  CHECK(predictedBefore(b, a));
  CHECK_FALSE(predictedBefore(a, b));
  CHECK(predictedBefore(a, c));
}

TEST_CASE("Pruner: a condition that names what has no value is an error, not a silent pass") {
  KernelDescription kernel = test::attentionLike();
  kernel.conditions = {"WIDTH < 3"};
  auto pruner = Pruner::create(kernel, {}, test::h200());
  REQUIRE_FALSE(pruner);
  CHECK(pruner.error().render().find("WIDTH") != std::string::npos);
}
