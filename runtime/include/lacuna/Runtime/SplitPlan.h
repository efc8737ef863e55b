//===- SplitPlan.h - Attention in parts, planned once -----------*- C++ -*-===//
//
// What the two kernels of kernels_dsl/attention_split.tile are launched with, over and over, once a number of parts is
// decided (chooseSplits). The plan itself touches no device: its tables are copied to where the kernels run, and the
// caller gives the workspace in which the parts leave their results.
//
//   Expected<SplitPlan> plan = SplitPlan::create(lists, shape, tile, splits, SplitMachine::of(&device, metadata));
//   ... copy plan->tables() to the device, allocate plan->workspaceBytes() there ...
//   parts.launch(stream, plan->partsArguments(tables, workspace, q, k, v, scale), plan->partsOptions(tables));
//   merge.launch(stream, plan->mergeArguments(tables, workspace, o, lse));
//
// The workspace holds each part's O and LSE:
//
//   f32 [splits, batch, heads, queries, valueDim]   O of the part, as if it were all, natural-log LSE beside it
//   f32 [splits, batch, heads, queries]             LSE, -inf where the part has no key for the row
//
// Only what a part with blocks writes is read. Launches that may run at the same time need workspaces of their own.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_SPLITPLAN_H
#define LACUNA_RUNTIME_SPLITPLAN_H

#include "lacuna/Runtime/Kernel.h"
#include "lacuna/Runtime/SplitRows.h"

#include <array>

namespace lacuna::runtime {

/// What an order of programs depends on: how many run at once, and what keys and values may take of the L2 cache.
struct SplitMachine {
  int64_t threadBlocks = 1;
  int64_t cacheBytes = 0;

  /// Of a GPU for programs of `kernel`; of the CPU where `device` is null.
  static SplitMachine of(const Device *device, const LaunchMetadata &kernel);
};

/// What of a GPU's L2 cache an order of programs may count on for keys and values, in bytes.
int64_t orderCacheBytes(const DeviceInfo &device);

/// Thread safety: immutable once made.
class SplitPlan {
public:
  /// The address of a workspace is a multiple of this many bytes.
  static constexpr size_t kAlignment = 64;

  /// Each program takes `tile.queries` queries (L) of `heads` neighbouring heads (R), which share a KV head and a list:
  /// `lists` have one for each `heads` heads, or one for all (BlockLists::withHeadsGrouped). They must fit `shape` and
  /// the tile (chooseTile, choosePackedTile). Errors: InvalidArgument for splits outside 1 to kMostSplits;
  /// ResourceExhausted for more than 2^31 - 1 programs or row blocks.
  static Expected<SplitPlan> create(const BlockLists &lists, const AttentionShape &shape, AttentionTile tile,
                                    int64_t splits, SplitMachine machine, int64_t heads = 1);

  int64_t splits() const { return parts; }
  /// splitRows of the lists.
  const BlockLists &lists() const { return cut; }
  /// How many parts, of all programs', have blocks: that many run on a GPU.
  int64_t programs() const { return numPrograms; }

  /// What the kernels read of the plan.
  std::span<const int32_t> tables() const { return numbers; }
  size_t workspaceBytes() const { return lseOffset + lseBytes; }
  /// The bytes that one part takes of a workspace: the plan's is about `splits` times that.
  static int64_t bytesOfPart(const AttentionShape &shape);
  /// Errors: InvalidArgument for a null or misaligned address or too few bytes.
  Expected<void> checkWorkspace(const void *workspace, size_t bytes) const;

  /// The arguments of attention_parts and of attention_merge. `tables` is the address of a copy of tables();
  /// `workspace` passes checkWorkspace(). q, k, v and o as AttentionShape says; lse [batch, heads, queries], natural
  /// logarithm.
  std::array<ArgumentValue, 7> partsArguments(const int32_t *tables, void *workspace, const TensorView &q,
                                              const TensorView &k, const TensorView &v, float scale) const;
  std::array<ArgumentValue, 5> mergeArguments(const int32_t *tables, void *workspace, const TensorView &o,
                                              const TensorView &lse) const;
  /// For a persistent attention_parts: the parts with blocks, longest first. Where programs() is 0 there is nothing to
  /// launch but the merge.
  LaunchOptions partsOptions(const int32_t *tables) const { return {tables + orderAt, numPrograms}; }

private:
  SplitPlan() = default;

  AttentionShape shape;
  int64_t parts = 1, numPrograms = 0, headsOfTile = 1;
  BlockLists cut;
  std::vector<int32_t> numbers;
  size_t splitAt = 0, indicesAt = 0, countsAt = 0, orderAt = 0; // in `numbers`
  size_t lseOffset = 0, lseBytes = 0;                           // in the workspace
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_SPLITPLAN_H
