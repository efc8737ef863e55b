#include "GlobalMemory.h"

#include <cstring>

namespace lacuna::interpreter {

using runtime::DType;

//===--------------------------------------------------------------------------------------------------------------===//
// Views
//===--------------------------------------------------------------------------------------------------------------===//

bool View::contains(std::span<const int64_t> position) const {
  for (size_t axis = 0; axis < position.size(); ++axis)
    if (!isInside(position[axis], tensor.shape[axis]))
      return false;
  return true;
}

std::byte *View::element(std::span<const int64_t> position) const {
  int64_t offset = 0;
  for (size_t axis = 0; axis < position.size(); ++axis)
    offset += position[axis] * tensor.strides[axis];
  return static_cast<std::byte *>(tensor.data) + offset * static_cast<int64_t>(dtypeSize(tensor.dtype));
}

template <class T> static T load(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

uint16_t View::readBits(std::span<const int64_t> position) const {
  return load<uint16_t>(element(position));
}
float View::readFloat(std::span<const int64_t> position) const {
  if (tensor.dtype == DType::F32)
    return load<float>(element(position));
  return runtime::floatFrom16(tensor.dtype, readBits(position));
}
int32_t View::readInt(std::span<const int64_t> position) const {
  return load<int32_t>(element(position));
}
void View::write(std::span<const int64_t> position, float value) {
  if (tensor.dtype == DType::F32) {
    std::memcpy(element(position), &value, sizeof value);
    return;
  }
  const uint16_t bits = runtime::floatTo16(tensor.dtype, value);
  std::memcpy(element(position), &bits, sizeof bits);
}
void View::write(std::span<const int64_t> position, int32_t value) {
  std::memcpy(element(position), &value, sizeof value);
}
void View::writeBits(std::span<const int64_t> position, uint16_t bits) {
  std::memcpy(element(position), &bits, sizeof bits);
}

template <class Body> void Box::forEach(Body &&body) const {
  std::vector<int64_t> position = start;
  for (int64_t row = 0; row < outerRows * rows; ++row) {
    position[rowAxis] = start[rowAxis] + row % rows;
    if (outerRows > 1)
      position[rowAxis - 1] = start[rowAxis - 1] + row / rows;
    for (int64_t column = 0; column < warp::kChunkColumns; ++column) {
      position.back() = start.back() + column;
      const int64_t linear = offset + row * warp::kChunkRowBytes + column * 2;
      body(position, linear ^ (((linear >> 7) & 7) << 4));
    }
  }
}

void Box::copyTo(std::byte *sharedMemory) const {
  forEach([&](std::span<const int64_t> position, int64_t place) {
    const uint16_t bits = view->contains(position) ? view->readBits(position) : 0;
    std::memcpy(sharedMemory + place, &bits, sizeof bits);
  });
}

void Box::copyFrom(const std::byte *sharedMemory) const {
  View target = *view;
  forEach([&](std::span<const int64_t> position, int64_t place) {
    if (target.contains(position))
      target.writeBits(position, load<uint16_t>(sharedMemory + place));
  });
}

Expected<void> Box::checkStart() const {
  const int64_t extent = view->extent(view->rank() - 1), column = start.back();
  if (column < extent || column % warp::kChunkColumns == 0)
    return {};
  return makeError(ErrorCode::VerifyError,
                   "copies a box at innermost position {}, past the view's {} and no multiple of {}: an illegal "
                   "instruction on sm_90",
                   column, extent, warp::kChunkColumns);
}

Expected<void> Box::checkAlignment() const {
  if (start.back() % warp::LaneCopy::kUnitColumns == 0)
    return {};
  return makeError(ErrorCode::VerifyError,
                   "copies from innermost position {}, no multiple of {}: 16 bytes that are not aligned", start.back(),
                   warp::LaneCopy::kUnitColumns);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Lists
//===--------------------------------------------------------------------------------------------------------------===//

/// The blocks of the row; none for a row past the list's end.
Expected<void> ListRow::findBlocks(ListRow &result, const runtime::BlockListView &list, int64_t batch, int64_t head,
                                   int64_t row) {
  if (!isInside(row, list.rowBlocks))
    return {};
  const int64_t index =
      ((list.batches == 1 ? 0 : batch) * list.heads + (list.heads == 1 ? 0 : head)) * list.rowBlocks + row;
  if (!isInside(index, list.batches * list.heads * list.rowBlocks))
    return makeError(ErrorCode::VerifyError, "opens row {} of batch {}, head {}, and the list has {} x {} x {}", row,
                     batch, head, list.batches, list.heads, list.rowBlocks);
  const int64_t first = list.indptr[index], split = list.split[index], end = list.indptr[index + 1];
  if (first < 0 || split < first || end < split || end > list.entries)
    return makeError(ErrorCode::VerifyError, "reads a list whose row {} names the blocks [{}, {}, {}) of {}", index,
                     first, split, end, list.entries);
  result.partialBlocks = {list.indices + first, static_cast<size_t>(split - first)};
  result.fullBlocks = {list.indices + split, static_cast<size_t>(end - split)};
  return {};
}

Expected<ListRow> ListRow::open(warp::ListType type, const runtime::BlockListView &list, int64_t batch, int64_t head,
                                int64_t row, int64_t limit, bool nonempty) {
  ListRow result;
  result.type = type;
  result.limit = limit;
  if (Expected<void> found = findBlocks(result, list, batch, head, row); !found)
    return takeError(found);
  result.countSteps(nonempty);
  return result;
}

void ListRow::countSteps(bool nonempty) {
  partialSteps = stepsOf(partialBlocks.size());
  fullSteps = stepsOf(fullBlocks.size());
  padded = nonempty && count() == 0;
  if (padded)
    fullSteps = 1;
  while (exceedingSteps < fullSteps && exceedsLimit(startsOf(fullBlocks, fullSteps - 1 - exceedingSteps)))
    ++exceedingSteps;
}

/// Whether every position of [begin, end) lies in the spans `all` of the bands around `band`: its own, and those that
/// reach it through spans which overlap or touch. The bounds of a span are bounds[4 * band + 2] and the one after it.
static bool allSee(std::span<const int32_t> bounds, size_t band, int64_t begin, int64_t end, int64_t limit) {
  auto first = [&](size_t at) { return std::max<int64_t>(bounds[4 * at + 2], 0); };
  auto last = [&](size_t at) { return std::min<int64_t>(bounds[4 * at + 3], limit); };
  auto touch = [&](size_t a, size_t b) {
    return first(a) < last(a) && first(b) < last(b) && first(a) <= last(b) && first(b) <= last(a);
  };
  size_t from = band, to = band;
  while (from > 0 && touch(from - 1, from))
    --from;
  while (to + 1 < bounds.size() / 4 && touch(to, to + 1))
    ++to;
  for (int64_t position = begin; position < end; ++position) {
    bool seen = false;
    for (size_t at = from; at <= to; ++at)
      seen |= first(at) <= position && position < last(at);
    if (!seen)
      return false;
  }
  return true;
}

Expected<ListRow> ListRow::ofBands(warp::ListType type, std::span<const int32_t> bounds, int64_t limit, bool nonempty) {
  const int64_t keyBlock = type.getKeyBlock();
  std::vector<int32_t> partial, full;
  size_t latest = 0; // band that a block was listed with
  for (int64_t number = 0; number * keyBlock < limit; ++number) {
    const int64_t begin = number * keyBlock, end = std::min(begin + keyBlock, limit);
    auto meets = [&](size_t band) {
      return std::max<int64_t>(bounds[4 * band], begin) < std::min<int64_t>(bounds[4 * band + 1], end);
    };
    size_t band = 0;
    while (band < bounds.size() / 4 && !meets(band))
      ++band;
    if (band == bounds.size() / 4)
      continue;
    if (band < latest)
      return makeError(ErrorCode::VerifyError,
                       "makes a list of bands that do not ascend: block {} is met by band {}, and band {} by blocks "
                       "before it",
                       number, band, latest);
    latest = band;
    (allSee(bounds, band, begin, end, limit) ? full : partial).push_back(static_cast<int32_t>(number));
  }
  ListRow result;
  result.type = type;
  result.limit = limit;
  auto blocks = std::make_shared<std::vector<int32_t>>(partial);
  blocks->insert(blocks->end(), full.begin(), full.end());
  result.made = blocks;
  result.partialBlocks = std::span(*blocks).first(partial.size());
  result.fullBlocks = std::span(*blocks).subspan(partial.size());
  result.countSteps(nonempty);
  return result;
}

int64_t ListRow::stepsOf(size_t blocks) const {
  const int64_t runs = type.getRunsPerStep(), count = static_cast<int64_t>(blocks);
  return runs == 1 ? count * type.getStepsPerBlock() : (count + runs - 1) / runs;
}

std::vector<int64_t> ListRow::startsOf(std::span<const int32_t> blocks, int64_t number) const {
  const int64_t runs = type.getRunsPerStep(), perBlock = type.getStepsPerBlock();
  const int64_t padding = (limit + warp::kChunkColumns - 1) / warp::kChunkColumns * warp::kChunkColumns;
  if (padded)
    return std::vector<int64_t>(static_cast<size_t>(runs), padding);
  if (runs == 1)
    return {blocks[static_cast<size_t>(number / perBlock)] * type.getKeyBlock() + number % perBlock * type.getStep()};
  std::vector<int64_t> starts;
  for (int64_t entry = number * runs; entry < (number + 1) * runs; ++entry)
    starts.push_back(isInside(entry, static_cast<int64_t>(blocks.size()))
                         ? blocks[static_cast<size_t>(entry)] * type.getKeyBlock()
                         : padding);
  return starts;
}

bool ListRow::exceedsLimit(std::span<const int64_t> starts) const {
  for (int64_t start : starts)
    if (start + type.getRunLength() > limit)
      return true;
  return false;
}

Expected<ListRow::Step> ListRow::step(int64_t number) const {
  if (!isInside(number, count()))
    return makeError(ErrorCode::VerifyError, "asks for step {} of a list that has {}", number, count());
  Step step;
  step.partial = number < partialSteps;
  if (step.partial)
    step.starts = startsOf(partialBlocks, number);
  else if (number < masked()) // the exceeding ones come from the end
    step.starts = startsOf(fullBlocks, fullSteps - 1 - (number - partialSteps));
  else
    step.starts = startsOf(fullBlocks, number - masked());
  step.exceeds = exceedsLimit(step.starts);
  return step;
}

} // namespace lacuna::interpreter
