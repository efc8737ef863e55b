//===- PackHeads.h - Query heads that share keys, in one tile ---*- C++ -*-===//
//
// Where several query heads read one KV head, their queries can be the rows of one tile
// (kernels_dsl/attention_packed.tile, and attention_parts of attention_split.tile): a tile of keys that was loaded once
// then serves them all. That pays in two cases, and this is what the choice weighs:
//
//   few queries     16 queries fill an eighth of a tile of 128 rows; those of 8 heads fill it, and an eighth of the
//   programs
//                   do the same work. Rows in parts (SplitRows.h) keep all multiprocessors busy with them.
//   small blocks    lists of blocks of 64 rows allow tiles of 64 rows only, which need as many copies of keys as 128
//   would;
//                   64 rows of two heads with one list make a tile of 128.
//
// It needs heads of a group with equal lists: BlockLists::withHeadsGrouped looks.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_PACKHEADS_H
#define LACUNA_RUNTIME_PACKHEADS_H

#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/SplitRows.h"

#include <string>

namespace lacuna::runtime {

/// Where the programs run, and what of their parts is decided.
struct PackingMachine {
  int64_t multiprocessors = 1;        ///< 1 for a CPU, whose threads are few
  std::optional<int64_t> splits = {}; ///< parts of the longest row; none: as many as chooseSplits says, up to the most
  int64_t mostSplits = kMostSplits;
  TileLimits limits = kHopperTiles; ///< of the target
};

/// What a step of a tile with so many rows costs on a GPU, in steps of 128. One of 64 rows takes as many copies as one
/// of 128: lists of 64x64 blocks reach 0.66 of the rate of 128x128 ones (docs/performance.md), which makes it 3/4.
double stepCost(int64_t rows);

/// One way to take the rows of an attention: how many a tile has, and the steps of each program.
struct ProgramSet {
  int64_t rows = 0;
  std::vector<int64_t> steps;
};

/// What was chosen: a tile, or nothing where heads stay apart; and why, a phrase.
struct PackingChoice {
  std::optional<PackedTile> tile;
  std::string reason;
};

/// The steps of the programs of `pattern`, a formula, as programSteps has them for its lists; a row's partial and full
/// blocks are counted together.
std::vector<int64_t> programSteps(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock,
                                  const AttentionShape &shape, AttentionTile tile);

/// Whether packed programs are the better ones, each way with the parts that suit it best: their time, in steps of 128
/// rows, is below 0.9 of the others', or it is no longer and they do less than 0.9 of the work.
PackingChoice weighPacking(const ProgramSet &apart, const ProgramSet &packed, PackedTile tile, PackingMachine machine);

/// The same from `lists`, which have one list for each head or for all and pass check(shape), and the tile that heads
/// would have apart. `grouped` is lists.withHeadsGrouped of the group: nothing is packed where that has nothing.
PackingChoice choosePacking(const BlockLists &lists, const std::optional<BlockLists> &grouped,
                            const AttentionShape &shape, AttentionTile tile, PackingMachine machine);

/// The same from a formula, which says the same of all heads, with blocks of queryBlock x keyBlock.
PackingChoice choosePacking(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock, const AttentionShape &shape,
                            AttentionTile tile, PackingMachine machine);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_PACKHEADS_H
