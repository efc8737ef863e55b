// The order of uses in LLVM IR, made a function of the text.
#pragma once

#include "llvm/IR/Module.h"

namespace lacuna {

/// Sorts the uses of every value of `module` by where they stand in it.
///
/// LLVM's passes visit the users of a value, and the predecessors of a block, in the order in which these came to be;
/// the printed text does not show it. Sorted, what is generated from a module depends on its text alone: a stage that
/// was dumped and is fed back by --override gives the same code, bit by bit.
void sortUses(llvm::Module &module);

} // namespace lacuna
