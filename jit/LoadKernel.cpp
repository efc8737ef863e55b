#include "lacuna/Jit/LoadKernel.h"

#include "lacuna/Runtime/Log.h"

namespace lacuna {

Expected<LoadedKernel> loadKernel(const CachedCompiler &compiler, const CompileRequest &request,
                                  const runtime::Device &device) {
  auto compiled = compiler.compile(request, &device.driver());
  if (!compiled)
    return takeError(compiled);
  auto load = [&] { return runtime::Kernel::load(device, compiled->result->image, compiled->result->metadata); };
  auto kernel = load();
  if (!kernel && kernel.error().code == ErrorCode::Incompatible && compiled->source != CacheSource::None) {
    runtime::log("cache", runtime::LogLevel::Warn, "a kernel from the cache was refused and is compiled anew: {}",
                 kernel.error().message);
    auto anew = compiler.compileAnew(request, &device.driver());
    if (!anew)
      return tl::unexpected(std::move(anew.error()).causedBy(std::move(kernel.error())));
    compiled = std::move(anew);
    kernel = load();
  }
  if (!kernel)
    return takeError(kernel);
  return LoadedKernel{std::move(*compiled), std::move(*kernel)};
}

} // namespace lacuna
