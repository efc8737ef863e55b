// Turns and named barriers: right ones pass, faults planted into them are noticed.
#include "Faults.h"

#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

/// Every turn is taken before the first product of a step and passed on after it is committed.
void addTurns(WarpKernel &kernel) {
  for (auto product : kernel.findAll<warp::WgmmaSsOp>()) {
    mlir::OpBuilder builder(product);
    builder.create<warp::TurnWaitOp>(product.getLoc());
    mlir::Operation *commit = product;
    while (!mlir::isa<warp::WgmmaCommitOp>(commit))
      commit = commit->getNextNode();
    builder.setInsertionPointAfter(commit);
    builder.create<warp::TurnPassOp>(product.getLoc());
  }
}

} // namespace

TEST_CASE("turns that are right pass") {
  WarpKernel kernel = compileCase();
  addTurns(kernel);
  AttentionRun run(makeCase(kFaultCase));
  for (const InterpreterOptions &schedule : schedules(8)) {
    auto report = run.interpret(kernel, schedule);
    REQUIRE_MESSAGE(report.has_value(), report.error().render());
    CHECK(run.check().empty());
  }
}

TEST_CASE("turns that are not passed on, or passed on twice") {
  WarpKernel kept = compileCase();
  addTurns(kept);
  for (auto pass : kept.findAll<warp::TurnPassOp>())
    pass.erase();
  checkSays(faultOf(kept), {"deadlock", "consumer warpgroup 1 waits at warp.turn_wait",
                            "named barrier 3: 128 of 256 threads have arrived"});
  WarpKernel twice = compileCase();
  addTurns(twice);
  auto pass = twice.findAll<warp::TurnPassOp>().front();
  mlir::OpBuilder(pass).clone(*pass);
  checkSays(faultOf(twice), {"warp.turn_pass all 256 threads arrive and none waits"});
  WarpKernel more = compileCase();
  addTurns(more);
  auto wait = more.findAll<warp::TurnWaitOp>().front();
  wait.erase();
  for (const InterpreterOptions &schedule : schedules(3))
    CHECK(faultOf(more, schedule).code == ErrorCode::VerifyError);
}

TEST_CASE("named barriers with counts that do not fit") {
  auto plant = [](int64_t id, int64_t threads, bool waits) {
    WarpKernel kernel = compileCase();
    auto release = releasesOf(kernel, "q").at(0);
    mlir::OpBuilder builder(release);
    if (waits)
      builder.create<warp::NamedBarrierSyncOp>(release.getLoc(), id, threads);
    else
      builder.create<warp::NamedBarrierArriveOp>(release.getLoc(), id, threads);
    return kernel;
  };
  WarpKernel few = plant(5, 384, true);
  checkSays(faultOf(few), {"deadlock", "waits at warp.named_barrier_sync", "named barrier 5: 256 of 384 threads"});
  WarpKernel many = plant(5, 160, true);
  checkSays(faultOf(many), {"128 threads arrive at a barrier for 160, where 128 have arrived already"});
  WarpKernel left = plant(6, 512, false);
  checkSays(faultOf(left), {"named barrier 6 keeps arrivals at the end: 256 of 512 threads have arrived"});
  WarpKernel fits = plant(5, 256, true);
  CHECK(AttentionRun(makeCase(kFaultCase)).interpret(fits, {}).has_value());
}
