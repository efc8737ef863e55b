//===- BestTile.h - The fastest known tile where none is given --*- C++ -*-===//

#ifndef LACUNA_RUNTIME_BESTTILE_H
#define LACUNA_RUNTIME_BESTTILE_H

#include "lacuna/Runtime/AttentionShape.h"
#include "lacuna/Runtime/Pattern.h"

namespace lacuna::runtime {

/// The best known tile of the attention kernel for `pattern` on an H100 or H200, where no list fixes the block: of
/// dense and causal the one that was measured fastest, of a window the widest that ptxas assembles without spills. A
/// block of lists of the same extents goes with it. Other head dimensions take the row of the next wider one, lists
/// that lie in memory 128x128. Head dimensions: 1 to 256.
/// With other `limits` it is the largest that they allow; nothing was measured there.
AttentionTile bestAttentionTile(int64_t headDim, int64_t valueDim, const Pattern &pattern,
                                const TileLimits &limits = kHopperTiles);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_BESTTILE_H
