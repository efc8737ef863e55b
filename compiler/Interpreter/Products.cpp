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
    else
      readOperandStep(a, step, kWarpgroupRows, left.data());
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
