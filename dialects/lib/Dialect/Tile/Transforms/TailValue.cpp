#include "TailValue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna::tile {

Past join(Past a, Past b) {
  if (a == Past::None || a == b)
    return b;
  return b == Past::None ? a : Past::Unknown;
}

Past pastOfConstant(Attribute value) {
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    value = splat.getSplatValue<Attribute>();
  else if (isa<ElementsAttr>(value))
    return Past::Unknown;
  if (auto number = dyn_cast<FloatAttr>(value)) {
    if (number.getValue().isZero())
      return Past::Zero;
    if (number.getValue().isInfinity())
      return number.getValue().isNegative() ? Past::MinusInf : Past::PlusInf;
  }
  return Past::Uniform;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Elementwise operations
//===--------------------------------------------------------------------------------------------------------------===//

static bool isInfinity(Past past) {
  return past == Past::MinusInf || past == Past::PlusInf;
}

static Past negate(Past x) {
  if (isInfinity(x))
    return x == Past::MinusInf ? Past::PlusInf : Past::MinusInf;
  return x;
}

static Past add(Past x, Past y) {
  if (x == Past::Unknown || y == Past::Unknown)
    return Past::Unknown;
  if (isInfinity(x) && isInfinity(y))
    return x == y ? x : Past::Unknown;
  if (isInfinity(x) || isInfinity(y))
    return isInfinity(x) ? x : y;
  return x == Past::Zero && y == Past::Zero ? Past::Zero : Past::Unknown;
}

/// Whether every element of `factor` is one positive number. The launch checks `tile.positive`.
static bool isPositive(Value factor) {
  APFloat constant(0.0f);
  if (matchPattern(factor, m_ConstantFloat(&constant)))
    return constant.isFiniteNonZero() && !constant.isNegative();
  while (auto broadcast = factor.getDefiningOp<BroadcastOp>())
    factor = broadcast.getX();
  auto argument = dyn_cast<BlockArgument>(factor);
  auto func = argument ? dyn_cast<FuncOp>(argument.getOwner()->getParentOp()) : FuncOp();
  return func && func.getArgAttr(argument.getArgNumber(), kPositiveAttr);
}

/// 0 times a number is 0, but 0 times what may be infinite or NaN is not; infinity keeps its sign with a positive
/// factor.
static Past multiply(Past x, Past y, Value xValue, Value yValue) {
  auto finite = [](Past past) { return past == Past::Zero || past == Past::Uniform; };
  if ((x == Past::Zero && finite(y)) || (y == Past::Zero && finite(x)))
    return Past::Zero;
  if (isInfinity(x) && isPositive(yValue))
    return x;
  return isInfinity(y) && isPositive(xValue) ? y : Past::Unknown;
}

/// The extremum of two values; `least` is its neutral value.
static Past extremum(Past x, Past y, Past least) {
  if (x == y)
    return x == Past::Uniform ? Past::Unknown : x;
  if (x == least || y == least) {
    Past other = x == least ? y : x;
    return other == Past::Zero || isInfinity(other) ? other : Past::Unknown;
  }
  return x == negate(least) || y == negate(least) ? negate(least) : Past::Unknown;
}

/// A function of one value, by what it makes of 0, -infinity and +infinity.
static Past mapValue(Past x, Past zero, Past minusInf, Past plusInf) {
  switch (x) {
  case Past::Zero:
    return zero;
  case Past::MinusInf:
    return minusInf;
  case Past::PlusInf:
    return plusInf;
  default:
    return Past::Unknown;
  }
}

static Past transferUnary(Operation *op, Past x) {
  constexpr Past zero = Past::Zero, minusInf = Past::MinusInf, plusInf = Past::PlusInf, unknown = Past::Unknown;
  return TypeSwitch<Operation *, Past>(op)
      .Case<arith::NegFOp>([&](auto) { return mapValue(x, zero, plusInf, minusInf); })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, math::FloorOp, math::CeilOp, math::TruncOp, math::RoundOp,
            math::RoundEvenOp>([&](auto) { return mapValue(x, zero, minusInf, plusInf); })
      .Case<math::ExpOp, math::Exp2Op>([&](auto) { return mapValue(x, unknown, zero, plusInf); })
      .Case<math::LogOp, math::Log2Op>([&](auto) { return mapValue(x, minusInf, unknown, plusInf); })
      .Case<math::AbsFOp>([&](auto) { return mapValue(x, zero, plusInf, plusInf); })
      .Case<math::SqrtOp>([&](auto) { return mapValue(x, zero, unknown, plusInf); })
      .Case<math::RsqrtOp>([&](auto) { return mapValue(x, unknown, unknown, zero); })
      .Case<math::TanhOp, math::ErfOp, math::SinOp, math::AtanOp>(
          [&](auto) { return mapValue(x, zero, unknown, unknown); })
      .Default([&](auto) { return unknown; });
}

static Past transferSelect(Past whenTrue, Past whenFalse) {
  Past either = join(whenTrue, whenFalse);
  // Two different vectors, chosen element by element, are no vector.
  return either == Past::Uniform ? Past::Unknown : either;
}

Past transfer(Operation *op, ArrayRef<Past> x) {
  if (llvm::is_contained(x, Past::None))
    return Past::None;
  return TypeSwitch<Operation *, Past>(op)
      .Case<arith::AddFOp>([&](auto) { return add(x[0], x[1]); })
      .Case<arith::SubFOp>([&](auto) { return add(x[0], negate(x[1])); })
      .Case<arith::MulFOp>([&](auto) { return multiply(x[0], x[1], op->getOperand(0), op->getOperand(1)); })
      .Case<math::FmaOp>([&](auto) { return add(multiply(x[0], x[1], op->getOperand(0), op->getOperand(1)), x[2]); })
      .Case<arith::DivFOp>(
          [&](auto) { return x[0] == Past::Zero && x[1] == Past::Uniform ? Past::Zero : Past::Unknown; })
      .Case<arith::MaxNumFOp, arith::MaximumFOp>([&](auto) { return extremum(x[0], x[1], Past::MinusInf); })
      .Case<arith::MinNumFOp, arith::MinimumFOp>([&](auto) { return extremum(x[0], x[1], Past::PlusInf); })
      .Case<arith::SelectOp>([&](auto) { return transferSelect(x[1], x[2]); })
      .Default([&](auto) { return x.size() == 1 ? transferUnary(op, x[0]) : Past::Unknown; });
}

//===--------------------------------------------------------------------------------------------------------------===//
// AxisState
//===--------------------------------------------------------------------------------------------------------------===//

bool AxisState::has(const TailSource &source) const {
  return llvm::any_of(tails, [&](auto &tail) { return tail.first == source; });
}

Past AxisState::at(const TailSource &source) const {
  for (const Entries *entries : {&tails, &facts})
    for (auto &[candidate, past] : *entries)
      if (candidate == source)
        return past;
  return base;
}

static void setIn(AxisState::Entries &entries, const TailSource &source, Past past) {
  for (auto &[candidate, old] : entries)
    if (candidate == source) {
      old = past;
      return;
    }
  entries.emplace_back(source, past);
}

void AxisState::set(const TailSource &source, Past past) {
  setIn(tails, source, past);
}

void AxisState::setFact(const TailSource &source, Past past) {
  if (!has(source))
    setIn(facts, source, past);
}

AxisState join(const AxisState &a, const AxisState &b) {
  AxisState both;
  both.base = join(a.base, b.base);
  if (a.isUniform() && b.isUniform() && both.base == Past::Unknown)
    both.base = Past::Uniform;
  for (const AxisState *side : {&a, &b})
    for (auto &[source, past] : side->tails)
      both.set(source, join(a.at(source), b.at(source)));
  for (const AxisState *side : {&a, &b})
    for (auto &[source, past] : side->facts)
      both.setFact(source, join(a.at(source), b.at(source)));
  return both;
}

} // namespace lacuna::tile
