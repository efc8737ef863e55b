// The blocks of bands (tile.bands, warp.list_bands) as arithmetic: what both targets make of them.
//
// A row lists its blocks as entries 0, 1, 2, …: the partial ones ascending, then the full ones ascending, as a list in
// memory does. Of each band the blocks are three stretches: partial ones left of the full ones, the full ones, and
// partial ones right of them. So the entries are a few *runs* of neighbouring blocks:
//
//            band 0                      band 1
//   blocks   | left | full | right |     | left | full | right |
//   entries  left 0, right 0, left 1, right 1 | full 0, full 1
//                                             ^ partialBlocks      ^ blocks
//
// and the block of an entry is the entry plus its run's offset: a chain of a few selects, without memory. Runs that are
// seen to be empty when the code is made are left out: of a dense row one is left, of a causal one two.
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

namespace lacuna {

/// A run of entries: those before `end` (and after the run before) are blocks at `offset` from their numbers.
struct EntryRun {
  mlir::Value end, offset;
};

/// All values are i32. There is at least one run.
struct BandRuns {
  llvm::SmallVector<EntryRun> runs;
  mlir::Value partialBlocks, blocks; ///< how many entries are partial; how many there are
  bool neverEmpty = false;           ///< as is seen when the code is made
};

/// The most runs that bands of `bounds` bounds make.
size_t mostRuns(size_t bounds);

/// Emits the runs of the row at `builder`. `limit` is at least 1. Meaning: `tile.bands`.
BandRuns emitBandRuns(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<tile::Band> bands, int64_t keyBlock,
                      mlir::Value limit);

/// The block of an entry; some number where there is no such entry.
mlir::Value emitBlockOf(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<EntryRun> runs, mlir::Value entry);

} // namespace lacuna
