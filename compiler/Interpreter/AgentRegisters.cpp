// Tiles in registers: broadcasts, reductions, coordinates; and tiles of views read and written by the thread's own
// elements.
#include "Agent.h"

#include <fmt/format.h>

#include <cmath>

namespace lacuna::interpreter {

using namespace warp;

constexpr int64_t kWarpThreads = 32;
constexpr int64_t kWarps = kWarpgroupThreads / kWarpThreads;

//===--------------------------------------------------------------------------------------------------------------===//
// Broadcasts and reductions
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Agent::broadcast(BroadcastOp op) {
  Expected<TilePtr> x = tile(op.getX());
  if (!x)
    return takeError(x);
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  Tile result(*type);
  const Form from = (*x)->type.form;
  if (from != Form::Scalar && from != type->form && type->form != Form::Acc)
    return makeError(ErrorCode::Unsupported, "repeats a tile in a way that needs data of other threads");
  for (size_t index = 0, size = type->size(); index < size; ++index) {
    const int64_t reg = static_cast<int64_t>(index) / kWarpgroupThreads;
    size_t source = index;
    if (from == Form::Scalar)
      source = 0;
    else if (from != type->form)
      source =
          static_cast<size_t>((from == Form::Row ? RowLayout::ofAcc(reg) : ColLayout::ofAcc(reg)) * kWarpgroupThreads) +
          index % kWarpgroupThreads;
    if (isFloat(type->element))
      result.floats[index] = (*x)->floats[source];
    else
      result.ints[index] = (*x)->ints[source];
  }
  set(op.getResult(), std::move(result));
  return {};
}

Expected<void> Agent::scaleRows(ScaleRowsOp op) {
  Expected<TilePtr> x = tile(op.getX());
  if (!x)
    return takeError(x);
  Expected<TilePtr> factors = tile(op.getFactors());
  if (!factors)
    return takeError(factors);
  Tile result(**x);
  for (size_t index = 0; index < result.floats.size(); ++index) {
    const int64_t row = RowLayout::ofAcc(static_cast<int64_t>(index) / kWarpgroupThreads);
    result.floats[index] *=
        (*factors)->floats[static_cast<size_t>(row * kWarpgroupThreads) + index % kWarpgroupThreads];
  }
  set(op.getResult(), std::move(result));
  return {};
}

static float combine(tile::ReduceKind kind, float a, float b) {
  switch (kind) {
  case tile::ReduceKind::Add:
    return a + b;
  case tile::ReduceKind::Max:
    return std::fmax(a, b);
  case tile::ReduceKind::Min:
    return std::fmin(a, b);
  }
  llvm_unreachable("unknown reduction");
}

Expected<void> Agent::rowReduce(RowReduceOp op) {
  Expected<TilePtr> x = tile(op.getX());
  if (!x)
    return takeError(x);
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  Tile result(*type);
  for (size_t index = 0; index < (*x)->floats.size(); ++index) {
    const int64_t reg = static_cast<int64_t>(index) / kWarpgroupThreads;
    float &sum =
        result.floats[static_cast<size_t>(RowLayout::ofAcc(reg) * kWarpgroupThreads) + index % kWarpgroupThreads];
    const bool first = (reg & ~int64_t(2)) == 0; // the row's first register
    sum = first ? (*x)->floats[index] : combine(op.getKind(), sum, (*x)->floats[index]);
  }
  set(op.getResult(), std::move(result));
  return {};
}

/// Each value of a register combined with that of the thread whose number differs by `mask`.
static void shuffleCombine(tile::ReduceKind kind, std::vector<float> &values, size_t mask) {
  const std::vector<float> before = values;
  for (size_t index = 0; index < values.size(); ++index)
    values[index] = combine(kind, before[index], before[index ^ mask]); // 128 threads a register: stays within it
}

Expected<void> Agent::quadReduce(QuadReduceOp op) {
  Expected<TilePtr> x = tile(op.getX());
  if (!x)
    return takeError(x);
  Tile result = **x;
  for (size_t mask : {1, 2})
    shuffleCombine(op.getKind(), result.floats, mask);
  set(op.getResult(), std::move(result));
  return {};
}

Expected<Agent::Status> Agent::blockReduce(BlockReduceOp op) {
  const int64_t consumers = block.launch.consumers, threads = consumers * kWarpgroupThreads;
  auto scratch = [&](int64_t warp) { return block.reduceScratch + warp * static_cast<int64_t>(sizeof(float)); };
  if (reduceStage == 0) { // within each warp
    Expected<TilePtr> x = tile(op.getX());
    if (!x)
      return takeError(x);
    std::vector<float> partial((*x)->floats.begin(), (*x)->floats.begin() + kWarpgroupThreads);
    for (size_t index = kWarpgroupThreads; index < (*x)->floats.size(); ++index) {
      float &value = partial[index % kWarpgroupThreads];
      value = combine(op.getKind(), value, (*x)->floats[index]);
    }
    // A quad shares its rows; all quads share their columns.
    const bool row = (*x)->type.form == Form::Row, column = (*x)->type.form == Form::Col;
    for (size_t mask : {1, 2, 4, 8, 16})
      if (!(row && mask < 4) && !(column && mask >= 4))
        shuffleCombine(op.getKind(), partial, mask);
    if (column) {
      set(op.getResult(), Tile::scalar(partial[0]));
      return Status::Ran;
    }
    for (int64_t warp = 0; warp < kWarps; ++warp)
      block.memory.write(scratch(warpgroup() * kWarps + warp),
                         std::as_bytes(std::span(&partial[static_cast<size_t>(warp * kWarpThreads)], 1)), self);
    reduceStage = 1;
  }
  if (reduceStage == 1) { // all warps have written
    Expected<Status> status = syncNamed(op.getBarrier(), threads);
    if (!status || *status == Status::Blocked)
      return status;
    for (int64_t warp = 0; warp < consumers * kWarps; ++warp) {
      float value = 0;
      if (Expected<void> done = block.memory.read(scratch(warp), std::as_writable_bytes(std::span(&value, 1)), self);
          !done)
        return takeError(done);
      reduced = warp == 0 ? value : combine(op.getKind(), reduced, value);
    }
    reduceStage = 2;
    return Status::Stayed;
  }
  Expected<Status> status = syncNamed(op.getBarrier(), threads); // the scratch may be written again
  if (!status || *status == Status::Blocked)
    return status;
  reduceStage = 0;
  set(op.getResult(), Tile::scalar(reduced));
  return Status::Ran;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Coordinates
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Agent::iota(IotaOp op) {
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  Tile result(*type);
  for (size_t index = 0; index < result.ints.size(); ++index) {
    const Coord at = coordOf(*type, index);
    result.ints[index] =
        static_cast<int32_t>(type->form == Form::Row ? at.row + warpgroup() * kWarpgroupRows : at.column);
  }
  set(op.getResult(), std::move(result));
  return {};
}

Expected<void> Agent::positions(PositionsOp op) {
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  std::vector<int32_t> starts;
  for (mlir::Value start : op.getStarts()) {
    Expected<int32_t> found = scalar(start);
    if (!found)
      return takeError(found);
    starts.push_back(*found);
  }
  const int64_t length = type->columns / static_cast<int64_t>(starts.size());
  Tile result(*type);
  for (size_t index = 0; index < result.ints.size(); ++index) {
    const int64_t column = coordOf(*type, index).column;
    result.ints[index] = starts[static_cast<size_t>(column / length)] + static_cast<int32_t>(column % length);
  }
  set(op.getResult(), std::move(result));
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Views
//===--------------------------------------------------------------------------------------------------------------===//

/// A tile of a view: where it starts, and the axes along its rows and its columns.
struct Agent::Access {
  View view;
  std::vector<int64_t> start;
  llvm::ArrayRef<int64_t> sizes;
  tile::AccessAxes axes;

  enum class Place { Inside, Outside, Fault };
  /// The position `row` rows and `column` columns from the tile's first. Only sliced axes may leave the view.
  Place at(int64_t row, int64_t column, std::vector<int64_t> &position) const {
    position = start;
    bool inside = true;
    auto move = [&](int64_t axis, int64_t by) {
      int64_t &there = position[static_cast<size_t>(axis)];
      there += by;
      inside &= isInside(there, view.extent(static_cast<size_t>(axis)));
    };
    for (auto [number, axis] : llvm::enumerate(llvm::reverse(axes.rows))) { // the last counts fastest
      const bool outermost = number + 1 == axes.rows.size();
      const int64_t size = sizes[static_cast<size_t>(axis)];
      move(axis, outermost ? row : row % size);
      row /= size;
    }
    if (axes.column)
      move(*axes.column, column);
    if (!inside)
      return Place::Outside;
    return view.contains(position) ? Place::Inside : Place::Fault;
  }
};

static tl::unexpected<Error> outside(std::string_view what, std::span<const int64_t> position) {
  return makeError(ErrorCode::VerifyError, "{} [{}], which lies outside the view", what, fmt::join(position, ", "));
}

Expected<Agent::Access> Agent::makeAccess(mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> sizes,
                                          mlir::Type value) const {
  const auto argument = mlir::cast<mlir::BlockArgument>(view).getArgNumber();
  Access access{*block.launch.views[argument], {}, sizes, tile::getAccessAxes(sizes, value)};
  for (mlir::Value index : indices) {
    Expected<int32_t> start = scalar(index);
    if (!start)
      return takeError(start);
    access.start.push_back(*start);
  }
  return access;
}

Expected<void> Agent::loadGlobal(LoadGlobalOp op) {
  Expected<Access> access = makeAccess(op.getView(), op.getIndices(), op.getSizes(), op.getResult().getType());
  if (!access)
    return takeError(access);
  Expected<TileType> type = tileTypeOf(op.getResult().getType());
  if (!type)
    return takeError(type);
  Tile result(*type);
  std::vector<int64_t> position;
  const int64_t firstRow = type->form == Form::Col ? 0 : warpgroup() * kWarpgroupRows;
  for (size_t index = 0, size = type->size(); index < size; ++index) {
    const Coord at = coordOf(*type, index);
    const Access::Place place = access->at(firstRow + at.row, at.column, position);
    if (place == Access::Place::Fault)
      return outside("reads", position);
    if (place == Access::Place::Outside)
      continue; // zero
    if (isFloat(type->element))
      result.floats[index] = access->view.readFloat(position);
    else
      result.ints[index] = access->view.readInt(position);
  }
  set(op.getResult(), std::move(result));
  return {};
}

/// Whether thread `thread` of warpgroup `warpgroup` is the one that writes its element, of those that hold it.
static bool writes(Form form, int64_t warpgroup, int64_t thread) {
  switch (form) {
  case Form::Scalar: // the same everywhere
    return warpgroup == 0 && thread == 0;
  case Form::Col: // the same in all quads
    return warpgroup == 0 && thread < 4;
  case Form::Row: // the same in the quad
    return thread % 4 == 0;
  case Form::Acc:
  case Form::AFrag:
    return true;
  }
  llvm_unreachable("unknown form");
}

Expected<void> Agent::storeGlobal(StoreGlobalOp op) {
  Expected<TilePtr> value = tile(op.getValue());
  if (!value)
    return takeError(value);
  Expected<Access> access = makeAccess(op.getView(), op.getIndices(), op.getSizes(), op.getValue().getType());
  if (!access)
    return takeError(access);
  const TileType &type = (*value)->type;
  const bool ownRows = type.form == Form::Acc || type.form == Form::Row;
  std::vector<int64_t> position;
  for (size_t index = 0, size = type.size(); index < size; ++index) {
    if (!writes(type.form, warpgroup(), static_cast<int64_t>(index) % kWarpgroupThreads))
      continue;
    const Coord at = coordOf(type, index);
    const Access::Place place = access->at(at.row + (ownRows ? warpgroup() * kWarpgroupRows : 0), at.column, position);
    if (place == Access::Place::Fault)
      return outside("writes", position);
    if (place == Access::Place::Outside)
      continue; // dropped
    if (isFloat(type.element))
      access->view.write(position, (*value)->floats[index]);
    else
      access->view.write(position, (*value)->ints[index]);
  }
  return {};
}

} // namespace lacuna::interpreter
