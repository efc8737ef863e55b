// The fixed layouts of tiles in registers and in shared memory. There are six, each a small class; there is no layout
// algebra. A register layout answers "which element of the tile is register r of thread t"; coordinates count within
// the warpgroup's 64 rows. Source: PTX ISA, wgmma register fragments and shared memory matrix layouts.
//
// Worked example (AccLayout, 64x16 tile, thread 37): w = 1, l = 5; register 0 is row 16*1 + 5/4 + 0 = 17, column
// 0 + 2*(5%4) + 0 = 2; register 3 (i = 1, k = 1) is row 25, column 3; register 4 (j = 1) is row 17, column 10.
#pragma once

#include <cstdint>

namespace lacuna::warp {

inline constexpr int64_t kWarpgroupThreads = 128;
inline constexpr int64_t kWarpgroupRows = 64;
inline constexpr int64_t kChunkColumns = 64; // 128 bytes of 16-bit elements: the span of the swizzle
inline constexpr int64_t kChunkRowBytes = 128;
inline constexpr int64_t kProductColumnsLimit = 256;  // of one wgmma
inline constexpr int64_t kSharedMemoryLimit = 232448; // 227 KiB a thread block on sm_90

struct Coord {
  int64_t row, column;
  bool operator==(const Coord &) const = default;
};

/// `#warp.acc`: the accumulator of m64nNk16, N/2 registers a thread.
struct AccLayout {
  static constexpr int64_t registers(int64_t columns) { return columns / 2; }
  static constexpr Coord coord(int64_t thread, int64_t reg) {
    int64_t warp = thread / 32, lane = thread % 32;
    return {16 * warp + lane / 4 + 8 * rowHalf(reg), columnBase(reg) + 2 * (lane % 4)};
  }
  /// Which of the thread's two rows a register belongs to.
  static constexpr int64_t rowHalf(int64_t reg) { return (reg >> 1) & 1; }
  /// The register's column in lane 0.
  static constexpr int64_t columnBase(int64_t reg) { return 8 * (reg >> 2) + (reg & 1); }
};

/// `#warp.row`: one value a row, two registers a thread, the same in the four lanes of a quad.
struct RowLayout {
  static constexpr int64_t registers() { return 2; }
  static constexpr int64_t row(int64_t thread, int64_t reg) { return AccLayout::coord(thread, 2 * reg).row; }
  /// The register that holds the row of accumulator register `accReg`.
  static constexpr int64_t ofAcc(int64_t accReg) { return AccLayout::rowHalf(accReg); }
};

/// `#warp.col`: one value a column, N/4 registers a thread, the same in every quad.
struct ColLayout {
  static constexpr int64_t registers(int64_t columns) { return columns / 4; }
  static constexpr int64_t column(int64_t thread, int64_t reg) { return columnBase(reg) + 2 * (thread % 4); }
  static constexpr int64_t columnBase(int64_t reg) { return 8 * (reg >> 1) + (reg & 1); }
  /// The register that holds the column of accumulator register `accReg`.
  static constexpr int64_t ofAcc(int64_t accReg) { return 2 * (accReg >> 2) + (accReg & 1); }
};

/// `#warp.afrag`: the A operand of m64nNk16, four 32-bit registers a k-step, two elements each.
struct AFragLayout {
  static constexpr int64_t registers(int64_t columns) { return columns / 4; }
  /// Element `half` (0 low, 1 high) of register `reg`.
  static constexpr Coord coord(int64_t thread, int64_t reg, int64_t half) {
    int64_t warp = thread / 32, lane = thread % 32;
    return {16 * warp + lane / 4 + 8 * (reg & 1), 16 * (reg / 4) + 8 * ((reg >> 1) & 1) + 2 * (lane % 4) + half};
  }
  /// The accumulator register that becomes element `half` of `reg`: the same thread's, always.
  static constexpr int64_t accRegister(int64_t reg, int64_t half) { return 2 * reg + half; }
};

/// Shared tiles: chunks of 64 columns, each row of a chunk 128 bytes, 16-byte units exchanged by the row's low bits
/// (the 128-byte swizzle of TMA and wgmma). Offsets are bytes from the slot, which is aligned to 1,024.
struct SwizzledTile {
  int64_t rows;
  constexpr int64_t chunkBytes() const { return rows * kChunkRowBytes; }
  constexpr int64_t offset(int64_t row, int64_t column) const {
    int64_t linear = row * kChunkRowBytes + (column % kChunkColumns) * 2;
    return (column / kChunkColumns) * chunkBytes() + (linear ^ (((linear >> 7) & 7) << 4));
  }
};

/// How wgmma reads an operand: the constants of its matrix descriptor and the step from one k16 to the next (bytes).
struct OperandLayout {
  int64_t rows; // rows of the stored tile
  bool kMajor;  // stored with k contiguous ([m][k], [n][k]), or with m or n contiguous ([k][m], [k][n])

  constexpr int64_t leadingByteOffset() const { return kMajor ? 16 : rows * kChunkRowBytes; }
  constexpr int64_t strideByteOffset() const { return 1024; }
  /// Byte offset of k-step `step` (16 values of k).
  constexpr int64_t stepOffset(int64_t step) const {
    return kMajor ? (step % 4) * 32 + (step / 4) * rows * kChunkRowBytes : step * 16 * kChunkRowBytes;
  }
  /// Byte offset of a warpgroup's 64 rows (of the product) within the tile.
  constexpr int64_t warpgroupOffset() const { return kMajor ? kWarpgroupRows * kChunkRowBytes : rows * kChunkRowBytes; }
};

} // namespace lacuna::warp
