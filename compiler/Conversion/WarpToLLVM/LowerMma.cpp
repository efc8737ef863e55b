// Products that warps compute (mma.sync), from what they read of shared memory (ldmatrix).
#include "KernelLowering.h"

using namespace mlir;

namespace lacuna {

using warp::FragmentLoad;

/// How this lane reads 16x16 elements of an operand at a time: its addresses for the four flips of the swizzle.
struct KernelLowering::FragmentReader {
  FragmentLoad layout;
  std::array<Value, 4> addresses; // i32, by flip / 32
};

/// `tile`: where the operand begins. What a lane adds to it is the same in every loop.
KernelLowering::FragmentReader KernelLowering::makeReader(Location loc, Value tile, FragmentLoad layout) {
  // FragmentLoad::laneOffset, computed by the lane: two of its bits choose the matrix.
  auto bit = [&](int64_t number) -> Value {
    return builder.create<arith::AndIOp>(loc, builder.create<arith::ShRUIOp>(loc, lane, i32(loc, number)), i32(loc, 1));
  };
  bool rowFromLow = layout.isA == layout.kMajor;
  Value low = builder.create<arith::AndIOp>(loc, lane, i32(loc, 7));
  Value row = add(loc, mul(loc, bit(rowFromLow ? 3 : 4), 8), low);
  Value unit = builder.create<arith::XOrIOp>(loc, bit(rowFromLow ? 4 : 3), low);
  Value base = add(loc, tile, add(loc, mul(loc, row, warp::kChunkRowBytes), mul(loc, unit, 16)));
  FragmentReader reader{layout, {}};
  for (int64_t flip = 0; flip < 4; ++flip)
    reader.addresses[flip] = flip ? builder.create<arith::XOrIOp>(loc, base, i32(loc, 32 * flip)).getResult() : base;
  return reader;
}

/// The four registers of block `block` and k-step `step`.
Registers KernelLowering::readFragment(Location loc, const FragmentReader &reader, int64_t block, int64_t step) {
  return ptx.loadMatrix(loc, reader.addresses[reader.layout.flip(block, step) / 32], reader.layout.offset(block, step),
                        reader.layout.transposes());
}

/// A reader of this warp's own 16 rows of A, which are its block 0.
KernelLowering::FragmentReader KernelLowering::makeOwnReader(Location loc, const Slot &slot, bool kMajor) {
  Value tile = slot.address;
  FragmentLoad layout{slot.type.getRows(), kMajor, /*isA=*/true};
  Value flip;
  if (kMajor) { // 16 rows down for each warp
    Value warp = add(loc, mul(loc, consumer, 4), warpInGroup);
    tile = add(loc, tile, mul(loc, warp, 16 * warp::kChunkRowBytes));
  } else { // a chunk of 64 for each warpgroup, 16 of its columns for each warp
    tile = add(loc, tile, mul(loc, consumer, layout.rows * warp::kChunkRowBytes));
    flip = mul(loc, warpInGroup, 32);
  }
  FragmentReader reader = makeReader(loc, tile, layout);
  if (flip)
    reader.addresses[0] = builder.create<arith::XOrIOp>(loc, reader.addresses[0], flip);
  return reader;
}

void KernelLowering::lowerMma(warp::MmaSyncOp op) {
  Location loc = op.getLoc();
  constexpr int64_t kStep = 16, kPair = 16, kTileRegisters = 4; // of k; columns of two tiles; registers of one
  int64_t columns = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  const Slot slotB = slots[op.getB()];
  int64_t terms = op.getTransB() ? slotB.type.getColumns() : slotB.type.getRows();
  FragmentReader b = makeReader(loc, slotB.address, {slotB.type.getRows(), op.getTransB(), /*isA=*/false});
  std::optional<FragmentReader> a;
  if (isa<warp::SlotType>(op.getA().getType()))
    a = makeOwnReader(loc, slots[op.getA()], !op.getTransA());
  Registers sums = op.getAcc() ? values[op.getAcc()] : Registers();
  bool bf16 = slotB.type.getElementType().isBF16();
  if (sums.empty())
    sums.assign(warp::AccLayout::registers(columns),
                builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(0)).getResult());
  for (int64_t step = 0; step < terms / kStep; ++step) {
    Registers left = a ? readFragment(loc, *a, 0, step) : Registers(ArrayRef(values[op.getA()]).slice(4 * step, 4));
    for (int64_t pair = 0; pair < columns / kPair; ++pair) {
      Registers right = readFragment(loc, b, pair, step);
      for (int64_t half : {0, 1}) {
        int64_t first = (2 * pair + half) * kTileRegisters;
        Registers sum =
            ptx.mma(loc, bf16, left, ArrayRef(right).slice(2 * half, 2), ArrayRef(sums).slice(first, kTileRegisters));
        llvm::copy(sum, sums.begin() + first);
      }
    }
  }
  values[op.getResult()] = sums;
}

} // namespace lacuna
