#include "SymbolicValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace lacuna::warp {

/// Of expressions that are followed: deeper ones are taken as they are.
static constexpr int64_t kDeepest = 500;

void Sum::add(const Sum &other, int64_t factor) {
  constant = addProduct(constant, factor, other.constant);
  for (auto [number, coefficient] : other.terms) {
    int64_t &own = terms[number];
    own = addProduct(own, factor, coefficient);
    if (own == 0)
      terms.erase(number);
  }
}

/// An opaque pointer as part of a key.
static int64_t keyOf(const void *pointer) {
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(pointer));
}

int64_t SymbolicValues::loopDepth(Operation *op) {
  int64_t depth = 0;
  for (Operation *parent = op->getParentOp(); parent && !isa<FuncOp>(parent); parent = parent->getParentOp())
    depth += isa<scf::ForOp>(parent);
  return depth;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Numbers
//===--------------------------------------------------------------------------------------------------------------===//

int SymbolicValues::number(std::vector<int64_t> key, ArrayRef<int> parts) {
  uint64_t depends = 0;
  for (int part : parts) {
    key.push_back(part);
    depends |= loops[part];
  }
  auto [entry, isNew] = numbers.try_emplace(std::move(key), static_cast<int>(numbers.size()));
  if (isNew)
    loops.push_back(depends);
  return entry->second;
}

int SymbolicValues::number(const Sum &sum) {
  if (sum.constant == 0 && sum.terms.size() == 1 && sum.terms.begin()->second == 1)
    return sum.terms.begin()->first;
  std::vector<int64_t> key = {kSumOf, sum.constant};
  SmallVector<int> parts;
  for (auto [part, coefficient] : sum.terms) {
    key.push_back(coefficient);
    parts.push_back(part);
  }
  return number(std::move(key), parts);
}

int SymbolicValues::opaqueNumber(Value value) {
  int result = number({kOpaque, keyOf(value.getAsOpaquePointer())}, {});
  // It may be another value in each trip of the loops around it.
  Operation *at = value.getParentRegion()->getParentOp();
  for (int64_t depth = isa<FuncOp>(at) ? 0 : loopDepth(at) + isa<scf::ForOp>(at); depth > 0; --depth)
    loops[result] |= bit(depth - 1);
  return result;
}

int SymbolicValues::number(Value value) {
  if (auto found = known.back().numbers.find(value); found != known.back().numbers.end())
    return found->second;
  // What uses itself without a loop's help is wrong, but that is found out later than this.
  int result = opaqueNumber(value);
  known.back().numbers[value] = result;
  llvm::SaveAndRestore deeper(depth, depth + 1);
  if (depth <= kDeepest)
    result = computeNumber(value);
  return known.back().numbers[value] = result;
}

int SymbolicValues::computeNumber(Value value) {
  if (value.getType().isInteger(32))
    if (std::optional<Sum> asSum = computeSum(value))
      return number(*asSum);
  if (auto result = dyn_cast<OpResult>(value)) {
    if (auto loop = dyn_cast<scf::ForOp>(result.getOwner())) {
      int last = number({kResult}, {carriedNumber(loop, result.getResultNumber()), number(loop.getUpperBound())});
      closeLoop(last, loopDepth(loop));
      return last;
    }
    if (auto branch = dyn_cast<scf::IfOp>(result.getOwner()))
      return branchNumber(branch, result.getResultNumber());
    return operationNumber(result);
  }
  auto argument = cast<BlockArgument>(value);
  auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
  if (!loop)
    return opaqueNumber(value);
  int64_t depth = loopDepth(loop);
  if (argument.getArgNumber() > 0)
    return carriedNumber(loop, argument.getArgNumber() - 1);
  int result = number({kInduction, depth}, {});
  loops[result] = bit(depth);
  return result;
}

/// An operation without effects gives equal results for equal operands.
int SymbolicValues::operationNumber(OpResult result) {
  Operation *op = result.getOwner();
  if (op->getNumRegions() != 0 || !isMemoryEffectFree(op) || isa<WarpgroupOp>(op))
    return opaqueNumber(result);
  SmallVector<int> operands;
  for (Value operand : op->getOperands())
    operands.push_back(number(operand));
  int id = number({kOperation, keyOf(op->getName().getAsOpaquePointer()),
                   keyOf(op->getAttrDictionary().getAsOpaquePointer()), result.getResultNumber()},
                  operands);
  if (isa<arith::MaxSIOp, arith::MinSIOp>(op))
    choices.try_emplace(id, Choice{isa<arith::MaxSIOp>(op), sum(op->getOperand(0)), sum(op->getOperand(1))});
  if (auto count = dyn_cast<ListCountOp>(op)) {
    counts[id] = operands[0];
    if (isNonempty(count.getList()))
      nonempty.insert(id);
  }
  if (isa<ListMaskedOp>(op))
    masked[id] = operands[0];
  return id;
}

int SymbolicValues::branchNumber(scf::IfOp branch, unsigned index) {
  return number({kBranch}, {number(branch.getCondition()), number(branch.thenYield().getOperand(index)),
                            number(branch.elseYield().getOperand(index))});
}

/// A carried value is known by where it starts and how it goes on. While that is followed, the value itself stands for
/// "the one before".
int SymbolicValues::carriedNumber(scf::ForOp loop, unsigned index) {
  Value argument = loop.getRegionIterArg(index);
  constexpr size_t kMostOpen = 4;
  if (auto *found = llvm::find(open, argument); found != open.end())
    return number({kOpen, found - open.begin()}, {});
  if (open.size() == kMostOpen)
    return opaqueNumber(argument);
  int init = number(loop.getInitArgs()[index]);
  int lower = number(loop.getLowerBound()), step = number(loop.getStep());
  open.push_back(argument);
  known.emplace_back();
  int next = number(loop.getYieldedValues()[index]);
  known.pop_back();
  open.pop_back();
  int64_t depth = loopDepth(loop);
  int result = number({kCarried, depth}, {init, lower, step, next});
  loops[result] |= bit(depth);
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Sums
//===--------------------------------------------------------------------------------------------------------------===//

Sum SymbolicValues::sum(Value value) {
  if (auto found = known.back().sums.find(value); found != known.back().sums.end())
    return found->second;
  known.back().sums[value] = Sum{0, {{opaqueNumber(value), 1}}};
  std::optional<Sum> result = computeSum(value);
  if (!result)
    result = Sum{0, {{number(value), 1}}};
  return known.back().sums[value] = *result;
}

std::optional<Sum> SymbolicValues::computeSum(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return Sum{constant.getSExtValue(), {}};
  llvm::SaveAndRestore deeper(depth, depth + 1);
  Operation *op = value.getDefiningOp();
  if (depth > kDeepest)
    return std::nullopt;
  if (isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op)) {
    Sum result = sum(op->getOperand(0));
    result.add(sum(op->getOperand(1)), isa<arith::AddIOp>(op) ? 1 : -1);
    return result;
  }
  if (isa_and_nonnull<arith::MulIOp>(op))
    for (unsigned factor : {0, 1})
      if (matchPattern(op->getOperand(factor), m_ConstantInt(&constant))) {
        Sum result;
        result.add(sum(op->getOperand(1 - factor)), constant.getSExtValue());
        return result;
      }
  return std::nullopt;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Comparisons
//===--------------------------------------------------------------------------------------------------------------===//

std::optional<SymbolicValues::Less> SymbolicValues::less(Value condition) {
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || !compare.getLhs().getType().isInteger(32))
    return std::nullopt;
  Sum a = sum(compare.getLhs()), b = sum(compare.getRhs());
  switch (compare.getPredicate()) {
  case arith::CmpIPredicate::slt:
    return Less{a, b};
  case arith::CmpIPredicate::sgt:
    return Less{b, a};
  case arith::CmpIPredicate::sle:
    return Less{a, b + Sum{1, {}}};
  case arith::CmpIPredicate::sge:
    return Less{b, a + Sum{1, {}}};
  case arith::CmpIPredicate::ne: // Of what is not negative: 0 < a.
    if (b == Sum{} && isNonNegative(a))
      return Less{b, a};
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

bool SymbolicValues::isNonNegative(const Sum &sum, int depth) {
  constexpr int kMostSplits = 6;
  if (sum.isConstant())
    return sum.constant >= 0;
  auto follows = [&](const Sum &fact) {
    Sum rest = sum - fact;
    return rest.isConstant() && rest.constant >= 0;
  };
  if (llvm::any_of(facts, follows))
    return true;
  for (auto [number, coefficient] : sum.terms) {
    // A list's counts: 0 <= masked <= count, 1 <= count where the list has padding in place of nothing.
    Sum self{0, {{number, 1}}};
    if (nonempty.contains(number) && follows(self - Sum{1, {}}))
      return true;
    if ((counts.contains(number) || masked.contains(number)) && follows(self))
      return true;
    if (auto count = counts.find(number); count != counts.end())
      for (auto [other, list] : masked)
        if (list == count->second && follows(self - Sum{0, {{other, 1}}}))
          return true;
    auto choice = choices.find(number);
    if (choice == choices.end() || depth == kMostSplits || (coefficient != 1 && coefficient != -1))
      continue;
    Choice copy = choice->second;
    auto holds = [&, factor = coefficient](const Sum &chosen) {
      Sum replaced = sum;
      replaced.add(self, -factor);
      replaced.add(chosen, factor);
      return isNonNegative(replaced, depth + 1);
    };
    // A maximum is at least either; a minimum is one of both.
    bool either = copy.max == (coefficient > 0);
    return either ? holds(copy.a) || holds(copy.b) : holds(copy.a) && holds(copy.b);
  }
  return false;
}

} // namespace lacuna::warp
