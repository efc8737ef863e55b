// Mutants: in every place where an op of a kind stands, the kernel is damaged in the same way. Each mutant must be
// noticed, by a report or by a wrong result.
#include "Faults.h"

using namespace lacuna;
using namespace lacuna::interpreter_tests;

namespace {

/// Partial and full steps, several of each, and three programs for the same thread block.
const CaseOptions kCase{.D = 64, .BM = 128, .BN = 32, .KB = 16, .M = 260, .N = 170, .mask = "causal", .steep = true};

/// The packed kernel: rows of 4 heads x 16 queries, ends of the last tile's queries.
const CaseOptions kPackedCase{.D = 64,
                              .BM = 64,
                              .BN = 32,
                              .QB = 16,
                              .heads = 8,
                              .kvHeads = 2,
                              .M = 21,
                              .N = 40,
                              .mask = "causal",
                              .packed = true};

template <class Op> void checkAllNoticed(const std::function<bool(Op)> &damage, const CaseOptions &options = kCase) {
  interpreter_tests::checkAllNoticed<Op>(options, /*seeds=*/2, damage);
}

template <class Op> bool replaceByOperand(Op op) {
  op->getResult(0).replaceAllUsesWith(op->getOperand(0));
  op->erase();
  return true;
}

} // namespace

TEST_CASE("mutants: a release left out") {
  checkAllNoticed<warp::RingReleaseOp>([](warp::RingReleaseOp op) { return op.erase(), true; });
}

TEST_CASE("mutants: a quad reduction left out") {
  checkAllNoticed<warp::QuadReduceOp>(replaceByOperand<warp::QuadReduceOp>);
}

TEST_CASE("mutants: a rescaling left out") {
  checkAllNoticed<warp::ScaleRowsOp>(replaceByOperand<warp::ScaleRowsOp>);
}

TEST_CASE("mutants: a fill left out") {
  checkAllNoticed<warp::RingFillOp>([](warp::RingFillOp op) { return op.erase(), true; });
}

TEST_CASE("mutants: a commit moved before its product") {
  checkAllNoticed<warp::WgmmaCommitOp>([](warp::WgmmaCommitOp op) {
    mlir::Operation *product = op->getPrevNode();
    op->moveBefore(product);
    return true;
  });
}

TEST_CASE("mutants: an operand read in the other direction") {
  checkAllNoticed<warp::WgmmaSsOp>([](warp::WgmmaSsOp op) { return op.setTransB(!op.getTransB()), true; });
  checkAllNoticed<warp::WgmmaRsOp>([](warp::WgmmaRsOp op) { return op.setTransB(!op.getTransB()), true; });
}

TEST_CASE("mutants: a product that forgets what was summed before") {
  checkAllNoticed<warp::WgmmaRsOp>([](warp::WgmmaRsOp op) { return op.getAccMutable().clear(), true; });
}

TEST_CASE("mutants: a box that lands in another place") {
  checkAllNoticed<warp::TmaLoadOp>([](warp::TmaLoadOp op) {
    // The second run of a step. What the first fill brings, before all programs, nobody looks at.
    const bool second = op.getSlotRow() > 0 && !warp::getRole(op).getEnter().isAncestor(op->getParentRegion());
    if (second)
      op.setSlotRow(0);
    return second;
  });
}

TEST_CASE("mutants: rows stored or numbered from another place") {
  checkAllNoticed<warp::StoreGlobalOp>([](warp::StoreGlobalOp op) {
    op.getIndicesMutable()[2].assign(op.getIndices()[1]);
    return true;
  });
}

TEST_CASE("mutants: the two axes of packed rows, one in the other's place") {
  checkAllNoticed<warp::TmaLoadOp>(
      [](warp::TmaLoadOp op) {
        const uint64_t outer = op.getOuterRows();
        if (outer == 1)
          return false; // keys and values
        op.setOuterRows(op.getRows());
        op.setRows(outer);
        return true;
      },
      kPackedCase);
  checkAllNoticed<warp::StoreGlobalOp>(
      [](warp::StoreGlobalOp op) {
        llvm::SmallVector<int64_t> sizes(op.getSizes());
        std::swap(sizes[1], sizes[2]);
        op.setSizes(sizes);
        return true;
      },
      kPackedCase);
}

TEST_CASE("mutants: a shared tile that leaves to another place, or out of order") {
  checkAllNoticed<warp::TmaStoreOp>([](warp::TmaStoreOp op) {
    op.getIndicesMutable()[2].assign(op.getIndices()[1]);
    return true;
  });
  checkAllNoticed<warp::TmaStoreWaitOp>([](warp::TmaStoreWaitOp op) { return op.erase(), true; });
  checkAllNoticed<warp::WarpgroupSyncOp>([](warp::WarpgroupSyncOp op) { return op.erase(), true; });
  checkAllNoticed<warp::FenceAsyncOp>([](warp::FenceAsyncOp op) { return op.erase(), true; });
}
