#include "Alignment.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna {

/// What zero has: every power of two divides it. Also where every value starts before its operands are known.
static constexpr unsigned kMostTwos = 31;

static unsigned twosOf(const APInt &constant) {
  return std::min(constant.countr_zero(), kMostTwos);
}

Divisibility::Divisibility(tile::FuncOp func) {
  for (Value argument : func.getBody().getArguments())
    known[argument] = 0;
  // Values only fall, and a round without a fall is the end; loops that carry values are what takes more than one.
  bool fell = true;
  while (fell) {
    fell = false;
    func.walk([&](Operation *op) { fell |= visit(op); });
  }
}

unsigned Divisibility::twos(Value value) const {
  auto found = known.find(value);
  return found == known.end() ? kMostTwos : found->second;
}

bool Divisibility::lower(Value value, unsigned most) {
  auto [entry, isNew] = known.try_emplace(value, kMostTwos);
  unsigned before = entry->second;
  entry->second = std::min(before, most);
  return entry->second < before;
}

bool Divisibility::visit(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    bool fell = lower(loop.getInductionVar(), std::min(twos(loop.getLowerBound()), twos(loop.getStep())));
    for (auto [argument, init, yielded, result] :
         llvm::zip(loop.getRegionIterArgs(), loop.getInits(), loop.getYieldedValues(), loop.getResults())) {
      fell |= lower(argument, std::min(twos(init), twos(yielded)));
      fell |= lower(result, twos(argument));
    }
    return fell;
  }
  if (auto loop = dyn_cast<tile::ForBlocksOp>(op)) {
    bool fell = false;
    for (auto [argument, init, yielded, result] :
         llvm::zip(loop.getCarried(), loop.getInits(), loop.getBody().front().getTerminator()->getOperands(),
                   loop.getResults())) {
      fell |= lower(argument, std::min(twos(init), twos(yielded)));
      fell |= lower(result, twos(argument));
    }
    return fell;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op); branch && branch.elseBlock()) {
    bool fell = false;
    for (auto [result, yes, no] :
         llvm::zip(branch.getResults(), branch.thenYield().getOperands(), branch.elseYield().getOperands()))
      fell |= lower(result, std::min(twos(yes), twos(no)));
    return fell;
  }
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isInteger(32))
    return false;

  Value result = op->getResult(0);
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return lower(result, twosOf(constant));
  if (isa<arith::AddIOp, arith::SubIOp, arith::RemSIOp, arith::MinSIOp, arith::MaxSIOp>(op))
    return lower(result, std::min(twos(op->getOperand(0)), twos(op->getOperand(1))));
  if (isa<arith::MulIOp>(op))
    return lower(result, std::min(twos(op->getOperand(0)) + twos(op->getOperand(1)), kMostTwos));
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return lower(result, std::min(twos(select.getTrueValue()), twos(select.getFalseValue())));
  // A quotient without remainder loses the divisor's twos.
  if (isa<arith::DivSIOp>(op) && matchPattern(op->getOperand(1), m_ConstantInt(&constant)))
    if (unsigned lost = twosOf(constant); constant.abs().isPowerOf2() && twos(op->getOperand(0)) >= lost)
      return lower(result, twos(op->getOperand(0)) - lost);
  return lower(result, 0);
}

LogicalResult verifyCopyAlignment(tile::LoadOp load, StringRef machine) {
  Value start = load.getIndices().back();
  if (isa<tile::PositionsType>(start.getType()))
    return success(); // List blocks and steps are multiples of 16, and padding lies at a multiple of 64.
  constexpr int64_t bytes = kCopyAlignment * 2;
  APInt constant;
  if (matchPattern(start, m_ConstantInt(&constant))) {
    if (constant.getSExtValue() % kCopyAlignment == 0)
      return success();
    return load.emitError() << "a product's operand starts at a multiple of " << kCopyAlignment << " elements ("
                            << bytes << " bytes) of the innermost axis on " << machine << ", this one at "
                            << constant.getSExtValue();
  }
  int64_t divisor = Divisibility(load->getParentOfType<tile::FuncOp>()).of(start);
  if (divisor % kCopyAlignment == 0)
    return success();
  return load.emitError() << "a product's operand starts at a multiple of " << kCopyAlignment << " elements (" << bytes
                          << " bytes) of the innermost axis on " << machine
                          << "; this one's start is only known to be a multiple of " << divisor
                          << ". Write it as a product with " << kCopyAlignment << ", such as " << kCopyAlignment
                          << " * x";
}

} // namespace lacuna
