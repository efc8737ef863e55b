// From a request to a kernel on a GPU.
#pragma once

#include "lacuna/Jit/CachedCompiler.h"
#include "lacuna/Runtime/Kernel.h"

namespace lacuna {

struct LoadedKernel {
  CachedCompilation compilation;
  runtime::Kernel kernel;
};

/// Compiles and loads. Where the driver refuses what the cache held (made for another driver, say), it is compiled
/// anew, once. Errors: as CachedCompiler::compile; as runtime::Kernel::load.
Expected<LoadedKernel> loadKernel(const CachedCompiler &compiler, const CompileRequest &request,
                                  const runtime::Device &device);

} // namespace lacuna
