// The producer: the kernel's loops with nothing in them but the copies and the scalars that say from where.
#include "RoleEmitter.h"

using namespace mlir;

namespace lacuna {
namespace {

class ProducerEmitter final : public RoleEmitter {
public:
  using RoleEmitter::RoleEmitter;
  LogicalResult emitBlock(Block &block) override;

private:
  bool carries(Operation *loop, unsigned index) override;
  Type convertType(Type type) override { return type; }
  /// Whether `value` follows from the launch alone, without any tile.
  bool isComputable(Value value);
  LogicalResult emitCopy(tile::LoadOp load);

  DenseMap<Value, bool> computable;
};

} // namespace

bool ProducerEmitter::isComputable(Value value) {
  if (isa<RankedTensorType>(value.getType()))
    return false;
  auto [it, inserted] = computable.try_emplace(value, true); // A carried value may depend on itself.
  if (!inserted)
    return it->second;
  bool result = true;
  if (Operation *op = value.getDefiningOp()) {
    result = op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
             llvm::all_of(op->getOperands(), [&](Value operand) { return isComputable(operand); });
  } else if (auto argument = cast<BlockArgument>(value); argument.getArgNumber() > 0) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (isa<scf::ForOp, tile::ForBlocksOp>(parent))
      result = isComputable(argument.getOwner()->getTerminator()->getOperand(argument.getArgNumber() - 1));
  }
  return computable[value] = result;
}

bool ProducerEmitter::carries(Operation *loop, unsigned index) {
  return isComputable(loop->getRegion(0).front().getArgument(index + 1));
}

LogicalResult ProducerEmitter::emitCopy(tile::LoadOp load) {
  Location loc = load.getLoc();
  auto tileType = cast<RankedTensorType>(load.getResult().getType());
  Value ring = rings.lookup(load);
  auto ringType = cast<warp::RingType>(ring.getType());
  int64_t rowAxis = std::distance(load.getSizes().begin(),
                                  llvm::find_if(load.getSizes(), [](int64_t size) { return size > 0; }));

  // One box, or one for each run of listed positions.
  SmallVector<Value> runs;
  Value rowIndex = load.getIndices()[rowAxis];
  if (auto step = steps.find(rowIndex); step != steps.end())
    llvm::append_range(runs, step->second.getStarts());
  else if (mapping.contains(rowIndex))
    runs.push_back(mapping.lookup(rowIndex));
  SmallVector<Value> indices;
  for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
    if (runs.empty() || (static_cast<int64_t>(axis) != rowAxis && !mapping.contains(index)))
      return load.emitError() << "where this tile lies depends on a computed tile; the copies run ahead of the "
                                 "computation and cannot know it";
    indices.push_back(static_cast<int64_t>(axis) == rowAxis ? Value() : mapping.lookup(index));
  }

  auto slotType = warp::SlotType::get(builder.getContext(), ringType.getRows(), ringType.getColumns(),
                                      ringType.getElementType());
  Value slot = builder.create<warp::RingAcquireOp>(loc, slotType, ring, fillNumber(load));
  auto fill = builder.create<warp::RingFillOp>(loc, slot, ringType.getSlotBytes());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&fill.getBody());
  int64_t rows = tileType.getDimSize(0) / runs.size();
  for (auto [run, start] : llvm::enumerate(runs)) {
    indices[rowAxis] = start;
    builder.create<warp::TmaLoadOp>(loc, mapping.lookup(load.getView()),
                                    indices, rowAxis, rows, run * rows);
  }
  return success();
}

LogicalResult ProducerEmitter::emitBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (isMapped(op.getResults()) && op.getNumResults() > 0)
      continue; // In the preamble.
    if (plan.isShared(&op)) {
      if (failed(emitCopy(cast<tile::LoadOp>(op))))
        return failure();
    } else if (isa<scf::ForOp, tile::ForBlocksOp>(op)) {
      bool copies = op.walk([&](tile::LoadOp load) {
                        return plan.isShared(load) ? WalkResult::interrupt() : WalkResult::advance();
                      }).wasInterrupted();
      if (auto dense = dyn_cast<scf::ForOp>(op);
          copies && dense && !isMapped({dense.getLowerBound(), dense.getUpperBound(), dense.getStep()}))
        return op.emitError() << "the bounds of a loop that loads a product's operand depend on a computed tile; the "
                                 "copies run ahead of the computation and cannot know them";
      if (copies && failed(emitLoop(&op)))
        return failure();
    } else if (op.getNumRegions() == 0 && isMemoryEffectFree(&op) && isMapped(op.getOperands()) &&
               llvm::none_of(op.getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); })) {
      builder.clone(op, mapping);
    }
  }
  return success();
}

LogicalResult emitProducer(tile::FuncOp func, OpBuilder builder, const KernelPlan &plan, const Preamble &preamble) {
  return ProducerEmitter(builder, plan, preamble).emitBlock(func.getBody().front());
}

} // namespace lacuna
