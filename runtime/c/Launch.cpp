// Launches of the C interface.
#include "Handles.h"
#include "Status.h"

using namespace lacuna;
using namespace lacuna::c;

namespace {

/// What both kinds of launch need: arguments of ours, and a stream that fits the kernel.
Expected<std::vector<runtime::ArgumentValue>> convert(const lacuna_kernel &kernel, const void *stream,
                                                      const lacuna_argument *arguments, size_t count) {
  const runtime::LaunchMetadata &metadata = kernel.code->metadata();
  if (count > 0 && !arguments)
    return makeError(ErrorCode::InvalidArgument, "{} arguments of kernel '{}' and NULL for them were given", count,
                     metadata.kernel);
  if (stream && !kernel.place.gpu)
    return makeError(ErrorCode::InvalidArgument,
                     "kernel '{}' was compiled for the CPU, and a stream was given; give NULL", metadata.kernel);
  return convertArguments(metadata, kernel.place, std::span(arguments, count));
}

/// The caller's stream; nothing for the CPU.
std::optional<runtime::Stream> streamOf(const Place &place, void *stream) {
  if (!place.gpu)
    return std::nullopt;
  return runtime::Stream::borrow(*place.gpu, static_cast<runtime::cu::Stream>(stream));
}

template <class Value>
lacuna_status set(lacuna_prepared *prepared, const char *function, size_t index, const Value &value) {
  if (!prepared)
    return nullGiven(function, "prepared");
  return guarded(
      [&] { return status(std::visit([&](auto &launch) { return launch.set(index, value); }, *prepared->launch)); });
}

} // namespace

lacuna_status lacuna_launch(const lacuna_kernel *kernel, void *stream, const lacuna_argument *arguments,
                            size_t num_arguments) {
  if (!kernel)
    return nullGiven("lacuna_launch", "kernel");
  return guarded([&] {
    auto values = convert(*kernel, stream, arguments, num_arguments);
    if (!values)
      return fail(values.error());
    const std::optional<runtime::Stream> on = streamOf(kernel->place, stream);
    return status(kernel->code->launch(on ? &*on : nullptr, *values));
  });
}

lacuna_status lacuna_prepare(const lacuna_kernel *kernel, void *stream, const lacuna_argument *arguments,
                             size_t num_arguments, lacuna_prepared **out) {
  if (!kernel || !out)
    return nullGiven("lacuna_prepare", kernel ? "out" : "kernel");
  return guarded([&] {
    auto values = convert(*kernel, stream, arguments, num_arguments);
    if (!values)
      return fail(values.error());
    const std::optional<runtime::Stream> on = streamOf(kernel->place, stream);
    auto launch = kernel->code->prepare(on ? &*on : nullptr, *values);
    if (!launch)
      return fail(launch.error());
    *out = new lacuna_prepared{std::move(*launch), kernel->place};
    return LACUNA_OK;
  });
}

lacuna_status lacuna_prepared_run(const lacuna_prepared *prepared) {
  if (!prepared)
    return nullGiven("lacuna_prepared_run", "prepared");
  return guarded([&] {
    if (const auto *gpu = std::get_if<runtime::PreparedLaunch>(&*prepared->launch))
      return status(gpu->run());
    std::get<runtime::PreparedCpuLaunch>(*prepared->launch).run();
    return LACUNA_OK;
  });
}

lacuna_status lacuna_prepared_set_data(lacuna_prepared *prepared, size_t index, void *data) {
  return set(prepared, "lacuna_prepared_set_data", index, data);
}

lacuna_status lacuna_prepared_set_block_list(lacuna_prepared *prepared, size_t index, const lacuna_block_list *list) {
  if (!prepared)
    return nullGiven("lacuna_prepared_set_block_list", "prepared");
  return guarded([&] {
    const auto &arguments =
        std::visit([](const auto &launch) -> const auto & { return launch.metadata().arguments; }, *prepared->launch);
    auto converted = convertList(index < arguments.size() ? arguments[index].name : fmt::format("number {}", index),
                                 prepared->place, list);
    return converted ? set(prepared, "lacuna_prepared_set_block_list", index, *converted) : fail(converted.error());
  });
}

lacuna_status lacuna_prepared_set_f32(lacuna_prepared *prepared, size_t index, float value) {
  return set(prepared, "lacuna_prepared_set_f32", index, value);
}

lacuna_status lacuna_prepared_set_i32(lacuna_prepared *prepared, size_t index, int32_t value) {
  return set(prepared, "lacuna_prepared_set_i32", index, value);
}

void lacuna_prepared_destroy(lacuna_prepared *prepared) {
  delete prepared;
}
