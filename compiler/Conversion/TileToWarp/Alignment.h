// Which coordinates are multiples of what: a copy to shared memory has to start at a multiple of 16 bytes of the
// innermost axis, or it is refused here. (Past the end of the view lower-warp moves it on to a multiple of 64
// elements.)
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/DenseMap.h"

namespace lacuna {

/// Elements of 16 bits that a copy's start on the innermost axis is a multiple of.
constexpr int64_t kCopyAlignment = 8;

/// How often 2 divides each i32 value of a kernel, at least. Values that the launch gives (arguments, dimensions,
/// places in the grid) are taken to be odd; arithmetic and loops are followed: in `for k in 0..n by 64`, k is a
/// multiple of 64.
class Divisibility {
public:
  explicit Divisibility(tile::FuncOp func);
  /// The largest power of two known to divide `value`; 2^31 for zero.
  int64_t of(mlir::Value value) const { return int64_t(1) << twos(value); }

private:
  unsigned twos(mlir::Value value) const;
  /// The smaller of what is known and `most`; whether that is news.
  bool lower(mlir::Value value, unsigned most);
  bool visit(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, unsigned> known;
};

/// Refuses a load into shared memory whose start on the innermost axis is not known to be a multiple of kCopyAlignment.
/// `machine`: its name, for the message.
mlir::LogicalResult verifyCopyAlignment(tile::LoadOp load, llvm::StringRef machine);

} // namespace lacuna
