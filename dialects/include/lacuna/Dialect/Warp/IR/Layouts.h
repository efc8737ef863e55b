// The fixed layouts of tiles in registers and in shared memory, and how they are read and written there. Each is a
// small class; there is no layout algebra. A register layout answers "which element of the tile is register r of thread
// t"; coordinates count within the warpgroup's 64 rows. Source: PTX ISA, wgmma register fragments and shared memory
// matrix layouts.
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

/// The B operand of mma.sync m16n8k16, two 32-bit registers a thread, two elements each. (Its accumulator and its A
/// operand are the 16 rows that a warp has of `#warp.acc` and `#warp.afrag`.) Rows are values of k, columns of n.
struct BFragLayout {
  /// Element `half` (0 low, 1 high) of register `reg`.
  static constexpr Coord coord(int64_t lane, int64_t reg, int64_t half) {
    return {8 * reg + 2 * (lane % 4) + half, lane / 4};
  }
};

/// What ldmatrix gives: matrices of 8x8 16-bit elements, of each one register with two elements. Coordinates are those
/// of the matrix as it is stored: rows of 16 bytes.
struct MatrixLayout {
  static constexpr Coord coord(int64_t lane, int64_t half, bool transposes) {
    Coord straight = {lane / 4, 2 * (lane % 4) + half};
    return transposes ? Coord{straight.column, straight.row} : straight;
  }
};

/// How one ldmatrix of four matrices reads 16x16 elements of an operand of mma.sync from a swizzled tile: the registers
/// of A for 16 rows and 16 values of k, or those of B for 16 columns, eight at a time (register q is register q % 2 of
/// the columns 8 (q / 2) on). Lane l names the row l % 8 of matrix l / 8.
///
/// The eight rows of a matrix have eight different low bits, so that the swizzle puts them into different banks.
struct FragmentLoad {
  int64_t rows; // of the stored tile
  bool kMajor;  // stored with k contiguous ([m][k], [n][k]), or with m or n contiguous ([k][m], [k][n])
  bool isA;

  constexpr bool transposes() const { return !kMajor; }
  /// Of the row and the 16 bytes that `lane` names within the 16x16 elements: matrix q has one of them from each bit.
  constexpr int64_t laneRow(int64_t lane) const { return 8 * (isA == kMajor ? lane / 8 % 2 : lane / 16) + lane % 8; }
  constexpr int64_t laneUnit(int64_t lane) const { return isA == kMajor ? lane / 16 : lane / 8 % 2; }

  /// The address of block `block` of 16 along m or n and k-step `step` is (tile + laneOffset(lane) xor flip) + offset,
  /// in bytes: the tile is aligned to 1,024, so that a flip within a row of 128 touches no other bits.
  constexpr int64_t laneOffset(int64_t lane) const {
    return laneRow(lane) * kChunkRowBytes + ((laneUnit(lane) ^ (lane % 8)) << 4);
  }
  constexpr int64_t flip(int64_t block, int64_t step) const { return (kMajor ? step : block) % 4 * 32; }
  constexpr int64_t offset(int64_t block, int64_t step) const {
    int64_t along = kMajor ? block : step, across = kMajor ? step : block;
    return along * 16 * kChunkRowBytes + across / 4 * rows * kChunkRowBytes;
  }
};

/// How a warp copies rows of a chunk of 64 columns into a swizzled tile, 16 bytes a lane: four rows in each round.
struct LaneCopy {
  static constexpr int64_t kUnitColumns = 8, kUnitBytes = 16, kRoundRows = 4;
  static constexpr int64_t kBlockRows = 16; // copied in one go
  static constexpr int64_t row(int64_t lane) { return lane / 8; }
  static constexpr int64_t unit(int64_t lane) { return lane % 8; }
  /// Round r writes at (tile + laneOffset(lane) xor flip(r)) + offset(r), in bytes, where the first row is a multiple
  /// of 8.
  static constexpr int64_t laneOffset(int64_t lane) {
    return row(lane) * kChunkRowBytes + ((unit(lane) ^ row(lane)) << 4);
  }
  static constexpr int64_t flip(int64_t round) { return round % 2 * 64; }
  static constexpr int64_t offset(int64_t round) { return round * kRoundRows * kChunkRowBytes; }
};

} // namespace lacuna::warp
