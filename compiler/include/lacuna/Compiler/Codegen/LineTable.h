// Lines of the .tile text in the code, so that a profiler shows them beside the instructions.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace lacuna {

/// Gives every operation of the LLVM-dialect functions in `module` the line of the text that it comes from, in the form
/// that LLVM turns into PTX's `.loc`: directives only, no DWARF, so that the code stays what it is.
///
/// A function's text is the file that its own location names; in the code it is called `fileName`. What was inlined
/// from a hook of that text has the line of the hook's body; from elsewhere (the hook library, the text of an option)
/// the line that calls it. Operations without such a line get none.
void attachLineTable(mlir::ModuleOp module, llvm::StringRef fileName);

} // namespace lacuna
