// The fixed layouts, exhaustively, against the PTX ISA's tables written out anew: wgmma register fragments (D and A of
// m64nNk16), the 128-byte swizzle, and the constants of matrix descriptors.
#include "lacuna/Dialect/Warp/IR/Layouts.h"

#include <doctest/doctest.h>

#include <set>
#include <utility>

using namespace lacuna::warp;

namespace {

/// PTX ISA, "Register Fragments and Shared Memory Matrix Layouts", figure of the accumulator D: the four elements
/// d0..d3 of a group of eight columns lie in rows (lane / 4) and (lane / 4 + 8) of the warp's 16, in two neighbouring
/// columns.
Coord accumulatorElement(int thread, int reg) {
  int warp = thread / 32, groupOfFour = thread % 32 / 4, lane = thread % 4;
  int group = reg / 4, within = reg % 4;
  int row = 16 * warp + groupOfFour + (within >= 2 ? 8 : 0);
  int column = 8 * group + 2 * lane + (within == 1 || within == 3 ? 1 : 0);
  return {row, column};
}

/// The same for A in registers: a0a1 above, a2a3 eight rows below, a4a5 eight columns on, a6a7 both; 16 columns a
/// k-step.
Coord fragmentElement(int thread, int reg, int half) {
  int warp = thread / 32, groupOfFour = thread % 32 / 4, lane = thread % 4;
  int step = reg / 4, quarter = reg % 4;
  bool below = quarter == 1 || quarter == 3, right = quarter >= 2;
  return {16 * warp + groupOfFour + (below ? 8 : 0), 16 * step + (right ? 8 : 0) + 2 * lane + half};
}

} // namespace

TEST_CASE("AccLayout is the accumulator of m64nNk16, for every N") {
  for (int columns = 8; columns <= 256; columns += 8) {
    CAPTURE(columns);
    std::set<std::pair<int64_t, int64_t>> seen;
    bool agrees = true;
    for (int thread = 0; thread < 128; ++thread)
      for (int reg = 0; reg < AccLayout::registers(columns); ++reg) {
        Coord coord = AccLayout::coord(thread, reg);
        agrees = agrees && coord == accumulatorElement(thread, reg);
        // The two parts of the coordinate that code is generated from.
        agrees = agrees && coord.row == AccLayout::coord(thread, 0).row + 8 * AccLayout::rowHalf(reg);
        agrees = agrees && coord.column == AccLayout::columnBase(reg) + AccLayout::coord(thread, 0).column;
        agrees = agrees && coord.row >= 0 && coord.row < 64 && coord.column >= 0 && coord.column < columns;
        seen.insert({coord.row, coord.column});
      }
    CHECK(agrees);
    CHECK(AccLayout::registers(columns) * kWarpgroupThreads == kWarpgroupRows * columns);
    CHECK(seen.size() == static_cast<size_t>(64 * columns)); // With the count: every element in exactly one register.
  }
}

TEST_CASE("AccLayout: the worked example of the header") {
  CHECK(AccLayout::coord(37, 0) == Coord{17, 2});
  CHECK(AccLayout::coord(37, 3) == Coord{25, 3});
  CHECK(AccLayout::coord(37, 4) == Coord{17, 10});
}

TEST_CASE("RowLayout holds the rows of the thread's accumulator registers, the same in a quad") {
  std::set<int64_t> rows;
  for (int thread = 0; thread < 128; ++thread) {
    for (int reg = 0; reg < AccLayout::registers(256); ++reg)
      REQUIRE(RowLayout::row(thread, RowLayout::ofAcc(reg)) == accumulatorElement(thread, reg).row);
    for (int reg = 0; reg < RowLayout::registers(); ++reg) {
      rows.insert(RowLayout::row(thread, reg));
      REQUIRE(RowLayout::row(thread, reg) == RowLayout::row(thread / 4 * 4, reg));
    }
  }
  CHECK(rows.size() == 64);
  CHECK(*rows.begin() == 0);
  CHECK(*rows.rbegin() == 63);
}

TEST_CASE("ColLayout holds the columns of the thread's accumulator registers, the same in all quads") {
  for (int columns = 8; columns <= 256; columns += 8) {
    CAPTURE(columns);
    std::set<int64_t> seen;
    for (int thread = 0; thread < 128; ++thread) {
      for (int reg = 0; reg < AccLayout::registers(columns); ++reg) {
        REQUIRE(ColLayout::ofAcc(reg) < ColLayout::registers(columns));
        REQUIRE(ColLayout::column(thread, ColLayout::ofAcc(reg)) == accumulatorElement(thread, reg).column);
      }
      for (int reg = 0; reg < ColLayout::registers(columns); ++reg) {
        seen.insert(ColLayout::column(thread, reg));
        REQUIRE(ColLayout::column(thread, reg) == ColLayout::column(thread % 4, reg));
        REQUIRE(ColLayout::column(thread, reg) == ColLayout::columnBase(reg) + ColLayout::column(thread, 0));
      }
    }
    CHECK(seen.size() == static_cast<size_t>(columns));
    CHECK(*seen.rbegin() == columns - 1);
  }
}

TEST_CASE("AFragLayout is the A operand of m64nNk16, made of the same thread's accumulator registers") {
  for (int columns = 16; columns <= 256; columns += 16) {
    CAPTURE(columns);
    std::set<std::pair<int64_t, int64_t>> seen;
    std::set<int64_t> sources;
    for (int thread = 0; thread < 128; ++thread)
      for (int reg = 0; reg < AFragLayout::registers(columns); ++reg)
        for (int half : {0, 1}) {
          Coord coord = AFragLayout::coord(thread, reg, half);
          REQUIRE(coord == fragmentElement(thread, reg, half));
          int64_t source = AFragLayout::accRegister(reg, half);
          REQUIRE(source < AccLayout::registers(columns));
          REQUIRE(coord == AccLayout::coord(thread, source));
          seen.insert({coord.row, coord.column});
          sources.insert(source);
        }
    CHECK(seen.size() == static_cast<size_t>(64 * columns));
    CHECK(sources.size() == static_cast<size_t>(AccLayout::registers(columns)));
  }
}

TEST_CASE("SwizzledTile exchanges 16-byte units within 1,024 bytes by bits[4:6] ^= bits[7:9]") {
  for (int64_t rows : {16, 64, 80, 128, 192, 256})
    for (int64_t columns : {64, 128, 256}) {
      CAPTURE(rows);
      CAPTURE(columns);
      SwizzledTile tile{rows};
      CHECK(tile.chunkBytes() == rows * 128);
      std::set<int64_t> seen;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < columns; ++column) {
          // TMA writes boxes of 64 columns, row after row of 128 bytes, then swizzles by address.
          int64_t linear = column / 64 * rows * 128 + row * 128 + column % 64 * 2;
          int64_t offset = tile.offset(row, column);
          REQUIRE(offset == (linear ^ ((linear >> 7 & 7) << 4)));
          REQUIRE(offset / 1024 == linear / 1024);
          REQUIRE(offset % 16 == linear % 16); // A unit stays whole.
          seen.insert(offset);
        }
      CHECK(seen.size() == static_cast<size_t>(rows * columns));
      CHECK(*seen.rbegin() == rows * columns * 2 - 2);
    }
}

TEST_CASE("OperandLayout: K-major operands step 32 bytes within a chunk's row, then to the next chunk") {
  for (int64_t rows : {16, 64, 128, 192, 256}) {
    CAPTURE(rows);
    OperandLayout layout{rows, /*kMajor=*/true};
    CHECK(layout.strideByteOffset() == 1024); // Eight rows of 128 bytes.
    CHECK(layout.leadingByteOffset() == 16);  // Ignored; encoded as 1.
    CHECK(layout.warpgroupOffset() == 64 * 128);
    for (int64_t step = 0; step < 16; ++step) {
      CHECK(layout.stepOffset(step) == step % 4 * 32 + step / 4 * rows * 128);
      // The unswizzled address of row 0 and the step's first value of k.
      CHECK(layout.stepOffset(step) == SwizzledTile{rows}.offset(0, 16 * step));
    }
  }
}

TEST_CASE("OperandLayout: MN-major operands step 16 rows; groups of 64 columns are a chunk apart") {
  for (int64_t rows : {16, 64, 128, 256}) {
    CAPTURE(rows);
    OperandLayout layout{rows, /*kMajor=*/false};
    CHECK(layout.strideByteOffset() == 1024); // Between eight rows of k and the next.
    CHECK(layout.leadingByteOffset() == rows * 128);
    CHECK(layout.leadingByteOffset() == SwizzledTile{rows}.chunkBytes());
    CHECK(layout.warpgroupOffset() == rows * 128); // 64 columns on: the next chunk.
    for (int64_t step = 0; step < rows / 16; ++step) {
      CHECK(layout.stepOffset(step) == 2048 * step);
      CHECK(layout.stepOffset(step) == SwizzledTile{rows}.offset(16 * step, 0));
    }
  }
}

TEST_CASE("the swizzle leaves a step's first row in place, so that descriptors may add offsets") {
  // Row 8n of a chunk is not exchanged: bits 7 to 9 of its address are zero in a slot aligned to 1,024.
  SwizzledTile tile{128};
  for (int64_t row = 0; row < 128; row += 8)
    for (int64_t column = 0; column < 64; ++column)
      CHECK(tile.offset(row, column) == row * 128 + column * 2);
}

TEST_CASE("limits of sm_90") {
  CHECK(kSharedMemoryLimit == 227 * 1024);
  CHECK(kProductColumnsLimit == 256);
}
