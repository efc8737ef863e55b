#include "KernelState.h"

namespace lacuna::runtime {
namespace {

Expected<void> checkPointer(const Device &device, const std::string &what, const void *pointer) {
  const Driver &driver = device.driver();
  const auto address = reinterpret_cast<cu::DevicePtr>(pointer);
  unsigned type = 0;
  int ordinal = 0;
  cu::Result known = driver.cuPointerGetAttribute(&type, cu::PointerMemoryType, address);
  if (known == cu::InvalidValue)
    return makeError(
        ErrorCode::InvalidArgument,
        "{} is at {}, which is not memory of a GPU (the CUDA driver does not know it); kernels for {} take "
        "device pointers, so copy it there",
        what, pointer, device.info().target());
  std::string action = fmt::format("asking where {} lies", what);
  if (Expected<void> done = driver.check(known, action);
      !done || type == cu::MemoryHost) // pinned: every GPU reaches it
    return done;
  if (Expected<void> done =
          driver.check(driver.cuPointerGetAttribute(&ordinal, cu::PointerDeviceOrdinal, address), action);
      !done)
    return done;
  if (ordinal == device.info().ordinal)
    return {};
  return makeError(ErrorCode::InvalidArgument,
                   "{} lies on GPU {}, and the kernel is loaded on GPU {}; copy it there, or load the kernel on GPU {}",
                   what, ordinal, device.info().ordinal, ordinal);
}

} // namespace

Expected<void> checkResidence(const Device &device, const LaunchMetadata &metadata,
                              std::span<const ArgumentValue> arguments) {
  for (size_t index = 0; index < arguments.size(); ++index) {
    const std::string &name = metadata.arguments[index].name;
    if (const auto *view = std::get_if<TensorView>(&arguments[index]))
      if (Expected<void> done = checkPointer(device, fmt::format("argument '{}'", name), view->data); !done)
        return done;
    const auto *list = std::get_if<BlockListView>(&arguments[index]);
    if (!list)
      continue;
    const std::pair<const int32_t *, std::string_view> parts[] = {
        {list->indptr, "indptr"}, {list->split, "split"}, {list->entries ? list->indices : nullptr, "indices"}};
    for (const auto &[pointer, part] : parts)
      if (pointer)
        if (Expected<void> done = checkPointer(device, fmt::format("{} of list '{}'", part, name), pointer); !done)
          return done;
  }
  return {};
}

} // namespace lacuna::runtime
