// One attention case: the specialisation of the kernel (what it is compiled for) and everything that a launch varies.
//
// The generator draws the specialisations from a table that covers every head dimension, every shape of block and tile
// and every hook, and for each of them several launches. All of a case follows from its seed.
#pragma once

#include "Hooks.h"
#include "Machine.h"
#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/DType.h"
#include "lacuna/Runtime/Random.h"

#include <map>
#include <optional>
#include <string>

namespace lacuna::numeric {

/// What the kernel is compiled for.
struct AttentionSpec {
  runtime::DType dtype = runtime::DType::BF16;
  int64_t headDim = 64, valueDim = 64;
  int64_t queryBlock = 128, keyBlock = 128; ///< QB, KB
  runtime::AttentionTile tile;              ///< BM, BN
  const MaskHook *mask = nullptr;
  const ScoreHook *score = nullptr;
  bool anySign = false;                           ///< scales of zero and below are tried too: a second compilation
  std::optional<runtime::PackedTile> packed = {}; ///< attention_packed.tile with R, L and BN in place of the tile
  /// A pattern in place of the lists, which then say the same; empty: the kernel reads the lists.
  std::string rows = {};
  /// Choices of the schedule, as `stages`; the others are the kernel's own.
  std::map<std::string, std::string> knobs = {};
};

enum class ListKind {
  Pattern,  ///< the blocks that the mask needs, partial and full as it says; one list for all
  Random,   ///< Pattern::Random: each batch and head its own
  Uneven,   ///< each batch and head its own, rows of very different lengths, some empty, partial and full at random
  Shared,   ///< the same, one list for all
  PerHead,  ///< the same, one list a head
  PerBatch, ///< the same, one list a batch
  OneEntry, ///< a single block in all lists together
  Empty,    ///< no block at all
};
const char *listKindName(ListKind kind);
enum class DataKind {
  Normal,
  Extreme, ///< the largest abs(scale * s) is 8192
  Offset,  ///< every score has a large constant in it
  Large,   ///< V near the type's range
  Equal,   ///< all keys equal: uniform weights
  Rising,  ///< scores grow along the keys, so that the running maximum moves in most steps
};
enum class ScaleKind { Usual, One, Tiny, Zero, Negative, Subnormal };
enum class StrideKind { Contiguous, Gaps, TokenMajor };

struct AttentionCase {
  uint64_t seed = 0;
  AttentionSpec spec;
  runtime::AttentionShape shape;
  ListKind lists = ListKind::Pattern;
  DataKind data = DataKind::Normal;
  ScaleKind scale = ScaleKind::Usual;
  StrideKind strides = StrideKind::Contiguous;
  bool nanOutsideLists = true; ///< NaN in every K and V block that no list names
  int64_t nanQueryRow = -1;    ///< this row of Q is NaN in every head, or none
  int launches = 1;            ///< so often it runs, and every result must be the same

  /// All of it in one line.
  std::string describe() const;
  /// Multiplications of the two products over all queries and keys.
  int64_t products() const { return static_cast<int64_t>(shape.denseFlops() / 2); }
};

/// What the library kernel is compiled with for `spec`: params, and hooks that have a body, by name.
std::map<std::string, std::string> paramsOf(const AttentionSpec &spec);
std::map<std::string, std::string> hooksOf(const AttentionSpec &spec);

/// Computes o and lse of a case's memory.
using Attend =
    std::function<Expected<void>(const GuardedTensor &q, const GuardedTensor &k, const GuardedTensor &v,
                                 const runtime::BlockLists &lists, GuardedTensor &o, GuardedTensor &lse, float scale)>;
/// Makes the case's memory, calls `attend` as often as it says and judges by the bounds of the reference; with a
/// pattern the result must be, bit for bit, that of the same kernel with lists. What is wrong, a sentence each.
std::vector<std::string> runAttention(const AttentionCase &attention, Machine &machine, const Attend &attend);
/// The same with the case's own kernel.
std::vector<std::string> runAttention(const AttentionCase &attention, Machine &machine, const JitKernel &kernel);
/// The library kernel for `spec`.
KernelSpec kernelOf(const AttentionSpec &spec);

/// The pattern of a mask, as the text of the hook `rows`; empty where it has none.
std::string patternOf(const MaskHook &mask);

/// What the cases' tiles fit: those of the target that LACUNA_TARGET names, or of sm_90a.
const runtime::TileLimits &tileLimits();

/// The table of specialisations.
std::vector<AttentionSpec> attentionSpecs(uint64_t seed);
/// The same for the packed kernel.
std::vector<AttentionSpec> packedSpecs();
/// A case of `spec` that follows from `seed` alone.
AttentionCase makeAttentionCase(const AttentionSpec &spec, uint64_t seed);
/// The case's block lists; of a packed kernel one for each KV head.
Expected<runtime::BlockLists> makeLists(const AttentionCase &attention);
/// The lists with one for each head, for the reference, where there is one for each KV head.
runtime::BlockLists listsOfHeads(const runtime::AttentionShape &shape, const runtime::BlockLists &lists);

} // namespace lacuna::numeric
