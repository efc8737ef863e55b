// Scalars of a kernel as expressions that can be compared across its roles.
//
// Both roles compute their loop bounds for themselves, so that one bound is two values. Here a value gets a number:
// values with the same number are equal in every launch. Integers are sums over such numbers, so that `n + 1 - 1` is
// `n`.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

#include <map>
#include <optional>
#include <vector>

namespace lacuna::warp {

/// a + factor * b, which may wrap: text that is read may say anything.
inline int64_t addProduct(int64_t a, int64_t factor, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(factor) * static_cast<uint64_t>(b));
}

/// constant + the sum of coefficient * number.
struct Sum {
  int64_t constant = 0;
  std::map<int, int64_t> terms; // no coefficient is 0

  bool isConstant() const { return terms.empty(); }
  void add(const Sum &other, int64_t factor = 1);
  friend Sum operator+(Sum a, const Sum &b) { return a.add(b), a; }
  friend Sum operator-(Sum a, const Sum &b) { return a.add(b, -1), a; }
  bool operator==(const Sum &) const = default;
};

class SymbolicValues {
public:
  /// An integer as a sum.
  Sum sum(mlir::Value value);
  /// Any value as a number.
  int number(mlir::Value value);
  int number(const Sum &sum);
  /// The number of what `key` says; equal keys have equal numbers.
  int number(std::vector<int64_t> key, llvm::ArrayRef<int> parts);

  /// `lower < upper`, where `condition` says that.
  struct Less {
    Sum lower, upper;
  };
  std::optional<Less> less(mlir::Value condition);

  /// Whether `sum` is at least 0 in every launch, as far as this can be seen.
  bool isNonNegative(const Sum &sum) { return isNonNegative(sum, /*depth=*/0); }
  /// Takes it for a fact until `forget`.
  void assumeNonNegative(Sum sum) { facts.push_back(std::move(sum)); }
  void forget() { facts.pop_back(); }

  /// Whether a number depends on the induction variable, or on what is carried, of the loop at `depth`.
  bool dependsOnLoop(int number, int64_t depth) const { return loops[number] & bit(depth); }
  /// Where the loop is summed over, the number no longer does.
  void closeLoop(int number, int64_t depth) { loops[number] &= ~bit(depth); }
  /// Loops around `op`.
  static int64_t loopDepth(mlir::Operation *op);

private:
  enum Kind : int64_t { kOpaque, kOperation, kSumOf, kInduction, kCarried, kResult, kBranch, kOpen };
  struct Choice { // maxsi or minsi
    bool max;
    Sum a, b;
  };

  static uint64_t bit(int64_t depth) { return uint64_t(1) << std::min<int64_t>(depth, 63); }
  int computeNumber(mlir::Value value);
  int operationNumber(mlir::OpResult result);
  int carriedNumber(mlir::scf::ForOp loop, unsigned index);
  int opaqueNumber(mlir::Value value);
  int branchNumber(mlir::scf::IfOp branch, unsigned index);
  std::optional<Sum> computeSum(mlir::Value value);
  bool isNonNegative(const Sum &sum, int depth);

  std::map<std::vector<int64_t>, int> numbers;
  std::vector<uint64_t> loops; // by number: a bit for each depth that it depends on
  llvm::DenseMap<int, Choice> choices;
  llvm::DenseMap<int, int> counts, masked; // number of a list's count (masked steps): the list's number
  llvm::DenseSet<int> nonempty;            // counts that are at least 1
  std::vector<Sum> facts;

  /// Carried values whose next one is being followed, and what was found since each was opened.
  llvm::SmallVector<mlir::Value> open;
  struct Known {
    llvm::DenseMap<mlir::Value, int> numbers;
    llvm::DenseMap<mlir::Value, Sum> sums;
  };
  std::vector<Known> known = std::vector<Known>(1);
  int64_t depth = 0; // of the expression at hand
};

} // namespace lacuna::warp
