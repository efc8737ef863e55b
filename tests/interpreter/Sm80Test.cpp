// Kernels for sm_80 on the interpreter: what breaks them is noticed, by a report or by a wrong result. That the kernels
// as they are give right results in every order of events, the test interpreter.sm_80 shows.
#include "Faults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

struct ForSm80 {
  Target before = testTarget();
  ForSm80() { testTarget() = Target::Sm80; }
  ~ForSm80() { testTarget() = before; }
};

constexpr uint64_t kSeeds = 3;

/// Several steps, partial and full ones, runs of half a tile, a last column chunk that is part-filled.
const CaseOptions kCase{.D = 80, .BM = 128, .BN = 32, .KB = 16, .M = 260, .N = 170, .mask = "causal"};

/// Damages each `Op` by itself; `wanted`: a part of the message, or empty.
template <class Op> void checkAllNoticed(const std::function<bool(Op)> &damage, std::string_view wanted = {}) {
  ForSm80 target;
  interpreter_tests::checkAllNoticed<Op>(kCase, kSeeds, damage, wanted);
}

} // namespace

TEST_CASE("sm_80: the kernel is made of copies by threads and products by warps, and is right") {
  ForSm80 target;
  const numeric::AttentionCase attention = makeCase(kCase);
  auto kernel = compileAttention(attention.spec);
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  CHECK(kernel->find<warp::AsyncLoadOp>());
  CHECK(kernel->find<warp::MmaSyncOp>());
  CHECK(!kernel->find<warp::TmaLoadOp>());
  CHECK(!kernel->find<warp::WgmmaSsOp>());
  CHECK(!kernel->find<warp::ForTilesOp>());
  AttentionRun run(attention);
  CHECK(findFault(*kernel, run, kSeeds) == "");
}

TEST_CASE("sm_80: a release left out") {
  checkAllNoticed<warp::RingReleaseOp>([](warp::RingReleaseOp op) { return op.erase(), true; });
}

TEST_CASE("sm_80: a fill left out") {
  checkAllNoticed<warp::RingFillOp>([](warp::RingFillOp op) { return op.erase(), true; });
}

TEST_CASE("sm_80: a slot handed back before the product that reads it") {
  checkAllNoticed<warp::MmaSyncOp>(
      [](warp::MmaSyncOp op) {
        for (mlir::Operation *user : op.getB().getUsers())
          if (auto release = mlir::dyn_cast<warp::RingReleaseOp>(user))
            return release->moveBefore(op), true;
        return false;
      },
      "after giving it back");
}

TEST_CASE("sm_80: an operand read in the other direction") {
  checkAllNoticed<warp::MmaSyncOp>([](warp::MmaSyncOp op) {
    // Where both directions fit the shapes' sizes, the product is wrong; elsewhere it reads past the tile.
    warp::SlotType b = op.getB().getType();
    const bool square = b.getRows() == b.getColumns() || op.getTransB();
    return square && (op.setTransB(!op.getTransB()), true);
  });
}

TEST_CASE("sm_80: a product that forgets what was summed before") {
  checkAllNoticed<warp::MmaSyncOp>([](warp::MmaSyncOp op) {
    const bool sums = op.getAcc() != nullptr;
    op.getAccMutable().clear();
    return sums;
  });
}

TEST_CASE("sm_80: a copy that lands in another place, or comes from one") {
  checkAllNoticed<warp::AsyncLoadOp>([](warp::AsyncLoadOp op) {
    const bool second = op.getSlotRow() > 0; // of the two runs of a step
    if (second)
      op.setSlotRow(0);
    return second;
  });
  checkAllNoticed<warp::AsyncLoadOp>([](warp::AsyncLoadOp op) {
    op.getIndicesMutable()[2].assign(op.getIndices()[0]);
    return true;
  });
}

TEST_CASE("sm_80: a copy of 16 bytes that are not aligned") {
  checkAllNoticed<warp::AsyncLoadOp>(
      [](warp::AsyncLoadOp op) {
        mlir::OpBuilder builder(op->getParentOp());
        mlir::Value four = builder.create<mlir::arith::ConstantIntOp>(op.getLoc(), 4, 32);
        op.getIndicesMutable()[3].assign(four);
        return true;
      },
      "copies from innermost position 4, no multiple of 8");
}
