#include "lacuna/Runtime/SplitPlan.h"

#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/Pattern.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

const AttentionShape kShape{
    .batch = 2, .heads = 3, .kvHeads = 3, .queries = 100, .keys = 1000, .headDim = 64, .valueDim = 72};
constexpr AttentionTile kTile{64, 64};

BlockLists dense(const AttentionShape &shape = kShape) {
  return *Pattern::parse("dense")->build(shape, 64, 64, 1);
}

std::string message(const Expected<void> &done) {
  return done ? "" : done.error().message;
}

} // namespace

TEST_CASE("SplitPlan: what the kernels are launched with") {
  Expected<SplitPlan> plan = SplitPlan::create(dense(), kShape, kTile, 4, {});
  REQUIRE(plan);
  CHECK(plan->splits() == 4);
  CHECK(plan->programs() == 2 * 3 * 2 * 4);
  CHECK(plan->lists().rowBlocks == 8);
  const size_t oBytes = 4 * 600 * 72 * sizeof(float), lseBytes = 4 * 600 * sizeof(float);
  CHECK(plan->workspaceBytes() == oBytes + lseBytes);
  CHECK(SplitPlan::bytesOfPart(kShape) * 4 == static_cast<int64_t>(plan->workspaceBytes()));

  std::vector<float> workspace(plan->workspaceBytes() / sizeof(float));
  const int32_t *tables = plan->tables().data();
  TensorView lse = TensorView::contiguous(workspace.data(), DType::F32, {2, 3, 100});
  lse.strides = {1000, 200, 1};
  auto parts = plan->partsArguments(tables, workspace.data(), {}, {}, {}, 0.5f);
  const auto &rows = std::get<BlockListView>(parts[3]);
  CHECK(std::vector<int32_t>(rows.indptr, rows.indptr + 9) == plan->lists().indptr);
  CHECK(std::vector<int32_t>(rows.split, rows.split + 8) == plan->lists().split);
  CHECK(std::vector<int32_t>(rows.indices, rows.indices + rows.entries) == plan->lists().indices);
  CHECK(rows.rowBlocks == 8);
  const auto &po = std::get<TensorView>(parts[4]), &pl = std::get<TensorView>(parts[5]);
  CHECK(po.shape == std::vector<int64_t>{4, 2, 3, 100, 72});
  CHECK(pl.shape == std::vector<int64_t>{4, 2, 3, 1, 100});
  CHECK(static_cast<char *>(pl.data) == static_cast<char *>(po.data) + oBytes);
  CHECK(std::get<float>(parts[6]) == 0.5f);

  auto merge = plan->mergeArguments(tables, workspace.data(), {}, lse);
  CHECK(std::get<TensorView>(merge[0]).data == po.data);
  CHECK(std::get<TensorView>(merge[1]).data == pl.data);
  CHECK(std::get<TensorView>(merge[1]).shape == std::vector<int64_t>{4, 2, 3, 100});
  const auto &counts = std::get<TensorView>(merge[2]);
  CHECK(counts.shape == std::vector<int64_t>{2, 3, 100});
  for (int64_t row = 0; row < 600; ++row)
    REQUIRE(static_cast<const int32_t *>(counts.data)[row] == 4);
  CHECK(std::get<TensorView>(merge[4]).shape == std::vector<int64_t>{2, 3, 100, 1});
  CHECK(std::get<TensorView>(merge[4]).strides == std::vector<int64_t>{1000, 200, 1, 1});

  const LaunchOptions options = plan->partsOptions(tables);
  CHECK(options.programs == plan->programs());
  CHECK(options.order + options.programs == tables + plan->tables().size());
}

TEST_CASE("SplitPlan: parts without blocks do not run and are not counted") {
  BlockLists lists = dense();
  lists.indices = {3, 1, 2, 4, 5};
  lists.indptr = {0, 1, 5};
  lists.split = {0, 1};
  Expected<SplitPlan> plan = SplitPlan::create(lists, kShape, kTile, 4, {});
  REQUIRE(plan);
  CHECK(plan->programs() == 2 * 3 * (1 + 4));
  auto merge = plan->mergeArguments(plan->tables().data(), nullptr, {}, {});
  const int32_t *counts = static_cast<const int32_t *>(std::get<TensorView>(merge[2]).data);
  CHECK(counts[0] == 1);
  CHECK(counts[63] == 1);
  CHECK(counts[64] == 4);
  CHECK(counts[99] == 4);
  CHECK(counts[100] == 1);
  // Nor do empty rows, also without a cut.
  lists.indptr = {0, 0, 5};
  lists.split = {0, 0};
  for (int64_t splits : {1, 2}) {
    plan = SplitPlan::create(lists, kShape, kTile, splits, {});
    REQUIRE(plan);
    CHECK(plan->programs() == 2 * 3 * splits);
  }
  lists.indptr = {0, 0, 0};
  lists.indices.clear();
  plan = SplitPlan::create(lists, kShape, kTile, 2, {});
  REQUIRE(plan);
  CHECK(plan->programs() == 0);
}

TEST_CASE("SplitPlan: a program for each tile of several heads, which have one list") {
  AttentionShape shape = kShape;
  shape.heads = 6;
  BlockLists lists = dense(shape);
  lists.heads = 3; // of two heads each: 1 block, 5 (in 3 parts of at most 2), none
  lists.indptr = {0, 1, 2, 7, 12, 12, 12};
  lists.split = {0, 1, 2, 7, 12, 12};
  lists.indices = {3, 3, 1, 2, 4, 5, 6, 1, 2, 4, 5, 6};
  Expected<SplitPlan> plan = SplitPlan::create(lists, shape, {32, 64}, 4, {}, /*heads=*/2);
  REQUIRE(plan);
  // 4 tiles of 32 queries, in 2 batches.
  CHECK(plan->programs() == 2 * 4 * (1 + 3));
  for (int64_t at = 0; at < plan->programs(); ++at)
    CHECK(plan->partsOptions(plan->tables().data()).order[at] < 4 * 3 * 2 * 4);
  auto parts = plan->partsArguments(plan->tables().data(), nullptr, {}, {}, {}, 1);
  CHECK(std::get<TensorView>(parts[4]).shape == std::vector<int64_t>{4, 2, 6, 100, 72});
  CHECK(std::get<TensorView>(parts[5]).shape == std::vector<int64_t>{4, 2, 3, 2, 100});
  auto merge = plan->mergeArguments(plan->tables().data(), nullptr, {}, {});
  CHECK(std::get<TensorView>(merge[1]).shape == std::vector<int64_t>{4, 2, 6, 100});
  const int32_t *counts = static_cast<const int32_t *>(std::get<TensorView>(merge[2]).data);
  for (int64_t row = 0; row < 2 * 6 * 100; ++row) {
    constexpr int32_t kParts[] = {1, 3, 0};
    REQUIRE(counts[row] == kParts[row / 100 % 6 / 2]);
  }
}

TEST_CASE("SplitMachine: of the CPU it is one program at a time; of a GPU half of the cache is for the order") {
  LaunchMetadata kernel;
  kernel.persistentBlocks = 2;
  CHECK(SplitMachine::of(nullptr, kernel).threadBlocks == 1);
  CHECK(SplitMachine::of(nullptr, kernel).cacheBytes == 0);
  DeviceInfo info;
  info.l2Bytes = 50'000'000;
  CHECK(orderCacheBytes(info) == 25'000'000);
  fake::FakeDriver driver;
  const Device device = driver.open();
  CHECK(SplitMachine::of(&device, kernel).threadBlocks == 2 * device.info().multiprocessors);
  kernel.persistentBlocks = 0;
  CHECK(SplitMachine::of(&device, kernel).threadBlocks == device.info().multiprocessors);
}

TEST_CASE("SplitPlan: what it refuses") {
  for (int64_t splits : {0, -1, 33}) {
    Expected<SplitPlan> plan = SplitPlan::create(dense(), kShape, kTile, splits, {});
    REQUIRE_FALSE(plan);
    CHECK(plan.error().code == ErrorCode::InvalidArgument);
    CHECK(plan.error().message == fmt::format("rows in {} parts were asked for; give 1 to 32", splits));
  }
  AttentionShape wide = kShape;
  wide.heads = 40 << 20;
  Expected<SplitPlan> plan = SplitPlan::create(dense(), wide, kTile, 32, {});
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == ErrorCode::ResourceExhausted);
  CHECK(plan.error().message.find("rows in 32 parts make ") == 0);

  plan = SplitPlan::create(dense(), kShape, kTile, 2, {});
  REQUIRE(plan);
  alignas(64) static char memory[1 << 20];
  const size_t needed = plan->workspaceBytes();
  CHECK(plan->checkWorkspace(memory, needed));
  CHECK(message(plan->checkWorkspace(memory, needed - 1)).find(fmt::format("need {} bytes", needed)) !=
        std::string::npos);
  CHECK(message(plan->checkWorkspace(nullptr, needed)).find("at address 0x0 was given") != std::string::npos);
  CHECK(message(plan->checkWorkspace(memory + 16, needed)).find("give a multiple of 64 bytes") != std::string::npos);
}
