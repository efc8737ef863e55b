// Faults planted into a kernel that is right: each must be reported, with a message that says what and where.
#include "Harness.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

// Programs stay apart; ProgramsTest has what can go wrong where they meet.
// One program of two warpgroups and three steps, two partial and one full; rings k and v have two slots.
const CaseOptions kCase{.D = 64, .BM = 128, .BN = 64, .M = 100, .N = 190, .mask = "causal"};

WarpKernel compileCase(const CaseOptions &options = kCase) {
  auto kernel = compileAttention(makeCase(options).spec, {{"apart", "1"}});
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  return std::move(*kernel);
}

Error faultOf(WarpKernel &kernel, const InterpreterOptions &options = {}, const CaseOptions &given = kCase) {
  auto report = AttentionRun(makeCase(given)).interpret(kernel, options);
  REQUIRE_MESSAGE(!report.has_value(), "the fault was not noticed");
  return report.error();
}

void checkSays(const Error &fault, std::initializer_list<const char *> parts) {
  CHECK(fault.code == ErrorCode::VerifyError);
  const std::string text = fault.render();
  CAPTURE(text);
  for (const char *part : parts)
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
}

std::string ringName(mlir::Value ring) {
  return ring.getDefiningOp<warp::RingCreateOp>().getName().str();
}
std::string ringOf(mlir::Value slot) {
  if (auto wait = slot.getDefiningOp<warp::RingWaitOp>())
    return ringName(wait.getRing());
  return ringName(slot.getDefiningOp<warp::RingAcquireOp>().getRing());
}
std::vector<warp::RingReleaseOp> releasesOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingReleaseOp> found = kernel.findAll<warp::RingReleaseOp>();
  std::erase_if(found, [&](warp::RingReleaseOp op) { return ringOf(op.getSlot()) != ring; });
  return found;
}
std::vector<warp::RingWaitOp> waitsOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingWaitOp> found = kernel.findAll<warp::RingWaitOp>();
  std::erase_if(found, [&](warp::RingWaitOp op) { return ringName(op.getRing()) != ring; });
  return found;
}
std::vector<warp::RingFillOp> fillsOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingFillOp> found = kernel.findAll<warp::RingFillOp>();
  std::erase_if(found, [&](warp::RingFillOp op) { return ringOf(op.getSlot()) != ring; });
  return found;
}
mlir::Value constant(mlir::Operation *before, int32_t value) {
  mlir::OpBuilder builder(before);
  return builder.create<mlir::arith::ConstantIntOp>(before->getLoc(), value, 32);
}
/// The wgmma_wait that stands before `op` in its block.
warp::WgmmaWaitOp waitBefore(mlir::Operation *op) {
  for (op = op->getPrevNode(); op; op = op->getPrevNode())
    if (auto wait = mlir::dyn_cast<warp::WgmmaWaitOp>(op))
      return wait;
  return {};
}
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

//===--------------------------------------------------------------------------------------------------------------===//
// Bands
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Rings
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// Turns and named barriers
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("turns that are right pass") {
  WarpKernel kernel = compileCase();
  addTurns(kernel);
  AttentionRun run(makeCase(kCase));
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
  CHECK(AttentionRun(makeCase(kCase)).interpret(fits, {}).has_value());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Shared tiles that leave by TMA
//===--------------------------------------------------------------------------------------------------------------===//

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
// Operands in shared tiles
//===--------------------------------------------------------------------------------------------------------------===//

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
