//===- Placement.h - Which tiles live in memory -----------------*- C++ -*-===//
//
// A kernel's tiles are far larger than the register file, and most of them need never exist: in `exp(s - max)` the
// difference is used once, so it is computed inside the loop that computes the exponential. Placement decides, before
// any code is made, what each tile of a kernel is:
//
//   Deferred  an expression, computed element by element inside the loop nest of whoever reads it: constants, iotas and
//             broadcasts always; an elementwise result that has one reader, which runs as often as it does
//   Buffer    row-major in the scratch memory: results of loads, dots, reductions, loops and conditions, and
//   elementwise
//             results with several readers
//   Panel     in the scratch memory in the order in which a dot reads its B operand: a load that only one dot reads, as
//   B
//
// and, of the buffers: after which operation each is free again; which reductions and conversions are computed in the
// loop nest of their operand, while its elements are in registers; and where a result may take its operand's place: an
// accumulator carried round a loop, or the branches of a condition that keep or alter a tile.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_CONVERSION_TILETOCPU_PLACEMENT_H
#define LACUNA_CONVERSION_TILETOCPU_PLACEMENT_H

#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace lacuna::cpu {

/// A tile as loop nests see it: one value a row is as contiguous as one a column, so both are one row.
struct FlatShape {
  int64_t rows = 1, columns = 1;
  int64_t elements() const { return rows * columns; }
  bool isVector() const { return rows == 1; }
  bool operator==(const FlatShape &) const = default;
};
FlatShape flatShape(mlir::Type tile);

inline bool isTile(mlir::Type type) {
  return mlir::isa<mlir::RankedTensorType>(type);
}

/// Whether `op` computes each element of a tile from the same elements of its operands.
bool isElementwise(mlir::Operation *op);

/// Whether a load's rows (or its only axis) lie along the view's innermost axis, so that they are read as vectors.
bool isContiguousAccess(mlir::ValueRange indices, llvm::ArrayRef<int64_t> sizes);

class Placement {
public:
  enum class Kind { Deferred, Buffer, Panel };

  explicit Placement(tile::FuncOp func);

  Kind kind(mlir::Value tile) const;

  /// Tiles whose memory is free once `op` is done.
  llvm::ArrayRef<mlir::Value> releasedAfter(mlir::Operation *op) const;

  /// Reductions and conversions computed in the loop nest of `tile`.
  llvm::ArrayRef<mlir::Operation *> fusedWith(mlir::Value tile) const;
  bool isFused(mlir::Operation *op) const { return fusedOps.contains(op); }

  /// Whether anybody reads `tile` from memory (not if every reader is fused with it).
  bool isStored(mlir::Value tile) const;

  /// The carried value whose memory `tile` overwrites, or null.
  mlir::BlockArgument carriedPlace(mlir::Value tile) const { return carriedPlaces.lookup(tile); }

  /// The tile whose memory a result of scf.if takes over, or null.
  mlir::Value adoptedBy(mlir::Value conditional) const { return adopted.lookup(conditional); }

  /// Whether computing the deferred `tile` reads `leaf`.
  bool reads(mlir::Value tile, mlir::Value leaf) const;

  /// Whether an element of `tile` depends on no element of `leaf` but the one at its own place.
  bool readsInPlace(mlir::Value tile, mlir::Value leaf) const;

private:
  void assignKinds(tile::FuncOp func);
  Kind kindOf(mlir::Operation *op) const;
  bool isDeferrable(mlir::Operation *op) const;
  void fuse(mlir::Operation *op);
  void placeCarried(mlir::Block &body, llvm::ArrayRef<mlir::BlockArgument> carried);
  bool mayOverwrite(mlir::Operation *op, mlir::BlockArgument carried) const;
  void adopt(mlir::Operation *conditional);
  bool mayAdopt(mlir::OpResult result, mlir::Value source) const;
  void assignReleases(tile::FuncOp func);
  /// The operations that read `tile` from memory when they are computed.
  void collectReaders(mlir::Value tile, llvm::SmallVectorImpl<mlir::Operation *> &readers) const;
  /// The last operation of `tile`'s own block that reads it, itself or in its regions.
  mlir::Operation *lastReader(mlir::Value tile) const;

  llvm::DenseMap<mlir::Value, Kind> kinds;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>> releases;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Operation *>> fused;
  llvm::DenseSet<mlir::Operation *> fusedOps;
  llvm::DenseMap<mlir::Value, mlir::BlockArgument> carriedPlaces;
  llvm::DenseMap<mlir::Value, mlir::Value> adopted;
};

} // namespace lacuna::cpu

#endif // LACUNA_CONVERSION_TILETOCPU_PLACEMENT_H
