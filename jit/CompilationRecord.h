// What a cache entry keeps of a compilation beside what a launch needs: the report of compiler and assembler.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

#include <string>
#include <string_view>

namespace lacuna {

/// JSON of the fields `kernel`, `report` and `assembler`; the same for the same compilation.
std::string writeRecord(const CompileResult &result);

/// The reverse. Errors: ParseError, by field; never throws.
Expected<void> readRecord(std::string_view text, CompileResult &result);

} // namespace lacuna
