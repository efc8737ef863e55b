#include "lacuna/Runtime/CpuKernel.h"

namespace lacuna::runtime {

CpuKernel::CpuKernel(CpuEntry entry, LaunchSignature signature, std::shared_ptr<ThreadPool> pool,
                     std::shared_ptr<const void> code)
    : entry(entry), signature(std::move(signature)), pool(std::move(pool)), code(std::move(code)),
      launchRange("launch", this->signature.metadata().symbol) {}

Expected<CpuKernel> CpuKernel::create(CpuEntry entry, LaunchMetadata metadata, std::shared_ptr<ThreadPool> pool,
                                      std::shared_ptr<const void> code) {
  if (!entry || !pool)
    return makeError(ErrorCode::InvalidArgument, "CPU kernel '{}' was given no {}", metadata.kernel,
                     entry ? "thread pool" : "entry point");
  Expected<LaunchSignature> signature = LaunchSignature::create(std::move(metadata));
  if (!signature)
    return takeError(signature);
  if (!signature->metadata().tensorMaps.empty())
    return makeError(ErrorCode::Internal, "CPU kernel '{}' has tensor maps", signature->metadata().kernel);
  return CpuKernel(entry, std::move(*signature), std::move(pool), std::move(code));
}

Expected<void> CpuKernel::launch(std::span<const ArgumentValue> arguments) const {
  Expected<LaunchBounds> bounds = signature.bind(arguments);
  if (!bounds)
    return takeError(bounds);
  ParameterPack pack;
  pack.addArguments(arguments, *bounds);
  runGrid(pack.pointers(), *bounds);
  return {};
}

void CpuKernel::runGrid(void **parameters, const LaunchBounds &bounds) const {
  ProfilerRange range(launchRange);
  const int64_t x = bounds.grid[0], y = bounds.grid[1];
  pool->parallelFor(bounds.programs(), [&](int64_t program) {
    entry(parameters, static_cast<int32_t>(program % x), static_cast<int32_t>(program / x % y),
          static_cast<int32_t>(program / x / y));
  });
}

} // namespace lacuna::runtime
