// Kernels for sm_80 on the interpreter: what breaks them is noticed, by a report or by a wrong result. That the kernels
// as they are give right results in every order of events, the test interpreter.sm_80 shows.
#include "Harness.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

#include <doctest/doctest.h>

#include <functional>

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

struct ForSm80 {
  Target before = testTarget();
  ForSm80() { testTarget() = Target::Sm80; }
  ~ForSm80() { testTarget() = before; }
};

/// Several steps, partial and full ones, runs of half a tile, a last column chunk that is part-filled.
const CaseOptions kCase{.D = 80, .BM = 128, .BN = 32, .KB = 16, .M = 260, .N = 170, .mask = "causal"};

/// The message of the first order of events that reports `kernel`, or what is wrong with its result; empty: nothing is.
std::string findFault(WarpKernel &kernel, AttentionRun &run) {
  for (const InterpreterOptions &schedule : schedules(3)) {
    auto report = run.interpret(kernel, schedule);
    if (!report)
      return report.error().render();
    if (auto wrong = run.check(); !wrong.empty())
      return wrong.front();
  }
  return "";
}

/// Damages each `Op` by itself; `wanted`: a part of the message, or empty.
template <class Op> void checkAllNoticed(const std::function<bool(Op)> &damage, std::string_view wanted = {}) {
  ForSm80 target;
  const numeric::AttentionCase attention = makeCase(kCase);
  AttentionRun run(attention);
  size_t damaged = 0;
  for (size_t index = 0;; ++index) {
    auto kernel = compileAttention(attention.spec);
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
    Op op = kernel->find<Op>(index);
    if (!op)
      break;
    if (!damage(op))
      continue;
    ++damaged;
    const std::string fault = findFault(*kernel, run);
    CAPTURE(index);
    CAPTURE(fault);
    CHECK(!fault.empty());
    CHECK(fault.find(wanted) != std::string::npos);
  }
  CHECK(damaged > 0);
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
  CHECK(findFault(*kernel, run) == "");
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
