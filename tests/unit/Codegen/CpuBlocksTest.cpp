// tile.for_blocks on the CPU: which positions its steps cover, in which order, and what its lists' layout means.
#include "CpuKernelHarness.h"

#include <algorithm>

using namespace lacuna;
using namespace lacuna::test;

namespace {

/// Writes, for each step of row x of (batch z, head y): its positions, then whether it is partial and exceeds the
/// limit.
constexpr const char *kTrace = R"mlir(
tile.func @trace(%rows: !tile.blocks<16, {KB}, [B, H]>, %p: !tile.view<[B, H, R, S, {STEP}], i32> {tile.output},
                 %f: !tile.view<[B, H, R, S, 2], i32> {tile.output}, %limit: i32)
    attributes {dims = ["B", "H", "R", "S"], grid = ["R", "H", "B"]} {
  %x = tile.program_id 0
  %y = tile.program_id 1
  %z = tile.program_id 2
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %n = tile.for_blocks %t in %rows[%z, %y, %x] step {STEP} limit %limit init(%s = %c0)
      : !tile.blocks<16, {KB}, [B, H]>, i32 {
    %k = tile.key_positions %t : !tile.positions<{STEP}> -> tensor<1x{STEP}xi32>
    %kt = tile.transpose %k : tensor<1x{STEP}xi32> -> tensor<{STEP}x1xi32>
    tile.store %kt, %p[%z, %y, %x, %s, %c0] sizes [0, 0, 0, 0, {STEP}]
        : tensor<{STEP}x1xi32>, (!tile.view<[B, H, R, S, {STEP}], i32>, i32, i32, i32, i32, i32)
    %partial = tile.is_partial %t : !tile.positions<{STEP}>
    %a = arith.extui %partial : i1 to i32
    tile.store %a, %f[%z, %y, %x, %s, %c0] sizes [0, 0, 0, 0, 0]
        : i32, (!tile.view<[B, H, R, S, 2], i32>, i32, i32, i32, i32, i32)
    %exceeds = tile.exceeds %t, %limit : !tile.positions<{STEP}>
    %b = arith.extui %exceeds : i1 to i32
    tile.store %b, %f[%z, %y, %x, %s, %c1] sizes [0, 0, 0, 0, 0]
        : i32, (!tile.view<[B, H, R, S, 2], i32>, i32, i32, i32, i32, i32)
    %next = arith.addi %s, %c1 : i32
    tile.yield %next : i32
  }
  tile.return
}
)mlir";

struct Step {
  std::vector<int32_t> positions;
  bool isPartial;
};

/// The steps of one row, by the op's definition.
std::vector<Step> expectedSteps(const std::vector<int32_t> &partial, const std::vector<int32_t> &full, int keyBlock,
                                int step, int limit) {
  std::vector<Step> steps;
  for (bool isPartial : {true, false}) {
    std::vector<int32_t> positions;
    for (int32_t block : isPartial ? partial : full)
      for (int i = 0; i < keyBlock; ++i)
        positions.push_back(block * keyBlock + i);
    while (positions.size() % step != 0)
      positions.push_back(limit);
    for (size_t at = 0; at < positions.size(); at += step)
      steps.push_back({{positions.begin() + at, positions.begin() + at + step}, isPartial});
  }
  return steps;
}

/// Two batches of three heads of four rows; the list has `listBatches` x `listHeads` and three rows, so row 3 is empty.
void checkSteps(int keyBlock, int step, int listBatches, int listHeads) {
  INFO("KB ", keyBlock, ", step ", step, ", lists ", listBatches, " x ", listHeads);
  constexpr int kBatches = 2, kHeads = 3, kRows = 4, kListRows = 3, kSteps = 64, kLimit = 1000;
  std::vector<int32_t> indptr{0}, split, indices;
  std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> rows;
  std::mt19937 generator(static_cast<unsigned>(keyBlock * 7 + step));
  for (int row = 0; row < listBatches * listHeads * kListRows; ++row) {
    std::vector<int32_t> partial, full;
    for (int32_t block = 0; block * keyBlock < kLimit && block < 12; ++block)
      if (row % 5 != 4 && generator() % 2)
        (generator() % 3 == 0 ? partial : full).push_back(block);
    if (row == 0)
      full.push_back((kLimit - 1) / keyBlock); // Reaches past the limit.
    indices.insert(indices.end(), partial.begin(), partial.end());
    split.push_back(static_cast<int32_t>(indices.size()));
    indices.insert(indices.end(), full.begin(), full.end());
    indptr.push_back(static_cast<int32_t>(indices.size()));
    rows.emplace_back(partial, full);
  }
  CompiledKernel kernel(substitute(kTrace, {{"KB", std::to_string(keyBlock)}, {"STEP", std::to_string(step)}}));
  std::vector<int32_t> positions(kBatches * kHeads * kRows * kSteps * step, -1),
      flags(kBatches * kHeads * kRows * kSteps * 2, -1);
  Parameters parameters;
  parameters.pointer(indptr.data()).pointer(split.data()).pointer(indices.data());
  parameters.i64(listBatches == 1 ? 0 : listHeads * kListRows).i64(listHeads == 1 ? 0 : kListRows).i32(kListRows);
  parameters.view(positions, {kBatches, kHeads, kRows, kSteps, step}).view(flags, {kBatches, kHeads, kRows, kSteps, 2});
  parameters.i32(kLimit).i32(kBatches).i32(kHeads).i32(kRows).i32(kSteps);
  kernel.run(parameters, kRows, kHeads, kBatches);

  for (int b = 0; b < kBatches; ++b)
    for (int h = 0; h < kHeads; ++h)
      for (int r = 0; r < kRows; ++r) {
        const int list = (listBatches == 1 ? 0 : b) * listHeads + (listHeads == 1 ? 0 : h);
        std::vector<Step> steps;
        if (r < kListRows)
          steps = expectedSteps(rows[list * kListRows + r].first, rows[list * kListRows + r].second, keyBlock, step,
                                kLimit);
        REQUIRE(steps.size() < kSteps);
        const int program = (b * kHeads + h) * kRows + r;
        for (size_t s = 0; s < steps.size(); ++s) {
          const int32_t *got = &positions[(program * kSteps + s) * step], *flag = &flags[(program * kSteps + s) * 2];
          CHECK(std::equal(got, got + step, steps[s].positions.begin()));
          CHECK(flag[0] == steps[s].isPartial);
          const bool exceeds = std::any_of(got, got + step, [](int32_t position) { return position >= kLimit; });
          CHECK(flag[1] == exceeds);
        }
        CHECK(flags[(program * kSteps + steps.size()) * 2] == -1); // No step more.
      }
}

} // namespace

TEST_CASE("the sparse loop covers the listed blocks, partial ones first") {
  checkSteps(64, 64, 2, 3);
  checkSteps(128, 32, 1, 3);
  checkSteps(16, 64, 2, 1);
  checkSteps(32, 48 * 2, 1, 1);
  checkSteps(16, 16, 2, 3);
}
