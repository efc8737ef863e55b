// Where an axis of a tile can run past the end: the unit in which tile-mask-tails thinks.
//
// A tile that was loaded from `view[b, r :+ 128]` has an axis whose element i stands at position r + i of a view axis
// that ends at some limit. A tile loaded at the positions t of a sparse loop has an axis whose element j stands at
// t[j], with the loop's limit. Both are a TailSource: an anchor (r or t) and a limit. Two tiles with one source on
// their axes run past the end together, element by element; that is what makes `load * load` safe to contract.
//
// Where two view axes make the rows together, as in `view[h :+ 4, r :+ 16]`, the axis has two sources: element i stands
// at h + i / 16 of the one and at r + i % 16 of the other, and counts where it lies before both ends.
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace lacuna::tile {

struct TailSource {
  /// The first position (i32: an i64 IntegerAttr where it is known) or a value of type !tile.positions.
  mlir::OpFoldResult anchor;
  /// The first position that does not count: a number (i64 IntegerAttr), the name of a run-time dimension (StringAttr)
  /// or an i32 value.
  mlir::OpFoldResult limit;
  /// Positions from the anchor on: element i stands at position i / repeat % extent.
  int64_t extent = 0;
  /// Neighbouring elements that stand at one position.
  int64_t repeat = 1;
  /// Elements along the tile's axis.
  int64_t elements = extent;

  bool operator==(const TailSource &other) const {
    return anchor == other.anchor && limit == other.limit && repeat == other.repeat &&
           wrapsAround() == other.wrapsAround() && (!wrapsAround() || extent == other.extent);
  }
  /// Whether the positions come again and again.
  bool wrapsAround() const { return repeat * extent < elements; }

  /// The positions of a sparse loop, or null where the axis is one run from a first position on.
  mlir::TypedValue<PositionsType> getPositions() const;
  /// Whether `value` is one of those that the source is described by.
  bool isDefinedBy(llvm::function_ref<bool(mlir::Value)> predicate) const;

  /// Whether the axis reaches past the limit at all (i1), or null where that is known to be so.
  mlir::Value emitReachesPast(mlir::OpBuilder &builder, mlir::Location loc) const;
  /// Which elements count: an i1 tile with extent 1 on the other axis.
  mlir::Value emitCounts(mlir::OpBuilder &builder, mlir::Location loc, int axis) const;

  /// Whether `condition` is what `emitReachesPast` computes: where it is false, no element lies past the limit.
  bool isReachesPast(mlir::Value condition) const;
  /// Whether `condition`, an i1 tile, is what `emitCounts` computes for `axis`, or implies it: false for every element
  /// past the limit.
  bool isCounts(mlir::Value condition, int axis) const;

private:
  /// Whether `value` is limit - anchor.
  bool isRemaining(mlir::Value value) const;
  /// The position of each element, counted from the anchor, along `axis` of a tile of `type`.
  mlir::Value emitPlaces(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type) const;
  /// Whether `value` is what `emitPlaces` computes.
  bool isPlaces(mlir::Value value, int axis) const;
};

/// The sources of each axis of the tile that a load or store accesses.
struct AccessSources {
  llvm::SmallVector<TailSource, 1> axes[2];
};
AccessSources getAccessSources(ViewType view, mlir::OperandRange indices, llvm::ArrayRef<int64_t> sizes,
                               mlir::Type value);

/// The source of `tile.key_positions`, whose columns are the positions themselves.
TailSource getPositionsSource(mlir::Value positions);

} // namespace lacuna::tile
