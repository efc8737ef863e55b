//===- LaunchSignature.h - Checks and packs a launch ------------*- C++ -*-===//
//
// A LaunchSignature is LaunchMetadata made ready: its expressions are parsed, its names resolved. bind() checks a
// caller's arguments against it and computes the run-time dimensions and the grid; ParameterPack then lays the
// parameters out as the kernel expects them (LaunchMetadata.h). Neither allocates where all is well.
//
// bind() refuses, each time with the argument's name, what was given, what is allowed and what to change: a wrong
// number or kind of arguments; a wrong dtype or rank; a null pointer; extents outside 1..2^31-4096, unequal to the
// kernel's or to an earlier argument's; an innermost stride other than 1, negative strides, overlapping output;
// addresses that overflow; base addresses not aligned to the element, or, under a tensor map, base and strides not
// aligned to 16 bytes; block lists that are neither shared nor one a batch or head; a constraint that does not hold; a
// scalar that must be positive and is not; a grid beyond the hardware.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_LAUNCHSIGNATURE_H
#define LACUNA_RUNTIME_LAUNCHSIGNATURE_H

#include "lacuna/Runtime/Arguments.h"
#include "lacuna/Runtime/DriverTypes.h"
#include "lacuna/Runtime/IntExpr.h"
#include "lacuna/Runtime/LaunchMetadata.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace lacuna::runtime {

constexpr size_t kMaxDims = 24;
constexpr size_t kMaxViewRank = 8;
constexpr size_t kMaxTensorMaps = 12;
constexpr size_t kMaxTensorMapRank = 5;

/// What a launch's arguments fix: the value of each dimension, in the order of LaunchMetadata::dims, and the grid.
struct LaunchBounds {
  std::array<int64_t, kMaxDims> dims = {};
  size_t numDims = 0;
  std::array<int64_t, 3> grid = {1, 1, 1};
  int64_t programs() const { return grid[0] * grid[1] * grid[2]; }
};

/// Thread safety: immutable once made; any number of threads may bind.
class LaunchSignature {
public:
  /// Errors: Internal or ParseError where the metadata contradicts itself, which is the compiler's fault, not the
  /// caller's.
  static Expected<LaunchSignature> create(LaunchMetadata metadata);

  /// Checks `arguments` (see the top of the file). Errors: InvalidArgument; Unsupported for a grid that is too large.
  Expected<LaunchBounds> bind(std::span<const ArgumentValue> arguments) const;

  /// What bind() checks of one argument when the shapes of views are known to fit: its kind, the address of a view, a
  /// list against the dimensions, a scalar's sign. Errors: InvalidArgument.
  Expected<void> rebind(size_t index, const ArgumentValue &value, const LaunchBounds &bounds) const;

  const LaunchMetadata &metadata() const { return data; }

private:
  LaunchSignature() = default;
  Expected<void> resolve();

  Expected<void> bindView(size_t index, const TensorView &view, LaunchBounds &bounds, uint64_t &bound) const;
  Expected<void> checkLayout(const Argument &argument, const TensorView &view, bool mapped) const;
  Expected<void> bindBlocks(const Argument &argument, const BlockListView &list, const LaunchBounds &bounds) const;
  Expected<void> checkKind(size_t index, const ArgumentValue &value) const;
  Expected<void> checkScalar(size_t index, const ArgumentValue &value) const;
  Expected<void> computeGrid(LaunchBounds &bounds) const;

  LaunchMetadata data;
  std::vector<IntExpr> grid, constraints;
  /// For each argument, the dimension of each extent, or -1 where it is static.
  std::vector<std::vector<int>> extentDims;
  std::vector<bool> mapped, mustBePositive;
};

/// Makes a signature of `metadata` and binds `arguments`, for a single use.
Expected<LaunchBounds> bindArguments(const LaunchMetadata &metadata, std::span<const ArgumentValue> arguments);

/// The parameters of one launch in fixed storage: pointers() is what cuLaunchKernel and a CPU entry point take.
/// Thread safety: one thread at a time; it points into itself, so it is neither copied nor moved.
class ParameterPack {
public:
  ParameterPack() = default;
  ParameterPack(const ParameterPack &) = delete;
  ParameterPack &operator=(const ParameterPack &) = delete;

  /// Adds one parameter of `bytes` aligned to `alignment`; `value` is copied.
  void add(const void *value, size_t bytes, size_t alignment);
  template <class T> void add(const T &value) { add(static_cast<const void *>(&value), sizeof(T), alignof(T)); }

  /// Puts `value` in place of parameter `slot`, which has the same type.
  template <class T> void set(size_t slot, const T &value) { std::memcpy(slots[slot], &value, sizeof(T)); }
  /// Adds the parameters of `arguments`, which must have been bound, and the dimensions.
  void addArguments(std::span<const ArgumentValue> arguments, const LaunchBounds &bounds);
  /// Adds the parameters of one of them; puts others of the same kind and rank in place of those from `slot` on.
  void addArgument(const ArgumentValue &argument);
  void setArgument(size_t slot, const ArgumentValue &argument);

  /// Adds what a persistent kernel takes beside them; `programs` of the grid's run.
  void addPrograms(int32_t *queue, const int32_t *order, const LaunchBounds &bounds, int64_t programs);

  void **pointers() { return slots.data(); }
  std::span<void *const> view() const { return std::span(slots).first(count); }
  size_t size() const { return count; }

  /// The driver's limit on a kernel's parameters, in bytes, before CUDA 12.1.
  static constexpr size_t kMaxBytes = 4096;
  static constexpr size_t kMaxCount = 160;

private:
  alignas(64) std::array<std::byte, kMaxBytes> storage;
  std::array<void *, kMaxCount> slots;
  size_t used = 0, count = 0;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_LAUNCHSIGNATURE_H
