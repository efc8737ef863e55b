// What a tile holds at the elements that lie past the end: the lattice of tile-mask-tails.
#pragma once

#include "TailSource.h"

namespace lacuna::tile {

/// The values past the end, from nothing known yet (None) to nothing known at all (Unknown).
enum class Past : uint8_t {
  None,     ///< Not computed yet, or no element is past the end here.
  Zero,     ///< 0, of either sign.
  MinusInf, ///< -infinity.
  PlusInf,  ///< +infinity.
  Uniform,  ///< The same along the axis: a scalar or a vector across it. Taken to be no NaN, nor an infinity that
            ///< cancels another: where it is, the elements that count are NaN in that row too.
  Unknown,
};

Past join(Past a, Past b);

/// What `op`, elementwise, holds where its operands hold `operands`.
Past transfer(mlir::Operation *op, llvm::ArrayRef<Past> operands);

/// What `value`, a scalar or a splat, holds everywhere.
Past pastOfConstant(mlir::Attribute value);

/// One axis of one tile.
struct AxisState {
  using Entries = llvm::SmallVector<std::pair<TailSource, Past>, 1>;

  /// Where no source of `tails` is concerned: a constant or Uniform where the tile is the same along the axis, Unknown
  /// where it varies.
  Past base = Past::None;
  /// For each source of the axis, what is held past its end.
  Entries tails;
  /// What a mask made of the elements past the end of another tile's source. The axis itself does not end there, so
  /// that nothing needs to be neutral.
  Entries facts;

  bool operator==(const AxisState &other) const {
    return base == other.base && tails == other.tails && facts == other.facts;
  }
  bool isUniform() const { return base != Past::None && base != Past::Unknown; }
  bool has(const TailSource &source) const;
  Past at(const TailSource &source) const;
  void set(const TailSource &source, Past past);
  /// Records a fact, unless the source is one of the axis.
  void setFact(const TailSource &source, Past past);
};

/// Either of two values.
AxisState join(const AxisState &a, const AxisState &b);

} // namespace lacuna::tile
