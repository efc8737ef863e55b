//===- SplitRows.h - Long rows of a list in several parts -------*- C++ -*-===//
//
// A program of an attention kernel computes one tile of query rows over all the blocks that their list names. Where
// there are fewer programs than thread blocks, or one row is much longer than the others, most of a GPU waits for a
// few programs. Their rows are then cut into parts that run as programs of their own and are merged by their LSE
// (kernels_dsl/attention_split.tile).
//
// A cut needs no new list of blocks. Row r becomes the rows r * splits to r * splits + splits - 1 of a list whose
// `indices` are the same, each with a piece of them:
//
//   row r, partial blocks 0 2 5 and full ones 1 7 8 9, splits = 2 and one block a step:
//     row 2r      partial 0 2 5   full 1
//     row 2r + 1  partial         full 7 8 9
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_SPLITROWS_H
#define LACUNA_RUNTIME_SPLITROWS_H

#include "lacuna/Runtime/BlockLists.h"

#include <cstdint>
#include <span>
#include <vector>

namespace lacuna::runtime {

/// The most parts of a row: the merge reads every one of them.
constexpr int64_t kMostSplits = 32;

/// Steps of `keysPerStep` keys that a kernel takes for CSR row `row`: its partial and its full blocks are counted for
/// themselves, as they never share a step.
int64_t stepsOf(const BlockLists &lists, int64_t row, int64_t keysPerStep);

/// The steps of each program of ceil(queries / tile.queries) x heads x batch, numbered in that order. With `splits`
/// above 1, `lists` is a result of splitRows, and the part is the outermost axis.
std::vector<int64_t> programSteps(const BlockLists &lists, const AttentionShape &shape, AttentionTile tile,
                                  int64_t splits = 1);

/// The time of one launch, or of all parts and the merge, in steps: programs that take steps[p] steps each, and what a
/// program costs beside them, the longest first on `threadBlocks` thread blocks, the longest row in `splits` parts.
double splitTime(std::span<const int64_t> steps, int64_t splits, int64_t threadBlocks);

/// Into how many parts the longest row is best cut, 1 to `most`, where `threadBlocks` programs run at once and program
/// p takes steps[p] steps. 1 where the longest row has at most 4 steps, or where, longest first, at least 80 % of the
/// thread blocks' time is used; else the smallest number that comes within 95 % of the best rate. A part costs a few
/// steps more than its own, and so does the merge: the constants of SplitRows.cpp.
/// **Source:** the rule for num_splits of FlashAttention-3 (heuristics.h), which knows rows of equal length only.
int64_t chooseSplits(std::span<const int64_t> steps, int64_t threadBlocks, int64_t most = kMostSplits);

/// `lists` with every row in `splits` rows, as the top of the file says. What is cut are units: steps of `keysPerStep`
/// keys, or blocks where those are longer. With L units in the longest row, each row becomes as few parts as have at
/// most ceil(L / splits) units, equal up to one; the rows behind its parts are empty. `lists` must pass check();
/// splits is 1 or more.
BlockLists splitRows(const BlockLists &lists, int64_t splits, int64_t keysPerStep);

/// The columns of O that a program of the merge takes (RN of attention_split.tile): as many as leave each of
/// `threadBlocks` several programs.
int64_t chooseMergeColumns(const AttentionShape &shape, int64_t threadBlocks);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_SPLITROWS_H
