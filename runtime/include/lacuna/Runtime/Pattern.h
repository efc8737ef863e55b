//===- Pattern.h - Named sparsity patterns ----------------------*- C++ -*-===//
//
//   dense               every query sees every key
//   causal              query i sees key j when j <= i + keys - queries (the bottom-right corners align)
//   window:LEFT[:SINK]  causal, and i + keys - queries - j <= LEFT or j < SINK
//   random:DENSITY      a share of the blocks, at least one a row of blocks; each head its own, with :shared behind it
//                       each batch its own
//   lists:DIR           the caller's lists: indptr.npy, split.npy and indices.npy in DIR
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_PATTERN_H
#define LACUNA_RUNTIME_PATTERN_H

#include "lacuna/Runtime/BlockLists.h"

#include <string>
#include <string_view>

namespace lacuna::runtime {

/// Thread safety: a plain value.
struct Pattern {
  enum class Kind { Dense, Causal, Window, Random, Lists };
  Kind kind = Kind::Dense;
  int64_t left = 0, sink = 0; ///< Window, in keys
  double density = 1;         ///< Random, above 0 and up to 1
  bool shared = false;        ///< Random: one list for all heads
  std::string directory;      ///< Lists

  /// Errors: InvalidArgument, with the forms above.
  static Expected<Pattern> parse(std::string_view text);

  /// Whether query i sees key j, element by element; the mask that partial blocks ask.
  bool keeps(const AttentionShape &shape, int64_t i, int64_t j) const;

  /// The same as the body of the hook `keep(b, h, i, j)`; empty where everything is seen.
  std::string keepHook() const;

  /// What replaces the lists of blocks in a kernel that is compiled for this pattern: a pattern of the language
  /// (`--hook rows=…`, docs/language.md section 10); empty for Random and Lists, whose lists lie in memory.
  std::string rowsHook() const;

  /// Whether rowsHook() has something to say.
  bool isFormula() const { return kind != Kind::Random && kind != Kind::Lists; }

  /// How many blocks row block `row` has; the pattern must be a formula.
  int64_t rowLength(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock, int64_t row) const;

  /// How many blocks the lists of build() have, before they are made; of Random about, of Lists 0.
  double entries(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock) const;

  /// The lists of this pattern: a block is full where all of its elements inside the matrix are seen, absent where none
  /// is, else partial. One list for all, for random one a batch and head, or a batch. `seed` matters to random only;
  /// equal seeds give equal lists. Errors: InvalidArgument for a shape or block that is not allowed, or for Lists,
  /// which are read, not built; ResourceExhausted for more than 2^31-1 blocks.
  Expected<BlockLists> build(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock, uint64_t seed) const;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_PATTERN_H
