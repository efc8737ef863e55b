// The caller's memory as a kernel sees it: views, with their bounds, and block lists.
#pragma once

#include "Registers.h"
#include "lacuna/Runtime/Arguments.h"

#include <cstddef>
#include <memory>
#include <span>

namespace lacuna::interpreter {

/// Whether `index` lies in [0, extent).
inline bool isInside(int64_t index, int64_t extent) {
  return index >= 0 && index < extent;
}

/// A view argument. Its position has one index an axis.
class View {
public:
  explicit View(const runtime::TensorView &tensor) : tensor(tensor) {}

  size_t rank() const { return tensor.shape.size(); }
  int64_t extent(size_t axis) const { return tensor.shape[axis]; }
  bool isFloat() const { return tensor.dtype != runtime::DType::I32; }
  bool contains(std::span<const int64_t> position) const;

  /// Precondition of all: contains(position).
  float readFloat(std::span<const int64_t> position) const;
  int32_t readInt(std::span<const int64_t> position) const;
  uint16_t readBits(std::span<const int64_t> position) const; // of a 16-bit type
  void write(std::span<const int64_t> position, float value);
  void write(std::span<const int64_t> position, int32_t value);
  void writeBits(std::span<const int64_t> position, uint16_t bits); // of a 16-bit type

private:
  std::byte *element(std::span<const int64_t> position) const;
  const runtime::TensorView &tensor;
};

/// What one box of a tensor map holds, whoever copies it: 64 elements of the innermost axis by `rows` along `rowAxis`
/// by `outerRows` along the axis before it, from `start` on (an index each axis, which may lie outside). In shared
/// memory it lies at `offset`, with the 128-byte swizzle, which depends on that place. What is outside the view is zero
/// there, and dropped on the way back.
struct Box {
  const View *view = nullptr;
  std::vector<int64_t> start;
  size_t rowAxis = 0;
  int64_t rows = 0, outerRows = 1, offset = 0;
  int64_t bytes() const { return outerRows * rows * warp::kChunkRowBytes; }
  void copyTo(std::byte *sharedMemory) const;
  void copyFrom(const std::byte *sharedMemory) const;
  /// Errors: VerifyError for a start that is an illegal instruction on sm_90.
  Expected<void> checkStart() const;
  /// The same where threads copy 16 bytes at a time: for a start at which these are not aligned.
  Expected<void> checkAlignment() const;

private:
  /// Calls `body` with each position and the place of its element in shared memory.
  template <class Body> void forEach(Body &&body) const;
};

/// One row of a block list, cut into steps: what warp.list_open finds and warp.list_bands makes. Steps are numbered as
/// warp.list_step says.
class ListRow {
public:
  /// `nonempty`: an empty row has a step of padding. Errors: VerifyError where it reads outside the list's arrays.
  static Expected<ListRow> open(warp::ListType type, const runtime::BlockListView &list, int64_t batch, int64_t head,
                                int64_t row, int64_t limit, bool nonempty);
  /// Finds the blocks of bands one by one, by what tile.bands says of each. `bounds`: four a band. Errors: VerifyError
  /// for bands that do not ascend.
  static Expected<ListRow> ofBands(warp::ListType type, std::span<const int32_t> bounds, int64_t limit, bool nonempty);
  int64_t count() const { return partialSteps + fullSteps; }
  int64_t masked() const { return partialSteps + exceedingSteps; }
  /// Whether its one step stands for none.
  bool isPadded() const { return padded; }

  struct Step {
    bool partial = false, exceeds = false;
    std::vector<int64_t> starts;
  };
  /// Errors: VerifyError for a number outside [0, count).
  Expected<Step> step(int64_t number) const;

private:
  static Expected<void> findBlocks(ListRow &result, const runtime::BlockListView &list, int64_t batch, int64_t head,
                                   int64_t row);
  void countSteps(bool nonempty);
  int64_t stepsOf(size_t blocks) const;
  /// Starts of step `number` of one of the two parts, in the order of its blocks.
  std::vector<int64_t> startsOf(std::span<const int32_t> blocks, int64_t number) const;
  bool exceedsLimit(std::span<const int64_t> starts) const;

  warp::ListType type;
  std::shared_ptr<const std::vector<int32_t>> made; // what the next two are of, where no memory holds it
  std::span<const int32_t> partialBlocks, fullBlocks;
  int64_t limit = 0, partialSteps = 0, fullSteps = 0, exceedingSteps = 0;
  bool padded = false;
};

} // namespace lacuna::interpreter
