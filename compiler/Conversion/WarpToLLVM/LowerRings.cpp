// Rings in shared memory, the copies that fill them, and the products that read them.
#include "KernelLowering.h"

using namespace mlir;

namespace lacuna {

using warp::OperandLayout;

/// The slot of fill `n`, and the parity of the phase that this fill is.
KernelLowering::Slot KernelLowering::makeSlot(Location loc, Value ringValue, Value n, Value &parity) {
  const Ring &ring = rings[ringValue];
  int64_t depth = ring.type.getDepth();
  Value round = n, index;
  if (depth > 1) {
    index = builder.create<arith::RemUIOp>(loc, n, i32(loc, depth));
    round = builder.create<arith::DivUIOp>(loc, n, i32(loc, depth));
  }
  parity = builder.create<arith::AndIOp>(loc, round, i32(loc, 1));
  auto at = [&](int64_t offset, int64_t stride) -> Value {
    Value address = add(loc, sharedBase, offset);
    return index ? add(loc, address, mul(loc, index, stride)) : address;
  };
  auto type = warp::SlotType::get(builder.getContext(), ring.type.getRows(), ring.type.getColumns(),
                                  ring.type.getElementType());
  return {type, at(ring.offset, ring.type.getSlotBytes()), at(ring.fullBarriers, 8), at(ring.emptyBarriers, 8)};
}

void KernelLowering::lowerAcquire(warp::RingAcquireOp op) {
  Location loc = op.getLoc();
  Value parity;
  Slot slot = makeSlot(loc, op.getRing(), scalar(op.getN()), parity);
  // A fresh mbarrier counts as having completed the phase before its first: the first acquire does not wait.
  ptx.waitBarrier(loc, slot.empty, builder.create<arith::XOrIOp>(loc, parity, i32(loc, 1)));
  slots[op.getSlot()] = slot;
}

/// Whether `start` is known to be a multiple of a chunk's columns.
static bool startsChunk(Value start) {
  if (auto step = start.getDefiningOp<warp::ListStepOp>()) {
    warp::ListType list = step.getList().getType();
    return list.getKeyBlock() % warp::kChunkColumns == 0 && list.getStep() % warp::kChunkColumns == 0;
  }
  auto argument = dyn_cast<BlockArgument>(start);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
  if (loop && argument == loop.getInductionVar())
    return startsChunk(loop.getLowerBound()) && startsChunk(loop.getStep());
  return warp::isMultipleOf(start, warp::kChunkColumns);
}

void KernelLowering::lowerTmaLoad(warp::TmaLoadOp load, const Slot &slot) {
  Location loc = load.getLoc();
  Value pointer = mapPointer(tensorMapOf(load));
  // A box past the end of the innermost axis is all zeros wherever it starts; it starts at a multiple of 64, as
  // another start there was found to be an illegal instruction on sm_90.
  tile::ViewType view = load.getView().getType();
  const int64_t innermost = view.getRank() - 1;
  auto startOf = [&](Value start) -> Value {
    if (startsChunk(load.getIndices().back()))
      return start;
    std::optional<int64_t> known = view.getStaticExtent(innermost);
    Value extent = known ? i32(loc, *known) : dims.lookup(view.getSymbol(innermost));
    Value rounded =
        builder.create<arith::AndIOp>(loc, add(loc, start, warp::kChunkColumns - 1), i32(loc, -warp::kChunkColumns));
    Value past = compare(loc, arith::CmpIPredicate::sge, start, extent);
    return builder.create<arith::SelectOp>(loc, past, rounded, start);
  };
  for (int64_t chunk = 0; chunk < warp::SlotCopy(load).getBoxes(); ++chunk) {
    SmallVector<Value> coordinates;
    for (Value index : llvm::reverse(load.getIndices()))
      coordinates.push_back(scalar(index));
    coordinates[0] = startOf(add(loc, coordinates[0], chunk * warp::kChunkColumns));
    int64_t slotChunk = chunk + load.getSlotColumn() / warp::kChunkColumns;
    int64_t offset = (slotChunk * slot.type.getRows() + load.getSlotRow()) * warp::kChunkRowBytes;
    ptx.tmaLoad(loc, add(loc, slot.address, offset), pointer, coordinates, slot.full);
  }
}

/// The full barrier completes its phase when the bytes that are announced here have come, or when every thread's copies
/// have landed.
void KernelLowering::lowerFill(warp::RingFillOp op) {
  const Slot slot = slots[op.getSlot()];
  if (machine.copyEngine)
    ptx.expectBytes(op.getLoc(), slot.full, op.getBytes());
  for (Operation &copy : op.getBody().front())
    if (auto load = dyn_cast<warp::TmaLoadOp>(copy))
      lowerTmaLoad(load, slot);
    else
      lowerAsyncLoad(cast<warp::AsyncLoadOp>(copy), slot);
  if (!machine.copyEngine)
    ptx.arriveWhenCopied(op.getLoc(), slot.full);
}

void KernelLowering::lowerWait(warp::RingWaitOp op) {
  Value parity;
  Slot slot = makeSlot(op.getLoc(), op.getRing(), scalar(op.getN()), parity);
  ptx.waitBarrier(op.getLoc(), slot.full, parity);
  slots[op.getSlot()] = slot;
}

void KernelLowering::lowerRelease(warp::RingReleaseOp op) {
  Location loc = op.getLoc();
  if (!machine.asyncProducts) // All lanes of the warp have read; a wait for a wgmma is one for all of them.
    ptx.syncWarp(loc);
  ptx.arrive(loc, slots[op.getSlot()].empty, compare(loc, arith::CmpIPredicate::eq, lane, i32(loc, 0)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

Value KernelLowering::descriptor(Location loc, Value address, const OperandLayout &layout) {
  Value encoded = builder.create<arith::AndIOp>(
      loc, builder.create<arith::ShRUIOp>(loc, address, i32(loc, 4)).getResult(), i32(loc, 0x3FFF));
  uint64_t constant = (uint64_t(1) << 62) // 128-byte swizzle
                      | (uint64_t(layout.strideByteOffset() >> 4) << 32) |
                      (uint64_t(layout.leadingByteOffset() >> 4) << 16);
  Value wide = builder.create<arith::ExtUIOp>(loc, builder.getI64Type(), encoded);
  return builder.create<arith::OrIOp>(loc, wide,
                                      builder.create<arith::ConstantIntOp>(loc, static_cast<int64_t>(constant), 64));
}

/// A product of at most so many k16 steps is one piece of assembly, which compiles faster (Emitter::wgmma). At 12 and
/// 16 steps (head dimensions 192 and 256) ptxas then spills in kernels that are full.
static constexpr int64_t kStepsTogether = 8;

void KernelLowering::lowerWgmma(Operation *op, Value a, bool aInShared, bool transA, Value b, bool transB, Value acc) {
  Location loc = op->getLoc();
  auto result = cast<warp::InflightType>(op->getResult(0).getType()).getTensor();
  const Slot slotB = slots[b];
  OperandLayout layoutB{slotB.type.getRows(), /*kMajor=*/transB};
  int64_t k = transB ? slotB.type.getColumns() : slotB.type.getRows();
  Value descriptorB = descriptor(loc, slotB.address, layoutB), descriptorA;
  OperandLayout layoutA{0, true};
  bool advancesInPlace = false; // A's address is the same in every trip of a loop
  if (aInShared) {
    auto written = sharedTiles.find(a); // by this warpgroup; otherwise a slot
    bool isSlot = written == sharedTiles.end();
    advancesInPlace = !isSlot;
    layoutA = {isSlot ? slots[a].type.getRows() : written->second.type.getRows(), /*kMajor=*/!transA};
    Value address = isSlot ? slots[a].address : add(loc, sharedBase, written->second.offset);
    Value own = add(loc, address, mul(loc, consumer, layoutA.warpgroupOffset()));
    descriptorA = descriptor(loc, own, layoutA);
  }
  auto advance = [&](Value base, int64_t bytes) -> Value {
    if (bytes == 0)
      return base;
    return builder.create<arith::AddIOp>(loc, base, builder.create<arith::ConstantIntOp>(loc, bytes >> 4, 64));
  };
  // A deep product in one piece would keep the descriptors of all its steps in registers.
  int64_t steps = k / 16, together = steps <= kStepsTogether ? steps : 1;
  Registers accumulator = acc ? values[acc] : Registers();
  ptx.wgmmaFence(loc);
  for (int64_t first = 0; first < steps; first += together) {
    SmallVector<ptx::WgmmaStep> piece(together);
    for (auto [offset, step] : llvm::enumerate(piece)) {
      int64_t index = first + offset;
      step.bDescriptor = advance(descriptorB, layoutB.stepOffset(index));
      if (advancesInPlace)
        step.aDescriptor = descriptorA, step.aAdvance = layoutA.stepOffset(index) >> 4;
      else if (aInShared)
        step.aDescriptor = advance(descriptorA, layoutA.stepOffset(index));
      else
        step.aFragment = ArrayRef(values[a]).slice(4 * index, 4);
    }
    accumulator = ptx.wgmma(loc, {.columns = result.getDimSize(1),
                                  .bf16 = slotB.type.getElementType().isBF16(),
                                  .transA = !layoutA.kMajor,
                                  .transB = !layoutB.kMajor,
                                  .acc = accumulator,
                                  .steps = piece});
  }
  values[op->getResult(0)] = accumulator;
}

LogicalResult KernelLowering::lowerWgmmaWait(warp::WgmmaWaitOp op) {
  // Groups retire in order: as many may stay in flight as were committed after the one waited for.
  int64_t pending = 0;
  Operation *commit = op.getGroup().getDefiningOp();
  if (!commit || commit->getBlock() != op->getBlock())
    return op.emitOpError() << "waits for a group that was committed in another block";
  for (Operation *next = commit->getNextNode(); next != op; next = next->getNextNode())
    pending += isa<warp::WgmmaCommitOp>(next);
  Registers flat;
  SmallVector<size_t> counts;
  for (ValueRange group : {ValueRange(op.getInflight()), ValueRange(op.getCarry())})
    for (Value value : group) {
      counts.push_back(values[value].size());
      llvm::append_range(flat, values[value]);
    }
  for (Value value : op.getAfter())
    ptx.holdBehind(op.getLoc(), values[value]);
  Registers waited = ptx.wgmmaWait(op.getLoc(), pending, flat);
  size_t next = 0;
  for (auto [result, count] : llvm::zip(op.getResults(), counts)) {
    values[result] = Registers(ArrayRef(waited).slice(next, count));
    next += count;
  }
  return success();
}

void KernelLowering::lowerPack(warp::PackAFragOp op) {
  Registers packed = packWords(op.getLoc(), values[op.getX()]);
  values[op.getResult()] = packed;
}

} // namespace lacuna
