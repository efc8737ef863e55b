// Faults of lists and rings, planted into a kernel that is right.
#include "Faults.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

TEST_CASE("bands that do not ascend") {
  const CaseOptions windows{
      .D = 64, .BM = 128, .BN = 64, .M = 100, .N = 400, .mask = "window:40:5", .synthesised = true};
  WarpKernel kernel = compileCase(windows);
  auto bands = kernel.find<warp::ListBandsOp>();
  REQUIRE(bands);
  llvm::SmallVector<mlir::Value> bounds(bands.getBounds());
  REQUIRE(bounds.size() == 8);
  std::rotate(bounds.begin(), bounds.begin() + 4, bounds.end());
  bands.getBoundsMutable().assign(bounds);
  checkSays(faultOf(kernel, {}, windows),
            {"warp.list_bands makes a list of bands that do not ascend: block 4 is met by band 0, and band 1 by blocks "
             "before it"});
}

TEST_CASE("a slot never released: deadlock, with who waits for what") {
  WarpKernel kernel = compileCase();
  for (auto release : releasesOf(kernel, "k"))
    release.erase();
  for (const InterpreterOptions &schedule : schedules(3))
    checkSays(faultOf(kernel, schedule),
              {"thread block (0, 0, 0): deadlock", "the producer waits at warp.ring_acquire (warp.opt:",
               "the slot of fill 2 of ring 'k' (slot 0) to be empty: its empty barrier must complete phase 1",
               "has 0 phases complete; the next lacks 8 of 8 arrivals", "consumer warpgroup 0 waits at warp.ring_wait",
               "fill 2 of ring 'k' (slot 0) to land"});
}

TEST_CASE("a slot never released, and nobody needs it again") {
  WarpKernel kernel = compileCase();
  releasesOf(kernel, "q").at(0).erase();
  checkSays(faultOf(kernel), {"fill 0 of ring 'q' (slot 0) is never released by consumer warpgroup 0"});
}

TEST_CASE("a slot released twice") {
  WarpKernel kernel = compileCase();
  auto release = releasesOf(kernel, "q").at(0);
  mlir::OpBuilder(release).clone(*release);
  checkSays(faultOf(kernel), {"warp.ring_release releases fill 0 of ring 'q' (slot 0) a second time"});
}

TEST_CASE("a slot released while a product in flight reads it") {
  for (const char *ring : {"k", "v"}) {
    WarpKernel kernel = compileCase();
    auto release = releasesOf(kernel, ring).back();
    release->moveBefore(waitBefore(release));
    for (const InterpreterOptions &schedule : schedules(3))
      checkSays(faultOf(kernel, schedule), {"consumer warpgroup", "warp.ring_release releases fill", ring,
                                            "while a product in flight still reads it"});
  }
}

TEST_CASE("an earlier slot read in place of a wait") {
  WarpKernel kernel = compileCase();
  auto waits = waitsOf(kernel, "k");
  REQUIRE(waits.size() > 1);
  waits.back().getSlot().replaceAllUsesWith(waits.front().getSlot());
  waits.back().erase();
  checkSays(faultOf(kernel), {"warp.wgmma_ss reads fill 0 of ring 'k' (slot 0) after giving it back"});
}

TEST_CASE("a wait for another fill") {
  WarpKernel kernel = compileCase();
  auto wait = waitsOf(kernel, "v").front();
  wait.getNMutable().assign(constant(wait, 1));
  checkSays(faultOf(kernel), {"warp.ring_wait waits for fill 1 of ring 'v', and the next one to be waited for is 0"});
}

TEST_CASE("a slot filled again while it is full") {
  WarpKernel kernel = compileCase();
  auto acquire = fillsOf(kernel, "k").at(0).getSlot().getDefiningOp<warp::RingAcquireOp>();
  acquire.getNMutable().assign(constant(acquire, 0));
  checkSays(faultOf(kernel), {"the producer", "warp.ring_acquire double fill: acquires fill 0 of ring 'k' (slot 0)",
                              "still holds fill 0", "the next fill of this ring is 1"});
}

TEST_CASE("fills out of order") {
  WarpKernel kernel = compileCase();
  auto acquire = fillsOf(kernel, "v").at(0).getSlot().getDefiningOp<warp::RingAcquireOp>();
  acquire.getNMutable().assign(constant(acquire, 1));
  checkSays(faultOf(kernel),
            {"fills out of order: acquires fill 1 of ring 'v' (slot 1), and the next fill of this ring "
             "is 0"});
}

TEST_CASE("a slot filled twice for one acquire, and filled not at all") {
  WarpKernel twice = compileCase();
  auto fill = fillsOf(twice, "q").at(0);
  mlir::OpBuilder(fill).clone(*fill);
  checkSays(faultOf(twice), {"warp.ring_fill double fill: fills fill 0 of ring 'q' (slot 0), which is being filled"});
  WarpKernel never = compileCase();
  fillsOf(never, "q").at(0).erase();
  checkSays(faultOf(never), {"deadlock", "consumer warpgroup 1 waits at warp.ring_wait",
                             "fill 0 of ring 'q' (slot 0) to land: its full barrier must complete phase 1"});
}

TEST_CASE("transaction bytes that do not match") {
  WarpKernel kernel = compileCase();
  fillsOf(kernel, "v").at(0).setBytes(4096);
  checkSays(faultOf(kernel),
            {"warp.ring_fill the transaction bytes do not match: fill 0 of ring 'v' expects 4096 bytes, "
             "and its 1 boxes bring 8192; the slot would too early count as full"});
}

TEST_CASE("roles that run unequally often") {
  WarpKernel kernel = compileCase();
  auto loop = fillsOf(kernel, "k").at(0)->getParentOfType<mlir::scf::ForOp>();
  loop.getUpperBoundMutable().assign(constant(loop, 2));
  checkSays(faultOf(kernel), {"deadlock", "the producer has ended", "consumer warpgroup 1 waits at warp.ring_wait",
                              "fill 2 of ring 'k' (slot 0) to land"});
}
