// How often places in a role's body run: a sum over the loops and conditions around them.
//
// Two sides of a ring are compared by these sums, so that it does not matter how a pass has cut a loop: with a step
// taken out in front (`if 0 < n { step; for 1..n }`), or at a middle (`for 0..m`, `for m..n`).
#pragma once

#include "SymbolicValues.h"

namespace lacuna::warp {

class TripCounts {
public:
  explicit TripCounts(SymbolicValues &values) : values(values) {}

  /// A sum of terms: a place that runs once, a loop of them, or what is known no better. Places with equal sums run as
  /// often.
  using Count = std::map<int, int64_t>; // number of a term: how many
  /// How often places in a role run: in each program, and before the first and after the last together.
  struct RoleCount {
    Count each, around;
    bool operator==(const RoleCount &) const = default;
  };
  RoleCount count(RoleOp role, llvm::ArrayRef<mlir::Operation *> places);

private:
  struct Loop {
    Sum lower, upper, step;
    Count body;
    int64_t depth; // of the induction variable that `body` depends on; -1 if it does not
    bool operator==(const Loop &) const = default;
  };
  using Term = int;

  /// How often `places`, all inside of `block`, run for each run of the block.
  Count count(mlir::Block &block, llvm::ArrayRef<mlir::Operation *> places);
  Count countIn(mlir::Operation *op, llvm::ArrayRef<mlir::Operation *> places);
  Count countLoop(mlir::scf::ForOp op, llvm::ArrayRef<mlir::Operation *> places);
  Count countBranch(mlir::scf::IfOp op, llvm::ArrayRef<mlir::Operation *> places);
  Count countUnder(const Sum &fact, mlir::Region &region, llvm::ArrayRef<mlir::Operation *> places);
  std::optional<Count> guarded(Count count, const SymbolicValues::Less &guard);
  bool joinTwo(Count &count);
  bool takeFirstTrip(Count &count);
  std::optional<Loop> join(const Loop &first, const Loop &second);
  int64_t constantTrips(const Loop &loop);

  Term once() { return values.number({kOnce}, {}); }
  Term term(const Loop &loop);
  int number(const Count &count);

  enum Kind : int64_t { kOnce = 100, kLoop, kCount, kGuard, kUnknown };
  SymbolicValues &values;
  llvm::DenseMap<Term, Loop> loops;
};

} // namespace lacuna::warp
