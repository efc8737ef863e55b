//===- ProgramOrder.h - In which order rows of a list run -------*- C++ -*-===//
//
// A persistent kernel hands its programs to thread blocks as they become free (LaunchOptions::order). Long rows first
// leave little to wait for at the end; rows of one head near each other find its keys and values in the L2 cache.
// longestFirst does both: heads are taken in sections whose keys and values fit the cache, and within a section the
// longest rows come first. Rows longer than a thread block's share of a section come before all others.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_PROGRAMORDER_H
#define LACUNA_RUNTIME_PROGRAMORDER_H

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/Pattern.h"

#include <cstdint>
#include <vector>

namespace lacuna::runtime {

/// The order for a grid of ceil(queries / rows) x heads x batch programs, numbered in that order, each `rows` rows of
/// queries (which divide the lists' query block). `cacheBytes` is what keys and values of a section may take, in 16-bit
/// elements; a section is one group of heads that share keys and values at least. Rows of equal length keep their
/// order. `threadBlocks` run at once. The lists must pass check(). With `splits` above 1 they are a result of splitRows
/// (SplitRows.h), the part is the grid's outermost axis, and programs without a block are left out.
/// **Source:** FlashAttention-3's scheduler for causal masks (sections of L2, longest first).
std::vector<int32_t> longestFirst(const BlockLists &lists, const AttentionShape &shape, int64_t rows,
                                  int64_t cacheBytes, int64_t threadBlocks, int64_t splits = 1);

/// The same where no list lies in memory: for the rows of `pattern`, a formula, in blocks of queryBlock x keyBlock.
std::vector<int32_t> longestFirst(const Pattern &pattern, int64_t queryBlock, int64_t keyBlock,
                                  const AttentionShape &shape, int64_t rows, int64_t cacheBytes, int64_t threadBlocks);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_PROGRAMORDER_H
