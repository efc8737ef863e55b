// The key of a request that has been resolved already: one request may be looked for under several keys.
#pragma once

#include "lacuna/Compiler/Pipeline/Resolve.h"
#include "lacuna/Jit/CachedCompiler.h"

namespace lacuna {

runtime::CacheKey cacheKeyOf(const CompileRequest &request, const ResolvedRequest &resolved, const ToolVersions &tools,
                             const runtime::Knobs &knobs);

} // namespace lacuna
