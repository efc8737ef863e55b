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
  bool followComputable(Value value, llvm::SetVector<Value> &seen);
  /// Whether `loop` holds copies.
  bool copies(Operation *loop) const;
  LogicalResult emitCopy(tile::LoadOp load);

  DenseMap<Value, bool> computable;
};

} // namespace

/// A carried value may depend on itself: what a walk has seen it takes to be computable. Every value seen is needed by
/// the first, so that the assumption holds for all of them or the first is not computable.
bool ProducerEmitter::isComputable(Value value) {
  if (auto known = computable.find(value); known != computable.end())
    return known->second;
  llvm::SetVector<Value> seen;
  bool result = followComputable(value, seen);
  if (result)
    for (Value each : seen)
      computable[each] = true;
  return computable[value] = result;
}

bool ProducerEmitter::followComputable(Value value, llvm::SetVector<Value> &seen) {
  if (isa<RankedTensorType>(value.getType()))
    return false;
  if (auto known = computable.find(value); known != computable.end())
    return known->second;
  if (!seen.insert(value))
    return true;
  if (Operation *op = value.getDefiningOp()) {
    // The producer runs the loops that copy, and knows what they carry.
    if (isa<scf::ForOp, tile::ForBlocksOp>(op) && copies(op))
      return followComputable(op->getRegion(0).front().getArgument(cast<OpResult>(value).getResultNumber() + 1), seen);
    return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
           llvm::all_of(op->getOperands(), [&](Value operand) { return followComputable(operand, seen); });
  }
  auto argument = cast<BlockArgument>(value);
  Operation *parent = argument.getOwner()->getParentOp();
  if (argument.getArgNumber() == 0 || !isa<scf::ForOp, tile::ForBlocksOp>(parent))
    return true;
  unsigned index = argument.getArgNumber() - 1;
  auto dense = dyn_cast<scf::ForOp>(parent);
  Value init = dense ? dense.getInits()[index] : cast<tile::ForBlocksOp>(parent).getInits()[index];
  return followComputable(init, seen) &&
         followComputable(argument.getOwner()->getTerminator()->getOperand(index), seen);
}

bool ProducerEmitter::copies(Operation *loop) const {
  return loop
      ->walk([&](tile::LoadOp load) { return plan.isShared(load) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

bool ProducerEmitter::carries(Operation *loop, unsigned index) {
  return isComputable(loop->getRegion(0).front().getArgument(index + 1));
}

LogicalResult ProducerEmitter::emitCopy(tile::LoadOp load) {
  Location loc = load.getLoc();
  auto tileType = cast<RankedTensorType>(load.getResult().getType());
  Value ring = rings.lookup(load);
  auto ringType = cast<warp::RingType>(ring.getType());
  tile::AccessAxes axes = tile::getAccessAxes(load.getSizes(), tileType);
  int64_t rowAxis = axes.rows.back(), outerRows = axes.countRows(load.getSizes()) / load.getSizes()[rowAxis];

  // One part, or one for each run of listed positions: of the rows or of the columns.
  int64_t columnAxis = load.getSizes().size() - 1, listedAxis = rowAxis;
  for (int64_t axis : {rowAxis, columnAxis})
    if (isa<tile::PositionsType>(load.getIndices()[axis].getType()))
      listedAxis = axis;
  SmallVector<Value> runs, indices;
  Value listed = load.getIndices()[listedAxis];
  if (auto step = steps.find(listed); step != steps.end())
    llvm::append_range(runs, step->second.getStarts());
  else if (mapping.contains(listed))
    runs.push_back(mapping.lookup(listed));
  for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
    bool isListed = static_cast<int64_t>(axis) == listedAxis;
    if (runs.empty() || (!isListed && !mapping.contains(index)))
      return load.emitError() << "where this tile lies depends on a computed tile; the copies run ahead of the "
                                 "computation and cannot know it";
    indices.push_back(isListed ? Value() : mapping.lookup(index));
  }
  int64_t rows = load.getSizes()[rowAxis], columns = tileType.getDimSize(1), count = runs.size();
  if (listedAxis == rowAxis)
    rows /= count;
  else
    columns /= count;
  if (listedAxis == columnAxis && count > 1 && columns % warp::kChunkColumns != 0)
    return load.emitError() << "listed blocks of " << columns << " columns cannot share a step on " << plan.machine.name
                            << "; use blocks of a multiple of 64, or steps of one block";

  auto slotType =
      warp::SlotType::get(builder.getContext(), ringType.getRows(), ringType.getColumns(), ringType.getElementType());
  Value slot = builder.create<warp::RingAcquireOp>(loc, slotType, ring, fillNumber(load));
  auto fill = builder.create<warp::RingFillOp>(loc, slot, ringType.getSlotBytes());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&fill.getBody());
  for (auto [run, start] : llvm::enumerate(runs)) {
    indices[listedAxis] = start;
    bool byRow = listedAxis == rowAxis;
    int64_t slotRow = byRow ? run * rows : 0, slotColumn = byRow ? 0 : run * columns;
    Value view = mapping.lookup(load.getView());
    if (plan.machine.copyEngine)
      builder.create<warp::TmaLoadOp>(loc, view, indices, rowAxis, rows, columns, slotRow, slotColumn, outerRows);
    else
      builder.create<warp::AsyncLoadOp>(loc, view, indices, rowAxis, rows, columns, slotRow, slotColumn, outerRows);
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
      if (auto dense = dyn_cast<scf::ForOp>(op);
          copies(&op) && dense && !isMapped({dense.getLowerBound(), dense.getUpperBound(), dense.getStep()}))
        return op.emitError() << "the bounds of a loop that loads a product's operand depend on a computed tile; the "
                                 "copies run ahead of the computation and cannot know them";
      if (copies(&op) && failed(emitLoop(&op)))
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
