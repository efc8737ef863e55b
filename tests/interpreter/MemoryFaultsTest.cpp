// Faults of shared tiles that leave by TMA, of views and steps, and a run that does not end.
#include "Faults.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

// Three programs of one thread block, which write the same shared tile one after the other.
const CaseOptions kPrograms{.D = 64, .BM = 128, .BN = 64, .M = 300, .N = 100};

/// Every order of events notices the same fault.
void checkAlwaysSays(WarpKernel &kernel, std::initializer_list<const char *> parts) {
  for (InterpreterOptions schedule : schedules(4)) {
    schedule.persistentBlocks = 1;
    checkSays(faultOf(kernel, schedule, kPrograms), parts);
  }
}

} // namespace

TEST_CASE("a shared tile that is right passes, and leaves by TMA") {
  WarpKernel kernel = compileCase(kPrograms);
  AttentionRun run(makeCase(kPrograms));
  for (const InterpreterOptions &schedule : schedules(4)) {
    auto report = run.interpret(kernel, schedule);
    REQUIRE_MESSAGE(report.has_value(), report.error().render());
    CHECK(report->stores == 3 * 2); // a box for each warpgroup of each program
    CHECK(run.check().empty());
  }
}

TEST_CASE("a shared tile copied without a fence") {
  WarpKernel kernel = compileCase(kPrograms);
  kernel.find<warp::FenceAsyncOp>().erase();
  checkAlwaysSays(kernel, {"consumer warpgroup", "warp.tma_store reads shared memory byte", "asynchronously, which",
                           "wrote without a warp.fence_async after it"});
  WarpKernel early = compileCase(kPrograms);
  early.find<warp::FenceAsyncOp>()->moveBefore(early.find<warp::StoreSharedOp>());
  checkAlwaysSays(early, {"warp.tma_store reads shared memory byte", "wrote without a warp.fence_async after it"});
}

TEST_CASE("a copy issued before the other threads have written") {
  WarpKernel kernel = compileCase(kPrograms);
  REQUIRE(kernel.findAll<warp::WarpgroupSyncOp>().size() == 2);
  kernel.find<warp::WarpgroupSyncOp>(1).erase();
  checkAlwaysSays(kernel, {"warp.tma_store reads shared memory byte", "asynchronously, and no barrier orders the write",
                           "and fence of consumer warpgroup"});
  WarpKernel early = compileCase(kPrograms);
  early.find<warp::WarpgroupSyncOp>(1)->moveBefore(early.find<warp::FenceAsyncOp>());
  checkAlwaysSays(early, {"warp.tma_store reads shared memory byte", "and no barrier orders the write"});
}

TEST_CASE("a shared tile written again while its copy reads it") {
  WarpKernel kernel = compileCase(kPrograms);
  kernel.find<warp::TmaStoreWaitOp>().erase();
  checkAlwaysSays(kernel,
                  {"program 1: warp.store_shared writes a shared tile that a copy to global memory may still be "
                   "reading; wait for it first (warp.tma_store_wait)"});
  WarpKernel untold = compileCase(kPrograms);
  untold.find<warp::WarpgroupSyncOp>(0).erase();
  checkAlwaysSays(untold,
                  {"program 1: warp.store_shared writes a shared tile before all threads know that its copy has "
                   "read it: no barrier stands behind the wait (warp.warpgroup_sync)"});
}

//===--------------------------------------------------------------------------------------------------------------===//
// Memory, limits, ops
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("a store outside the view") {
  WarpKernel kernel = compileCase();
  auto store = kernel.find<warp::StoreGlobalOp>();
  store.getIndicesMutable()[0].assign(constant(store, 1));
  checkSays(faultOf(kernel), {"warp.store_global writes [1, 0, 0], which lies outside the view"});
  WarpKernel copied = compileCase();
  auto copy = copied.find<warp::TmaStoreOp>();
  copy.getIndicesMutable()[1].assign(constant(copy, 1));
  checkSays(faultOf(copied), {"warp.tma_store copies to position 1 of axis 1, which lies outside the view"});
}

TEST_CASE("a copy from a position that the machine refuses") {
  // Lowering moves a load that starts past the end; a store stays where it is.
  WarpKernel stored = compileCase();
  auto store = stored.find<warp::TmaStoreOp>();
  store.getIndicesMutable()[3].assign(constant(store, 72));
  checkSays(faultOf(stored), {"warp.tma_store copies a box at innermost position 72, past the view's 64"});
}

TEST_CASE("a step that the list does not have") {
  WarpKernel kernel = compileCase();
  auto step = kernel.find<warp::ListStepOp>();
  step.getIndexMutable().assign(constant(step, 3));
  checkSays(faultOf(kernel), {"warp.list_step asks for step 3 of a list that has 3"});
}

TEST_CASE("a kernel that does not end, and an op that is not known") {
  WarpKernel kernel = compileCase();
  InterpreterOptions options;
  options.stepLimit = 50;
  CHECK(faultOf(kernel, options).code == ErrorCode::ResourceExhausted);
  auto release = releasesOf(kernel, "q").at(0);
  mlir::OpBuilder builder(release);
  builder.create<mlir::math::CtPopOp>(release.getLoc(), constant(release, 1));
  const Error unknown = faultOf(kernel);
  CHECK(unknown.code == ErrorCode::Unsupported);
  CHECK(unknown.message.find("math.ctpop is not known to the interpreter") != std::string::npos);
}

TEST_CASE("a fault names its place in the text") {
  WarpKernel kernel = compileCase();
  releasesOf(kernel, "q").at(0)->moveBefore(kernel.find<warp::WgmmaSsOp>());
  const Error fault = faultOf(kernel);
  CHECK(fault.location.starts_with("warp.opt:"));
  CHECK(fault.message.starts_with("thread block (0, 0, 0), consumer warpgroup 0"));
}
