// The fixed layouts, exhaustively, against the PTX ISA's tables written out anew: wgmma register fragments (D and A of
// m64nNk16), the 128-byte swizzle, and the constants of matrix descriptors.
#include "lacuna/Dialect/Warp/IR/Layouts.h"
#include "lacuna/Dialect/Warp/IR/Machine.h"

#include <doctest/doctest.h>

#include <map>
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

//===--------------------------------------------------------------------------------------------------------------===//
// mma.sync m16n8k16. The tables are PTX's: element i of a thread's fragment, with its group (lane / 4) and its number
// in the group (lane % 4).
//===--------------------------------------------------------------------------------------------------------------===//

/// a_i: row and value of k.
static Coord ptxA(int64_t lane, int64_t i) {
  int64_t row = (i < 2 || (i >= 4 && i < 6)) ? lane / 4 : lane / 4 + 8;
  return {row, lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
}
/// b_i: value of k and column.
static Coord ptxB(int64_t lane, int64_t i) {
  return {lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0), lane / 4};
}
/// c_i: row and column.
static Coord ptxC(int64_t lane, int64_t i) {
  return {i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)};
}

TEST_CASE("mma.sync's fragments are what a warp has of #warp.acc and #warp.afrag") {
  for (int64_t warp = 0; warp < 4; ++warp)
    for (int64_t lane = 0; lane < 32; ++lane) {
      for (int64_t step = 0; step < 4; ++step)
        for (int64_t i = 0; i < 8; ++i) {
          Coord a = ptxA(lane, i);
          REQUIRE(AFragLayout::coord(32 * warp + lane, 4 * step + i / 2, i % 2) ==
                  Coord{16 * warp + a.row, 16 * step + a.column});
        }
      for (int64_t tile = 0; tile < 8; ++tile)
        for (int64_t i = 0; i < 4; ++i) {
          Coord c = ptxC(lane, i);
          REQUIRE(AccLayout::coord(32 * warp + lane, 4 * tile + i) == Coord{16 * warp + c.row, 8 * tile + c.column});
        }
      for (int64_t i = 0; i < 4; ++i)
        REQUIRE(BFragLayout::coord(lane, i / 2, i % 2) == ptxB(lane, i));
    }
}

/// Which element of the stored tile the thread `lane` gets as element `half` of register `matrix`, following the
/// addresses that lanes name through the swizzle.
static Coord loadedElement(const FragmentLoad &load, int64_t block, int64_t step, int64_t lane, int64_t matrix,
                           int64_t half, const std::map<int64_t, Coord> &elementAt) {
  Coord inMatrix = MatrixLayout::coord(lane, half, load.transposes());
  int64_t naming = 8 * matrix + inMatrix.row; // the lane that names this row
  int64_t address = (load.laneOffset(naming) ^ load.flip(block, step)) + load.offset(block, step);
  return elementAt.at(address + 2 * inMatrix.column);
}

TEST_CASE("FragmentLoad brings each thread what mma.sync wants of it, from every place of an operand") {
  for (int64_t rows : {16, 48, 128})
    for (bool kMajor : {true, false})
      for (bool isA : {true, false}) {
        constexpr int64_t kColumns = 144; // three chunks, the last one part-filled
        CAPTURE(rows);
        CAPTURE(kMajor);
        CAPTURE(isA);
        std::map<int64_t, Coord> elementAt;
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t column = 0; column < kColumns; ++column)
            elementAt[SwizzledTile{rows}.offset(row, column)] = {row, column};
        FragmentLoad load{rows, kMajor, isA};
        int64_t blocks = (kMajor ? rows : kColumns) / 16, steps = (kMajor ? kColumns : rows) / 16;
        for (int64_t block = 0; block < blocks; ++block)
          for (int64_t step = 0; step < steps; ++step)
            for (int64_t lane = 0; lane < 32; ++lane)
              for (int64_t matrix = 0; matrix < 4; ++matrix)
                for (int64_t half : {0, 1}) {
                  Coord stored = loadedElement(load, block, step, lane, matrix, half, elementAt);
                  // Of the operand: m or n, and k.
                  int64_t along = kMajor ? stored.row : stored.column, k = kMajor ? stored.column : stored.row;
                  Coord a = ptxA(lane, 2 * matrix + half), b = ptxB(lane, matrix % 2 * 2 + half);
                  REQUIRE(along == 16 * block + (isA ? a.row : b.column + matrix / 2 * 8));
                  REQUIRE(k == 16 * step + (isA ? a.column : b.row));
                }
      }
}

TEST_CASE("the eight rows of a matrix lie in different banks") {
  for (bool kMajor : {true, false})
    for (bool isA : {true, false}) {
      FragmentLoad load{64, kMajor, isA};
      for (int64_t step = 0; step < 4; ++step)
        for (int64_t matrix = 0; matrix < 4; ++matrix) {
          std::set<int64_t> banks; // groups of four banks: 16 bytes
          for (int64_t row = 0; row < 8; ++row)
            banks.insert(((load.laneOffset(8 * matrix + row) ^ load.flip(0, step)) + load.offset(0, step)) / 16 % 8);
          CHECK(banks.size() == 8);
        }
    }
}

TEST_CASE("LaneCopy writes whole rows of a chunk to their places") {
  for (int64_t first : {0, 8, 24}) {
    std::set<int64_t> seen;
    for (int64_t round = 0; round < LaneCopy::kBlockRows / LaneCopy::kRoundRows; ++round)
      for (int64_t lane = 0; lane < 32; ++lane) {
        int64_t place = first * kChunkRowBytes + LaneCopy::laneOffset(lane);
        int64_t address = (place ^ LaneCopy::flip(round)) + LaneCopy::offset(round);
        int64_t row = first + LaneCopy::kRoundRows * round + LaneCopy::row(lane);
        REQUIRE(address == SwizzledTile{64}.offset(row, LaneCopy::kUnitColumns * LaneCopy::unit(lane)));
        seen.insert(address);
      }
    CHECK(seen.size() == 16 * 8);
  }
}

TEST_CASE("machines: by name, and what their threads start with") {
  const Machine &hopper = machines().front(), *ampere = findMachine("sm_80");
  REQUIRE(ampere);
  CHECK(hopper.name == "sm_90a");
  CHECK(!findMachine("sm_81"));
  CHECK(hopper.threads(2) == 384);
  CHECK(ampere->threads(2) == 288);
  CHECK(hopper.entryRegisters(2, 1) == 168);
  CHECK(hopper.entryRegisters(3, 1) == 128);
  CHECK(hopper.entryRegisters(1, 2) == 128);
  CHECK(hopper.entryRegisters(1, 1) == 248);
  // One warp beside eight is a third warp for one of the multiprocessor's four parts.
  CHECK(ampere->entryRegisters(2, 1) == 168);
  CHECK(ampere->entryRegisters(1, 1) == 248);
  CHECK(ampere->entryRegisters(1, 2) == 168);
  CHECK(ampere->entryRegisters(3, 1) == 128);
  CHECK(ampere->blocksBySharedMemory(80 * 1024) == 2);
  CHECK(ampere->blocksBySharedMemory(163 * 1024) == 1);
}

TEST_CASE("limits of sm_90") {
  CHECK(kSharedMemoryLimit == 227 * 1024);
  CHECK(findMachine("sm_80")->sharedMemoryLimit == 163 * 1024);
  CHECK(findMachine("sm_80")->commonSharedMemory == 99 * 1024);
  CHECK(kProductColumnsLimit == 256);
}
