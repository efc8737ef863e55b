// Programs of one thread block that overlap: each one's first product runs beside the last one of the program before.
// Every case runs several programs on one thread block; then faults are planted where programs meet.
#include "Faults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;
using lacuna::numeric::ListKind;
using lacuna::runtime::DType;

namespace {

/// Five programs, the last one cut off; two warpgroups.
const CaseOptions kCase{.D = 64, .BM = 128, .BN = 32, .M = 530, .N = 170, .mask = "causal"};

WarpKernel compileOverlapped(const numeric::AttentionCase &attention) {
  auto kernel = compileAttention(attention.spec, {{"apart", "0"}});
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  for (auto role : kernel->findAll<warp::RoleOp>())
    REQUIRE(role.spansPrograms());
  return std::move(*kernel);
}

/// All orders of events give the same bits, and they are right: those bits.
std::vector<unsigned char> run(const CaseOptions &options, uint64_t seeds = 3) {
  const numeric::AttentionCase attention = makeCase(options);
  CAPTURE(attention.describe());
  WarpKernel kernel = compileOverlapped(attention);
  AttentionRun run(attention);
  std::vector<unsigned char> first;
  for (const InterpreterOptions &schedule : schedules(seeds)) {
    CAPTURE(schedule.seed);
    auto report = run.interpret(kernel, schedule);
    REQUIRE_MESSAGE(report.has_value(), report.error().render());
    const std::vector<std::string> wrong = run.check();
    CHECK_MESSAGE(wrong.empty(), wrong.front());
    CHECK((first.empty() || first == run.bits()));
    first = run.bits();
  }
  return first;
}

warp::RoleOp roleOf(WarpKernel &kernel, warp::RoleKind kind) {
  for (auto role : kernel.findAll<warp::RoleOp>())
    if (role.getKind() == kind)
      return role;
  return {};
}

/// What `damage` does to the kernel must be reported, or give a wrong result, with one thread block for all programs.
template <class Damage> std::string noticed(Damage damage, const CaseOptions &options = kCase) {
  const numeric::AttentionCase attention = makeCase(options);
  WarpKernel kernel = compileOverlapped(attention);
  AttentionRun run(attention);
  damage(kernel);
  InterpreterOptions schedule;
  schedule.persistentBlocks = 1;
  auto report = run.interpret(kernel, schedule);
  if (!report)
    return report.error().render();
  const std::vector<std::string> wrong = run.check();
  REQUIRE_MESSAGE(!wrong.empty(), "the fault was not noticed");
  return "wrong: " + wrong.front();
}

} // namespace

TEST_CASE("programs that overlap: empty rows first, last and between") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    run({.D = 32, .BN = 32, .M = 300, .N = 170, .mask = "not-self", .lists = ListKind::OneEntry, .seed = seed});
    run({.D = 32,
         .BN = 32,
         .heads = 2,
         .M = 200,
         .N = 101,
         .mask = "not-self",
         .lists = ListKind::Uneven,
         .seed = seed});
  }
  run({.D = 32, .BN = 32, .M = 300, .N = 170, .lists = ListKind::Empty});
  run({.D = 32, .BN = 32, .M = 300, .N = 128, .lists = ListKind::Empty});
}

TEST_CASE("programs that overlap: empty rows where several blocks fill a step, and blocks of several steps") {
  for (ListKind lists : {ListKind::OneEntry, ListKind::Uneven, ListKind::Empty}) {
    run({.D = 32, .BN = 64, .KB = 16, .M = 200, .N = 119, .mask = "thirds", .lists = lists}, 1);
    run({.D = 32, .BN = 32, .QB = 128, .KB = 96, .M = 300, .N = 290, .mask = "causal", .lists = lists}, 1);
  }
}

TEST_CASE("programs that overlap: rows that no band meets") {
  CaseOptions cases[] = {
      {.D = 32, .BN = 32, .heads = 2, .kvHeads = 2, .M = 300, .N = 119, .mask = "causal"}, // first of each head
      {.D = 32, .BM = 128, .BN = 64, .KB = 16, .M = 530, .N = 70, .mask = "causal"},
      {.D = 32, .BN = 32, .QB = 128, .KB = 96, .M = 400, .N = 128, .mask = "window:40:5"},
      {.D = 32, .BN = 32, .M = 300, .N = 1, .mask = "library-window"},
  };
  for (CaseOptions &options : cases) {
    const std::vector<unsigned char> listed = run(options, 1);
    options.synthesised = true;
    CHECK(run(options) == listed);
  }
}

TEST_CASE("programs that overlap: a row that no band meets, without its step of padding") {
  const CaseOptions options{.D = 32, .BN = 32, .M = 300, .N = 119, .mask = "causal", .synthesised = true};
  checkSays(noticed(
                [](WarpKernel &kernel) {
                  auto bands = kernel.find<warp::ListBandsOp>();
                  REQUIRE(bands.getNonempty());
                  bands.setNonempty(false);
                },
                options),
            {"step 0 of a list that has 0"});
}

TEST_CASE("programs that overlap: one step each, only masked steps, only full ones") {
  run({.D = 64, .BN = 64, .M = 400, .N = 64});
  run({.D = 64, .BN = 64, .M = 400, .N = 40});
  run({.D = 64, .BM = 128, .BN = 64, .M = 400, .N = 60, .mask = "causal"});
  run({.D = 32, .BN = 32, .heads = 2, .M = 130, .N = 128});
  run(kCase);
}

TEST_CASE("programs that overlap: widths, types, three warpgroups, turns") {
  run({.dtype = DType::F16, .D = 128, .BM = 128, .BN = 128, .M = 300, .N = 257, .mask = "window:40:5"}, 1);
  run({.D = 64, .BM = 192, .BN = 64, .heads = 2, .M = 200, .N = 150, .mask = "causal"}, 1);
  run({.D = 64, .BM = 128, .BN = 112, .M = 300, .N = 360, .mask = "causal"}, 2);
  run({.D = 40, .DV = 72, .heads = 2, .M = 130, .N = 90, .score = "library-softcap"}, 1);
}

TEST_CASE("programs that overlap: fewer programs than thread blocks") {
  const numeric::AttentionCase attention = makeCase({.D = 32, .BN = 32, .M = 60, .N = 70});
  WarpKernel kernel = compileOverlapped(attention);
  AttentionRun run(attention);
  InterpreterOptions options;
  options.persistentBlocks = 3;
  auto report = run.interpret(kernel, options);
  REQUIRE_MESSAGE(report.has_value(), report.error().render());
  CHECK(run.check().empty());
}

TEST_CASE("programs that overlap: the first fill left out") {
  checkSays(noticed([](WarpKernel &kernel) {
              mlir::Block &enter = roleOf(kernel, warp::RoleKind::Producer).getEnter().front();
              for (auto fill : llvm::make_early_inc_range(enter.getOps<warp::RingFillOp>()))
                fill.erase();
            }),
            {"deadlock", "waits at warp.ring_wait", "fill 0 of ring 'v'"});
}

TEST_CASE("programs that overlap: the end of a program at the place of the next") {
  checkSays(noticed([](WarpKernel &kernel) {
              warp::RoleOp role = roleOf(kernel, warp::RoleKind::Consumer);
              auto tiles = kernel.find<warp::ForTilesOp>();
              warp::StoreGlobalOp store = kernel.find<warp::StoreGlobalOp>();
              REQUIRE(role.getBody().isAncestor(store->getParentRegion()));
              mlir::OpBuilder builder(store);
              mlir::Value rows = builder.create<mlir::arith::ConstantIntOp>(store.getLoc(), 128, 32);
              store.getIndicesMutable()[2].assign(
                  builder.create<mlir::arith::MulIOp>(store.getLoc(), tiles.getCoordinates()[0], rows).getResult());
            }),
            {"wrong: "});
}

TEST_CASE("programs that overlap: an end without a program") {
  checkSays(noticed([](WarpKernel &kernel) {
              mlir::Operation *yield = &roleOf(kernel, warp::RoleKind::Consumer).getEnter().front().back();
              mlir::OpBuilder builder(yield);
              mlir::Value yes = builder.create<mlir::arith::ConstantIntOp>(yield->getLoc(), 1, 1);
              yield->setOperand(yield->getNumOperands() - 1, yes);
              // Where the empty program would store: in a row of its own.
              auto store = kernel.find<warp::StoreGlobalOp>();
              mlir::OpBuilder before(store);
              store.getIndicesMutable()[0].assign(
                  before.create<mlir::arith::ConstantIntOp>(store.getLoc(), 1, 32).getResult());
            }),
            {"lies outside the view"});
}

TEST_CASE("programs that overlap: the slot of the last product not given back") {
  auto eraseRelease = [](mlir::Block &block) {
    for (auto product : block.getOps<warp::WgmmaRsOp>())
      for (mlir::Operation *user : llvm::make_early_inc_range(product.getB().getUsers()))
        if (mlir::isa<warp::RingReleaseOp>(user))
          user->erase();
  };
  checkSays(
      noticed([&](WarpKernel &kernel) { eraseRelease(roleOf(kernel, warp::RoleKind::Consumer).getBody().front()); }),
      {"deadlock", "the slot of fill 2 of ring 'v' (slot 0) to be empty"});
  checkSays(
      noticed([&](WarpKernel &kernel) { eraseRelease(roleOf(kernel, warp::RoleKind::Consumer).getLeave().front()); }),
      {"of ring 'v'", "is never released by consumer warpgroup"});
}

TEST_CASE("programs that overlap: the operand of the last product packed too early") {
  checkSays(noticed([](WarpKernel &kernel) {
              mlir::Block &body = roleOf(kernel, warp::RoleKind::Consumer).getBody().front();
              for (auto pack : llvm::make_early_inc_range(body.getOps<warp::PackAFragOp>())) {
                auto rounding = pack.getX().getDefiningOp<mlir::arith::TruncFOp>();
                auto wait = rounding.getIn().getDefiningOp<warp::WgmmaWaitOp>();
                rounding.getInMutable().assign(wait.getCarry()[0]);
                rounding->moveBefore(wait);
                pack->moveBefore(wait);
              }
            }),
            {"warp.pack_afrag packs an A operand while a wgmma is in flight"});
}
