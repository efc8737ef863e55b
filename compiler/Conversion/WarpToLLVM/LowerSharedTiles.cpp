// Shared tiles that consumers write: stmatrix, and the copies that leave from there.
#include "KernelLowering.h"

using namespace mlir;

namespace lacuna {

/// Neighbouring 16-bit elements two by two in a word: as an A operand has them, and as stmatrix takes them.
Registers KernelLowering::packWords(Location loc, ArrayRef<Value> elements) {
  Registers words;
  auto pair = VectorType::get(2, elements[0].getType());
  for (size_t word = 0; word < elements.size() / 2; ++word) {
    Value vector = builder.create<LLVM::UndefOp>(loc, pair);
    for (int64_t half : {0, 1})
      vector = builder.create<LLVM::InsertElementOp>(loc, vector, elements[warp::AFragLayout::accRegister(word, half)],
                                                     i32(loc, half));
    words.push_back(builder.create<LLVM::BitcastOp>(loc, builder.getI32Type(), vector));
  }
  return words;
}

/// One stmatrix for 16 columns of a warp's 16 rows. A lane gives the address of 16 bytes: row lane % 16 of the warp,
/// the unit 2 s + lane / 16 of the chunk's eight for k-step s within it, exchanged by the row's low bits
/// (SwizzledTile). The tile is aligned to the swizzle's period and a warp's rows begin at a multiple of 8, so those are
/// the lane's own.
void KernelLowering::lowerStoreShared(warp::StoreSharedOp op) {
  constexpr int64_t kStepColumns = 16, kUnitBytes = 16, kStepsPerChunk = warp::kChunkColumns / kStepColumns;
  Location loc = op.getLoc();
  const SharedTile &tile = sharedTiles[op.getSmem()];
  auto bits = [&](Value value, int64_t mask) -> Value {
    return builder.create<arith::AndIOp>(loc, value, i32(loc, mask));
  };
  Value row = add(loc, add(loc, mul(loc, consumer, warp::kWarpgroupRows), mul(loc, warpInGroup, kStepColumns)),
                  bits(lane, kStepColumns - 1));
  Value rowAddress = add(loc, add(loc, sharedBase, tile.offset), mul(loc, row, warp::kChunkRowBytes));
  Value upper = builder.create<arith::ShRUIOp>(loc, lane, i32(loc, 4));
  Value unit = builder.create<arith::XOrIOp>(loc, upper, bits(lane, 7));
  Value address = add(loc, rowAddress, mul(loc, unit, kUnitBytes));
  Registers words = packWords(loc, values[op.getValue()]);
  for (int64_t step = 0; step < tile.type.getColumns() / kStepColumns; ++step) {
    int64_t chunk = step / kStepsPerChunk * tile.type.getRows() * warp::kChunkRowBytes;
    ptx.storeMatrix(loc, address, 2 * kUnitBytes * (step % kStepsPerChunk), chunk, ArrayRef(words).slice(4 * step, 4));
  }
}

/// One thread of the warpgroup issues the boxes of its rows: always the same one, since groups belong to a thread.
void KernelLowering::lowerTmaStore(warp::TmaStoreOp op) {
  Location loc = op.getLoc();
  const SharedTile &tile = sharedTiles[op.getSmem()];
  Value inGroup = builder.create<arith::AndIOp>(loc, threadId, i32(loc, warp::kWarpgroupThreads - 1));
  auto issuing = builder.create<scf::IfOp>(loc, compare(loc, arith::CmpIPredicate::eq, inGroup, i32(loc, 0)),
                                           /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(issuing.thenBlock());
  Value ownRows = mul(loc, consumer, warp::kWarpgroupRows);
  Value source = add(loc, add(loc, sharedBase, tile.offset), mul(loc, ownRows, warp::kChunkRowBytes));
  SmallVector<Value> coordinates;
  for (auto [axis, index] : llvm::enumerate(op.getIndices()))
    coordinates.push_back(axis == op.getRowAxis() ? add(loc, scalar(index), ownRows) : scalar(index));
  std::reverse(coordinates.begin(), coordinates.end());
  Value first = coordinates[0];
  for (int64_t chunk = 0; chunk < tile.type.getChunks(); ++chunk) {
    coordinates[0] = add(loc, first, chunk * warp::kChunkColumns);
    ptx.tmaStore(loc, mapPointer(tensorMapOf(op)), coordinates,
                 add(loc, source, chunk * tile.type.getRows() * warp::kChunkRowBytes));
  }
  ptx.commitStores(loc);
}

void KernelLowering::lowerWarpgroupSync(Location loc) {
  ptx.namedBarrierSync(loc, add(loc, consumer, warp::kFirstWarpgroupBarrier), warp::kWarpgroupThreads);
}

/// Shared memory must last until what leaves it has been read.
void KernelLowering::finishStores(warp::RoleOp role) {
  if (role.walk([](warp::TmaStoreOp) { return WalkResult::interrupt(); }).wasInterrupted())
    ptx.waitStores(role.getLoc());
}

} // namespace lacuna
