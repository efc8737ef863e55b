// tile.dot: a block of the result stays in registers while the contracted axis runs.
//
// B is packed into panels (Buffer::panelWidth): for each k the panel's columns lie side by side, so the inner loop
// reads B straight through; one panel stays in the first-level cache while the rows of A go by. A needs no packing: its
// elements are read one by one and repeated over a register.
#include "CellEvaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

static RankedTensorType matrixType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// 32 registers of 16 hold 16 accumulators, the panel's row and a repeated element of A; 16 registers of 8 hold 4 x 16.
DotBlocking CpuLowering::blockingOf(int64_t rows, int64_t columns) const {
  DotBlocking blocking = !wide ? DotBlocking{4, 16} : columns % 32 == 0 ? DotBlocking{8, 32} : DotBlocking{16, 16};
  if (rows == 1)
    blocking.rows = 1;
  return blocking;
}

/// A's element (i, k), also where A is the transpose of a tile in memory.
CpuLowering::DotOperand CpuLowering::dotOperandA(Value a, SmallVectorImpl<Buffer> &temporaries) {
  const int64_t rows = matrixType(a).getDimSize(0), columns = matrixType(a).getDimSize(1);
  auto transpose = a.getDefiningOp<TransposeOp>();
  const bool isTransposed = transpose && !buffers.count(a);
  Buffer buffer = bufferOf(isTransposed ? transpose.getX() : a, temporaries);
  return isTransposed ? DotOperand{buffer, 1, rows} : DotOperand{buffer, columns, 1};
}

Buffer CpuLowering::dotOperandB(Value operand, DotBlocking blocking, SmallVectorImpl<Buffer> &temporaries) {
  auto transpose = operand.getDefiningOp<TransposeOp>();
  Value source = transpose && !buffers.count(operand) ? transpose.getX() : operand;
  if (auto it = buffers.find(source); it != buffers.end() && it->second.panelWidth)
    return it->second;
  FlatShape shape{matrixType(operand).getDimSize(0), matrixType(operand).getDimSize(1)};
  Buffer panels = allocate(shape, matrixType(operand).getElementType(), blocking.columns);
  if (source == operand || flatShape(source.getType()).isVector()) {
    repeat(shape.rows, 1, [&](Value k) {
      repeat(shape.columns, kWidth, [&](Value column) {
        store(panels, CellEvaluator(*this, k, column, kWidth).get(source), k, column, kWidth);
      });
    });
  } else {
    Buffer rows = bufferOf(source, temporaries);
    emitTransposed(rows.shape, panels, [&](Value row, Value column) {
      SmallVector<Value> block;
      for (int64_t i = 0; i < kWidth; ++i)
        block.push_back(load(rows, add(row, i64(i)), column, kWidth));
      return block;
    });
  }
  temporaries.push_back(panels);
  return panels;
}

void CpuLowering::lowerDot(DotOp dot) {
  SmallVector<Buffer> temporaries;
  RankedTensorType type = matrixType(dot.getResult());
  DotOperand a = dotOperandA(dot.getA(), temporaries);
  BlockArgument place = placement.carriedPlace(dot.getResult());
  const bool isColumn = type.getDimSize(1) == 1;
  DotBlocking blocking = blockingOf(type.getDimSize(0), type.getDimSize(1));
  Buffer operandB = isColumn ? bufferOf(dot.getB(), temporaries) : dotOperandB(dot.getB(), blocking, temporaries);
  Buffer result = place ? buffers.lookup(place) : allocateFor(dot.getResult());
  if (isColumn)
    emitDotColumn(dot, a, operandB, result);
  else
    emitDot(dot, a, operandB, result, blocking);
  buffers[dot.getResult()] = result;
  for (const Buffer &buffer : temporaries)
    release(buffer);
}

void CpuLowering::emitDot(DotOp dot, const DotOperand &a, const Buffer &panels, const Buffer &result,
                          DotBlocking blocking) {
  RankedTensorType type = matrixType(dot.getResult());
  const int64_t contracted = matrixType(dot.getA()).getDimSize(1), vectors = blocking.columns / kWidth;
  auto cellOf = [&](Value row, Value column, int64_t index) {
    return std::pair(add(row, i64(index / vectors)), add(column, i64(index % vectors * kWidth)));
  };
  const int64_t cells = blocking.rows * vectors;
  repeat(type.getDimSize(1), blocking.columns, [&](Value column) {
    repeat(type.getDimSize(0), blocking.rows, [&](Value row) {
      SmallVector<Value> sums;
      for (int64_t cell = 0; cell < cells; ++cell) {
        auto [i, j] = cellOf(row, column, cell);
        sums.push_back(dot.getAcc() ? CellEvaluator(*this, i, j, kWidth).get(dot.getAcc())
                                    : constantOf(b, b.getF32FloatAttr(0), kWidth));
      }
      sums = repeat(contracted, 1, sums, [&](Value k, ValueRange running) {
        SmallVector<Value> right, next;
        for (int64_t v = 0; v < vectors; ++v)
          right.push_back(load(panels, k, add(column, i64(v * kWidth)), kWidth));
        Value first = add(mul(row, i64(a.rowStride)), mul(k, i64(a.columnStride)));
        for (int64_t i = 0; i < blocking.rows; ++i) {
          Value left = load(a.buffer, i64(0), add(first, i64(i * a.rowStride)), 0);
          Value repeated = splat(b, left, kWidth);
          for (int64_t v = 0; v < vectors; ++v)
            next.push_back(b.create<math::FmaOp>(repeated, right[v], running[i * vectors + v]));
        }
        return next;
      });
      for (int64_t cell = 0; cell < cells; ++cell) {
        auto [i, j] = cellOf(row, column, cell);
        store(result, sums[cell], i, j, kWidth);
      }
    });
  });
}

/// A product with one column: for each row a sum over k.
void CpuLowering::emitDotColumn(DotOp dot, const DotOperand &a, const Buffer &vector, const Buffer &result) {
  const int64_t rows = matrixType(dot.getA()).getDimSize(0), contracted = matrixType(dot.getA()).getDimSize(1);
  Value zero = i64(0);
  repeat(rows, 1, [&](Value row) {
    Value init =
        dot.getAcc() ? CellEvaluator(*this, zero, row, 0).get(dot.getAcc()) : constantOf(b, b.getF32FloatAttr(0), 0);
    Value sum = repeat(contracted, 1, init, [&](Value k, ValueRange running) {
      Value place = add(mul(row, i64(a.rowStride)), mul(k, i64(a.columnStride)));
      Value left = load(a.buffer, zero, place, 0), right = load(vector, zero, k, 0);
      return SmallVector<Value>{b.create<math::FmaOp>(left, right, running[0])};
    })[0];
    store(result, sum, zero, row, 0);
  });
}

} // namespace lacuna::cpu
