#include "lacuna/Runtime/SplitPlan.h"

#include "lacuna/Runtime/ProgramOrder.h"

#include <algorithm>
#include <limits>

namespace lacuna::runtime {
namespace {

constexpr int64_t kMaxCount = std::numeric_limits<int32_t>::max();

/// How many parts of row block `row` of CSR `cut` have blocks; those are its first.
int32_t partsOf(const BlockLists &cut, int64_t row, int64_t splits) {
  int32_t count = 0;
  while (count < splits && cut.indptr[row * splits + count + 1] > cut.indptr[row * splits + count])
    ++count;
  return count;
}

int64_t rowsOf(const AttentionShape &shape) {
  return shape.batch * shape.heads * shape.queries;
}

} // namespace

int64_t orderCacheBytes(const DeviceInfo &device) {
  return device.l2Bytes / 2; // The rest is for what is under way.
}

SplitMachine SplitMachine::of(const Device *device, const LaunchMetadata &kernel) {
  if (!device)
    return {};
  return {int64_t(device->info().multiprocessors) * std::max(1, kernel.persistentBlocks),
          orderCacheBytes(device->info())};
}

int64_t SplitPlan::bytesOfPart(const AttentionShape &shape) {
  return rowsOf(shape) * (shape.valueDim + 1) * static_cast<int64_t>(sizeof(float));
}

Expected<SplitPlan> SplitPlan::create(const BlockLists &lists, const AttentionShape &shape, AttentionTile tile,
                                      int64_t splits, SplitMachine machine, int64_t heads) {
  if (splits < 1 || splits > kMostSplits)
    return makeError(ErrorCode::InvalidArgument, "rows in {} parts were asked for; give 1 to {}", splits, kMostSplits);
  const int64_t tiles = (shape.queries + tile.queries - 1) / tile.queries;
  AttentionShape programs = shape;
  programs.heads /= heads;
  for (int64_t count : {lists.numLists() * lists.rowBlocks * splits, programs.batch * programs.heads * tiles * splits})
    if (count > kMaxCount)
      return makeError(ErrorCode::ResourceExhausted,
                       "rows in {} parts make {} programs or list rows, and 2^31 - 1 are possible; give fewer parts or "
                       "larger blocks",
                       splits, count);
  SplitPlan plan;
  plan.shape = shape;
  plan.parts = splits;
  plan.headsOfTile = heads;
  plan.cut = splitRows(lists, splits, tile.keys);
  std::vector<int32_t> order =
      longestFirst(plan.cut, programs, tile.queries, machine.cacheBytes, machine.threadBlocks, splits);
  if (splits == 1) // not left out there
    std::erase_if(order, [&, steps = programSteps(plan.cut, programs, tile)](int32_t program) {
      return steps[static_cast<size_t>(program)] == 0;
    });
  plan.numPrograms = static_cast<int64_t>(order.size());

  auto append = [&](const std::vector<int32_t> &part) {
    plan.numbers.insert(plan.numbers.end(), part.begin(), part.end());
    return plan.numbers.size();
  };
  plan.splitAt = append(plan.cut.indptr);
  plan.indicesAt = append(plan.cut.split);
  plan.countsAt = append(plan.cut.indices);
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i)
        plan.numbers.push_back(partsOf(plan.cut, lists.row(b, h / heads, i / lists.queryBlock), splits));
  plan.orderAt = plan.numbers.size();
  append(order);

  const size_t rows = static_cast<size_t>(splits * rowsOf(shape));
  plan.lseOffset = rows * static_cast<size_t>(shape.valueDim) * sizeof(float);
  plan.lseOffset = (plan.lseOffset + kAlignment - 1) / kAlignment * kAlignment;
  plan.lseBytes = rows * sizeof(float);
  return plan;
}

Expected<void> SplitPlan::checkWorkspace(const void *workspace, size_t bytes) const {
  if (!workspace || bytes < workspaceBytes())
    return makeError(ErrorCode::InvalidArgument,
                     "a workspace of {} bytes at address {:#x} was given; rows in {} parts need {} bytes", bytes,
                     reinterpret_cast<uint64_t>(workspace), parts, workspaceBytes());
  if (reinterpret_cast<uint64_t>(workspace) % kAlignment != 0)
    return makeError(ErrorCode::InvalidArgument, "the workspace is at address {:#x}; give a multiple of {} bytes",
                     reinterpret_cast<uint64_t>(workspace), kAlignment);
  return {};
}

std::array<ArgumentValue, 7> SplitPlan::partsArguments(const int32_t *tables, void *workspace, const TensorView &q,
                                                       const TensorView &k, const TensorView &v, float scale) const {
  BlockListView rows = cut.view();
  rows.indptr = tables, rows.split = tables + splitAt, rows.indices = tables + indicesAt;
  auto output = [&](size_t offset, std::vector<int64_t> extents) {
    // A number, not a pointer: a plan without a workspace is described, too.
    auto *address = reinterpret_cast<void *>(reinterpret_cast<uintptr_t>(workspace) + offset);
    return TensorView::contiguous(address, DType::F32, std::move(extents));
  };
  return {q,
          k,
          v,
          rows,
          output(0, {parts, shape.batch, shape.heads, shape.queries, shape.valueDim}),
          output(lseOffset, {parts, shape.batch, shape.heads / headsOfTile, headsOfTile, shape.queries}),
          scale};
}

std::array<ArgumentValue, 5> SplitPlan::mergeArguments(const int32_t *tables, void *workspace, const TensorView &o,
                                                       const TensorView &lse) const {
  const std::array<ArgumentValue, 7> written = partsArguments(tables, workspace, {}, {}, {}, 0);
  // A kernel only reads its inputs.
  void *counts = const_cast<int32_t *>(tables) + countsAt;
  TensorView column = lse;
  column.shape.push_back(1);
  column.strides.push_back(1);
  return {written[4],
          TensorView::contiguous(std::get<TensorView>(written[5]).data, DType::F32,
                                 {parts, shape.batch, shape.heads, shape.queries}),
          TensorView::contiguous(counts, DType::I32, {shape.batch, shape.heads, shape.queries}), o, std::move(column)};
}

} // namespace lacuna::runtime
