// What `lacuna compile --report` prints.
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna::tools {

/// One JSON object; docs/performance.md says what its fields mean.
std::string reportJson(const CompileResult &result);

} // namespace lacuna::tools
