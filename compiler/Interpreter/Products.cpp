#include "Products.h"

#include <cstring>

namespace lacuna::interpreter {

using namespace warp;

constexpr int64_t kStep = 16; // values of k of one instruction

/// The byte that holds element (i, k) of the step at `start`, before and after the swizzle.
/// Source: PTX ISA, shared memory matrix layouts: groups of eight rows of 128 bytes; along k for a k-major operand,
/// else along i, where the leading byte offset leads to the next 64.
static int64_t elementOffset(const OperandLayout &layout, int64_t start, int64_t i, int64_t k) {
  int64_t linear = layout.kMajor
                       ? start + i / 8 * layout.strideByteOffset() + i % 8 * kChunkRowBytes + k * 2
                       : start + i / kChunkColumns * layout.leadingByteOffset() + k / 8 * layout.strideByteOffset() +
                             k % 8 * kChunkRowBytes + i % kChunkColumns * 2;
  return linear ^ (((linear >> 7) & 7) << 4);
}

void readOperandStep(const SharedOperand &operand, int64_t step, int64_t along, float *values) {
  const auto dtype = operand.bf16 ? runtime::DType::BF16 : runtime::DType::F16;
  const int64_t start = operand.offset + operand.layout.stepOffset(step);
  for (int64_t k = 0; k < kStep; ++k)
    for (int64_t i = 0; i < along; ++i) {
      uint16_t bits;
      std::memcpy(&bits, operand.memory + elementOffset(operand.layout, start, i, k), sizeof bits);
      values[k * along + i] = runtime::floatFrom16(dtype, bits);
    }
}

/// Source: PTX ISA, ldmatrix and the fragments of mma.m16n8k16.
void readLoadedStep(const SharedOperand &operand, bool isA, int64_t first, int64_t blocks, int64_t step,
                    float *values) {
  constexpr int64_t kMatrices = 4, kSide = 8, kLanes = 32, kBlock = 16;
  const auto dtype = operand.bf16 ? runtime::DType::BF16 : runtime::DType::F16;
  const FragmentLoad load{operand.layout.rows, operand.layout.kMajor, isA};
  const int64_t along = blocks * kBlock;
  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t matrix = 0; matrix < kMatrices; ++matrix) {
      uint16_t rows[kSide][kSide];
      for (int64_t row = 0; row < kSide; ++row) {
        const int64_t place = operand.offset + load.laneOffset(kSide * matrix + row);
        const int64_t address = (place ^ load.flip(first + block, step)) + load.offset(first + block, step);
        std::memcpy(rows[row], operand.memory + address, sizeof rows[row]);
      }
      for (int64_t lane = 0; lane < kLanes; ++lane)
        for (int64_t half : {0, 1}) {
          const Coord at = MatrixLayout::coord(lane, half, load.transposes());
          const Coord inA = AFragLayout::coord(lane, matrix, half), inB = BFragLayout::coord(lane, matrix % 2, half);
          const int64_t k = isA ? inA.column : inB.row, i = isA ? inA.row : inB.column + matrix / 2 * kSide;
          values[k * along + block * kBlock + i] = runtime::floatFrom16(dtype, rows[at.row][at.column]);
        }
    }
}

/// The same of a fragment in registers.
static void readFragmentStep(const Tile &fragment, int64_t step, float *values) {
  constexpr int64_t kRegisters = 8; // elements a thread has of a step
  for (int64_t reg = step * kRegisters; reg < (step + 1) * kRegisters; ++reg)
    for (int64_t thread = 0; thread < kWarpgroupThreads; ++thread) {
      const Coord at = AFragLayout::coord(thread, reg / 2, reg % 2);
      values[(at.column - step * kStep) * kWarpgroupRows + at.row] =
          fragment.floats[static_cast<size_t>(reg * kWarpgroupThreads + thread)];
    }
}

Tile Product::run(const Tile *acc) const {
  Tile result(TileType{Element::F32, Form::Acc, columns});
  std::vector<float> sums(static_cast<size_t>(kWarpgroupRows * columns));
  auto sumOf = [&](size_t index) -> float & {
    const Coord at = coordOf(result.type, index);
    return sums[static_cast<size_t>(at.row * columns + at.column)];
  };
  if (acc)
    for (size_t index = 0; index < acc->floats.size(); ++index)
      sumOf(index) = acc->floats[index];
  std::vector<float> left(kStep * kWarpgroupRows), right(static_cast<size_t>(kStep * columns));
  for (int64_t step = 0; step < steps; ++step) {
    if (aFragment)
      readFragmentStep(*aFragment, step, left.data());
    else if (loadsMatrices)
      readLoadedStep(a, /*isA=*/true, warpgroup * kWarpgroupRows / 16, kWarpgroupRows / 16, step, left.data());
    else
      readOperandStep(a, step, kWarpgroupRows, left.data());
    if (loadsMatrices)
      readLoadedStep(b, /*isA=*/false, 0, columns / 16, step, right.data());
    else
      readOperandStep(b, step, columns, right.data());
    for (int64_t row = 0; row < kWarpgroupRows; ++row) {
      float *sum = sums.data() + row * columns;
      for (int64_t k = 0; k < kStep; ++k) {
        const float x = left[static_cast<size_t>(k * kWarpgroupRows + row)];
        const float *y = right.data() + k * columns;
        for (int64_t column = 0; column < columns; ++column)
          sum[column] += x * y[column];
      }
    }
  }
  for (size_t index = 0; index < result.floats.size(); ++index)
    result.floats[index] = sumOf(index);
  return result;
}

} // namespace lacuna::interpreter
