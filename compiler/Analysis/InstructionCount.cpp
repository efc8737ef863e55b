#include "InstructionCount.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna {

int64_t registersOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return 1;
  int64_t columns = tensor.getDimSize(1);
  return llvm::TypeSwitch<Attribute, int64_t>(tensor.getEncoding())
      .Case([](warp::RowAttr) { return warp::RowLayout::registers(); })
      .Case([&](warp::ColAttr) { return warp::ColLayout::registers(columns); })
      .Case([&](warp::AFragAttr) { return warp::AFragLayout::registers(columns); })
      .Default([&](Attribute) { return warp::AccLayout::registers(columns); });
}

/// Of one element: how MathPatterns.cpp writes it.
static InstructionCount ofElement(Operation *op) {
  return llvm::TypeSwitch<Operation *, InstructionCount>(op)
      .Case<math::Exp2Op, math::Log2Op, math::RsqrtOp, math::SqrtOp>([](auto) { return InstructionCount{1, 1}; })
      .Case<math::ExpOp, math::LogOp, arith::DivFOp>([](auto) { return InstructionCount{2, 1}; })
      .Case([](math::TanhOp) { return InstructionCount{5, 2}; })
      .Case<arith::DivSIOp, arith::RemSIOp, arith::DivUIOp, arith::RemUIOp, arith::CeilDivSIOp, arith::FloorDivSIOp>(
          [](auto) { return InstructionCount{20, 0}; })
      // Modifiers of an operand, or the same register under another name.
      .Case<arith::NegFOp, math::AbsFOp, arith::BitcastOp, arith::ConstantOp>([](auto) { return InstructionCount{}; })
      .Default([](Operation *) { return InstructionCount{1, 0}; });
}

InstructionCount countInstructions(Operation *op) {
  // Waiting for a slot finds its index and phase, and tests a barrier at least once.
  constexpr int64_t kWait = 8, kListStep = 10, kShuffleAndCombine = 2, kAcrossWarps = 24;
  if (isa<warp::BroadcastOp, warp::PackAFragOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
    return {};
  if (isa<warp::RingWaitOp>(op))
    return {kWait, 0};
  if (isa<warp::ListStepOp>(op))
    return {kListStep, 0};
  if (auto reduce = dyn_cast<warp::RowReduceOp>(op))
    return {std::max<int64_t>(registersOf(reduce.getX().getType()) - warp::RowLayout::registers(), 0), 0};
  if (isa<warp::QuadReduceOp>(op)) // over two bits of the lane
    return {2 * kShuffleAndCombine * registersOf(op->getResult(0).getType()), 0};
  if (auto reduce = dyn_cast<warp::BlockReduceOp>(op))
    return {registersOf(reduce.getX().getType()) + 5 * kShuffleAndCombine + kAcrossWarps, 0};
  if (auto store = dyn_cast<warp::StoreGlobalOp>(op))
    return {registersOf(store.getValue().getType()), 0};
  if (auto store = dyn_cast<warp::StoreSharedOp>(op)) // an address and a stmatrix for 8 elements a thread
    return {registersOf(store.getValue().getType()) / 4, 0};
  if (op->getNumResults() != 1)
    return {1, 0};
  int64_t registers = registersOf(op->getResult(0).getType());
  if (auto narrow = dyn_cast<arith::TruncFOp>(op); narrow && registers > 1)
    return {registers / 2, 0}; // two at once
  InstructionCount each = ofElement(op);
  return {each.issued * registers, each.special * registers};
}

} // namespace lacuna
