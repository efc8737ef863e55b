// What the compiler reports of a kernel: `lacuna compile --report` and LACUNA_REPORT.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna {

/// One JSON object; docs/performance.md says what its fields mean.
std::string reportJson(const CompileResult &result);

} // namespace lacuna
