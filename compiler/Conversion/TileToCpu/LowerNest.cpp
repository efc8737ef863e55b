// Loop nests: elementwise expressions, the reductions of them, transposes.
#include "CellEvaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

//===--------------------------------------------------------------------------------------------------------------===//
// Reductions
//===--------------------------------------------------------------------------------------------------------------===//

/// What a reduction does with its operand's elements, seen as FlatShape sees them.
namespace {
enum class Direction { None, AlongRow, AlongColumn, All };
} // namespace

static Direction directionOf(ReduceOp reduce) {
  if (reduce.getX().getType() == reduce.getResult().getType())
    return Direction::None;
  if (reduce.getAxes().size() == 2)
    return Direction::All;
  const bool vector = flatShape(reduce.getX().getType()).isVector();
  return vector || reduce.getAxes()[0] == 1 ? Direction::AlongRow : Direction::AlongColumn;
}

static Attribute neutralOf(OpBuilder &b, ReduceKind kind) {
  const float infinity = std::numeric_limits<float>::infinity();
  return b.getF32FloatAttr(kind == ReduceKind::Add ? 0.0f : kind == ReduceKind::Max ? -infinity : infinity);
}

static Value combine(ImplicitLocOpBuilder &b, ReduceKind kind, Value x, Value y) {
  switch (kind) {
  case ReduceKind::Add:
    return b.create<arith::AddFOp>(x, y);
  case ReduceKind::Max:
    return b.create<arith::MaxNumFOp>(x, y);
  case ReduceKind::Min:
    return b.create<arith::MinNumFOp>(x, y);
  }
  llvm_unreachable("a kind of reduction");
}

/// The lanes of `value` in one; additions pairwise, which is a fixed order.
static Value combineLanes(ImplicitLocOpBuilder &b, ReduceKind kind, Value value) {
  for (int64_t half = kWidth / 2; isa<VectorType>(value.getType()) && half > 0; half /= 2) {
    auto low = llvm::to_vector(llvm::seq<int64_t>(0, half)), high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
    value = combine(b, kind, b.create<vector::ShuffleOp>(value, value, low),
                    b.create<vector::ShuffleOp>(value, value, high));
  }
  return isa<VectorType>(value.getType()) ? b.create<vector::ExtractOp>(value, 0).getResult() : value;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The nest
//===--------------------------------------------------------------------------------------------------------------===//

void CpuLowering::emitNest(FlatShape shape, ArrayRef<NestOutput> outputs) {
  const int64_t width = shape.columns % kWidth == 0 ? kWidth : 0;
  SmallVector<NestOutput> cells, rowSums, allSums, columnSums;
  for (const NestOutput &output : outputs) {
    Direction direction = output.reduction ? directionOf(output.reduction) : Direction::None;
    (direction == Direction::None       ? cells
     : direction == Direction::AlongRow ? rowSums
     : direction == Direction::All      ? allSums
                                        : columnSums)
        .push_back(output);
  }
  auto neutral = [&](NestOutput sum) { return constantOf(b, neutralOf(b, sum.reduction.getKind()), width); };
  for (NestOutput &sum : columnSums)
    repeat(shape.columns, std::max<int64_t>(width, 1),
           [&](Value column) { store(*sum.target, neutral(sum), i64(0), column, width); });

  SmallVector<Value> allInits;
  for (NestOutput &sum : allSums)
    allInits.push_back(neutral(sum));
  SmallVector<Value> totals = repeat(shape.rows, 1, allInits, [&](Value row, ValueRange running) {
    SmallVector<Value> inits;
    for (NestOutput &sum : rowSums)
      inits.push_back(neutral(sum));
    llvm::append_range(inits, running);
    SmallVector<Value> sums =
        repeat(shape.columns, std::max<int64_t>(width, 1), inits, [&](Value column, ValueRange partial) {
          CellEvaluator cell(*this, row, column, width);
          SmallVector<Value> next;
          for (auto [sum, value] : llvm::zip(llvm::concat<NestOutput>(rowSums, allSums), partial))
            next.push_back(combine(b, sum.reduction.getKind(), value, cell.get(sum.tile)));
          for (NestOutput &sum : columnSums) {
            Value value = load(*sum.target, i64(0), column, width);
            value = combine(b, sum.reduction.getKind(), value, cell.get(sum.tile));
            store(*sum.target, value, i64(0), column, width);
          }
          for (const NestOutput &output : cells)
            store(*output.target, cell.get(output.tile), row, column, width);
          return next;
        });
    for (auto [sum, value] : llvm::zip(rowSums, sums))
      store(*sum.target, combineLanes(b, sum.reduction.getKind(), value), i64(0), row, 0);
    return llvm::to_vector(ArrayRef(sums).drop_front(rowSums.size()));
  });
  for (auto [sum, value] : llvm::zip(allSums, totals))
    scalars.map(sum.reduction.getResult(), combineLanes(b, sum.reduction.getKind(), value));
}

void CpuLowering::computeInto(Value tile, const Buffer &target) {
  if (auto it = buffers.find(tile); it != buffers.end() && it->second.offset == target.offset)
    return;
  emitNest(target.shape, NestOutput{tile, target, {}});
}

void CpuLowering::lowerElementwise(Operation *op) {
  Value tile = op->getResult(0);
  SmallVector<NestOutput> outputs;
  std::optional<Buffer> own;
  if (placement.isStored(tile)) {
    BlockArgument place = placement.carriedPlace(tile);
    own = place ? buffers.lookup(place) : allocateFor(tile);
    outputs.push_back({tile, own, {}});
  }
  SmallVector<std::pair<Value, Buffer>> made;
  for (Operation *fused : placement.fusedWith(tile)) {
    NestOutput output{fused->getResult(0), std::nullopt, {}};
    if (auto reduce = dyn_cast<ReduceOp>(fused)) {
      output.reduction = reduce;
      output.tile = tile;
    }
    if (isTile(fused->getResult(0).getType())) {
      output.target = allocateFor(fused->getResult(0));
      made.push_back({fused->getResult(0), *output.target});
    }
    outputs.push_back(output);
  }
  emitNest(flatShape(tile.getType()), outputs);
  // Registered only now: while the nest was made, the tiles were to be computed, not read.
  if (own)
    buffers[tile] = *own;
  for (auto [result, buffer] : made)
    buffers[result] = buffer;
}

void CpuLowering::lowerReduce(ReduceOp reduce) {
  NestOutput output{reduce.getX(), std::nullopt, reduce};
  if (isTile(reduce.getResult().getType()))
    output.target = allocateFor(reduce.getResult());
  emitNest(flatShape(reduce.getX().getType()), output);
  if (output.target)
    buffers[reduce.getResult()] = *output.target;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Transposes
//===--------------------------------------------------------------------------------------------------------------===//

/// Transposes 16 vectors of 16 in four rounds: round s exchanges the blocks of s lanes beside the diagonal.
static void transposeSquare(ImplicitLocOpBuilder &b, MutableArrayRef<Value> rows) {
  for (int64_t s = kWidth / 2; s > 0; s /= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t lane = 0; lane < kWidth; ++lane) {
      upper.push_back(lane & s ? kWidth + lane - s : lane);
      lower.push_back(lane & s ? kWidth + lane : lane + s);
    }
    for (int64_t i = 0; i < kWidth; ++i) {
      if (i & s)
        continue;
      Value x = rows[i], y = rows[i + s];
      rows[i] = b.create<vector::ShuffleOp>(x, y, upper);
      rows[i + s] = b.create<vector::ShuffleOp>(x, y, lower);
    }
  }
}

void CpuLowering::storeTransposed(SmallVector<Value> block, const Buffer &target, Value row, Value column) {
  transposeSquare(b, block);
  for (auto [k, values] : llvm::enumerate(block))
    store(target, values, add(column, i64(k)), row, kWidth);
}

void CpuLowering::emitTransposed(FlatShape shape, const Buffer &target, RowReader read) {
  repeat(shape.rows, kWidth, [&](Value row) {
    repeat(shape.columns, kWidth, [&](Value column) { storeTransposed(read(row, column), target, row, column); });
  });
}

void CpuLowering::lowerTranspose(TransposeOp transpose) {
  if (placement.kind(transpose.getResult()) == Placement::Kind::Deferred)
    return;
  SmallVector<Buffer> temporaries;
  Buffer source = bufferOf(transpose.getX(), temporaries), target = allocateFor(transpose.getResult());
  emitTransposed(source.shape, target, [&](Value row, Value column) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < kWidth; ++i)
      rows.push_back(load(source, add(row, i64(i)), column, kWidth));
    return rows;
  });
  buffers[transpose.getResult()] = target;
  for (const Buffer &buffer : temporaries)
    release(buffer);
}

Buffer CpuLowering::bufferOf(Value tile, SmallVectorImpl<Buffer> &temporaries) {
  if (auto it = buffers.find(tile); it != buffers.end())
    return it->second;
  Buffer buffer = allocateFor(tile);
  temporaries.push_back(buffer);
  computeInto(tile, buffer);
  return buffer;
}

} // namespace lacuna::cpu
