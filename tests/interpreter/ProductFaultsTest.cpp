// Faults of products in flight and of their operands, planted into a kernel that is right.
#include "Faults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

TEST_CASE("an accumulator used while a product writes it") {
  WarpKernel kernel = compileCase();
  auto wait = kernel.find<warp::WgmmaWaitOp>();
  wait.getResult(0).replaceAllUsesWith(wait.getInflight()[0]);
  checkSays(faultOf(kernel),
            {"uses an accumulator that a wgmma is still writing; wait for it first (warp.wgmma_wait)"});
}

TEST_CASE("a wait for an earlier group") {
  WarpKernel kernel = compileCase();
  for (auto wait : kernel.findAll<warp::WgmmaWaitOp>()) {
    warp::WgmmaWaitOp before = waitBefore(wait);
    if (!before)
      continue;
    wait.getGroupMutable().assign(before.getGroup());
    checkSays(faultOf(kernel), {"warp.wgmma_wait hands over an accumulator in flight: its product belongs to group"});
    return;
  }
  FAIL("no block waits for two groups");
}

TEST_CASE("a product that is never committed") {
  WarpKernel kernel = compileCase();
  auto commit = kernel.find<warp::WgmmaCommitOp>();
  commit->moveBefore(kernel.find<warp::WgmmaSsOp>());
  checkSays(faultOf(kernel), {"hands over an accumulator in flight: its product was never committed"});
}

TEST_CASE("a product that is never waited for") {
  WarpKernel kernel = compileCase();
  auto wait = kernel.findAll<warp::WgmmaWaitOp>().back();
  auto product = wait.getInflight()[0].getDefiningOp<warp::WgmmaRsOp>();
  REQUIRE(product);
  wait.getResult(0).replaceAllUsesWith(product.getAcc());
  wait.erase();
  releasesOf(kernel, "v").back().erase();
  checkSays(faultOf(kernel), {"warp.wgmma_rs issues a product that is never waited for"});
}

TEST_CASE("an A operand packed while a product runs") {
  WarpKernel kernel = compileCase();
  for (auto pack : kernel.findAll<warp::PackAFragOp>()) {
    auto rounding = pack.getX().getDefiningOp<mlir::arith::TruncFOp>();
    warp::WgmmaWaitOp wait = waitBefore(pack);
    if (!rounding || !wait || wait.getCarry().empty())
      continue;
    rounding.getInMutable().assign(wait.getCarry()[0]);
    rounding->moveBefore(wait);
    pack->moveBefore(wait);
    checkSays(faultOf(kernel), {"warp.pack_afrag packs an A operand while a wgmma is in flight"});
    return;
  }
  FAIL("no A operand is packed behind a wait");
}

TEST_CASE("an A operand redefined while a product reads it") {
  // The steady loop waits for the product of a step only in the next one, and hands on another operand meanwhile.
  WarpKernel kernel = compileCase();
  for (auto loop : kernel.findAll<mlir::scf::ForOp>()) {
    auto products = loop.getBody()->getOps<warp::WgmmaRsOp>();
    if (products.empty())
      continue;
    warp::WgmmaRsOp product = *products.begin();
    auto wait = mlir::cast<warp::WgmmaWaitOp>(*product->getUsers().begin());
    auto release = mlir::cast<warp::RingReleaseOp>(wait->getNextNode());
    auto yield = mlir::cast<mlir::scf::YieldOp>(loop.getBody()->getTerminator());
    for (mlir::OpOperand &yielded : yield->getOpOperands())
      if (auto pack = yielded.get().getDefiningOp<warp::PackAFragOp>()) {
        // The operand is packed ahead of the product: from what the loop began with, as a second copy.
        pack->moveBefore(&loop.getBody()->front());
        pack.getXMutable().assign(
            loop.getInitArgs()[yielded.getOperandNumber()].getDefiningOp<warp::PackAFragOp>().getX());
      }
    wait.getResult(0).replaceAllUsesWith(product.getAcc());
    wait.getResult(1).replaceAllUsesWith(wait.getCarry()[0]);
    wait.erase();
    release.erase();
    checkSays(faultOf(kernel), {"scf.yield redefines an A operand while a product in flight reads it"});
    return;
  }
  FAIL("no loop multiplies an operand that it carries");
}

TEST_CASE("an accumulator in flight that two products take") {
  WarpKernel kernel = compileCase();
  auto product = kernel.find<warp::WgmmaSsOp>();
  mlir::OpBuilder builder(product->getContext());
  builder.setInsertionPointAfter(product);
  for (int copy = 0; copy < 2; ++copy) {
    auto next = mlir::cast<warp::WgmmaSsOp>(builder.clone(*product));
    next.getAccMutable().assign(product.getResult());
  }
  checkSays(faultOf(kernel),
            {"warp.wgmma_ss adds to an accumulator in flight that a later product or a wait has taken"});
}

TEST_CASE("an operand in a shared tile: no fence, no barrier, written while a product reads it") {
  const CaseOptions wide{.D = 64, .BM = 192, .BN = 192, .M = 100, .N = 500};
  auto checkAlways = [&](WarpKernel &kernel, std::initializer_list<const char *> parts) {
    for (const InterpreterOptions &schedule : schedules(2))
      checkSays(faultOf(kernel, schedule, wide), parts);
  };
  WarpKernel unfenced = compileCase(wide);
  for (auto fence : unfenced.findAll<warp::FenceAsyncOp>())
    fence.erase();
  checkAlways(unfenced, {"warp.wgmma_ss reads shared memory byte", "wrote without a warp.fence_async after it"});
  WarpKernel apart = compileCase(wide);
  for (auto sync : apart.findAll<warp::WarpgroupSyncOp>())
    sync.erase();
  checkAlways(apart, {"warp.wgmma_ss reads shared memory byte", "and no barrier orders the write and fence of"});
  WarpKernel early = compileCase(wide);
  auto store = early.findAll<warp::StoreSharedOp>().back();
  warp::WgmmaWaitOp wait = waitBefore(store);
  REQUIRE(!wait.getCarry().empty());
  store.getValue().getDefiningOp<mlir::arith::TruncFOp>().getInMutable().assign(wait.getCarry()[0]);
  store.getValue().getDefiningOp()->moveBefore(wait);
  store->moveBefore(wait);
  checkAlways(early, {"warp.store_shared writes a shared tile while a product in flight still reads it; wait for the "
                      "product first (warp.wgmma_wait)"});
}
