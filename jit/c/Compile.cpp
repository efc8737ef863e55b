// Compilers and kernels of the C interface.
#include "Handles.h"
#include "Status.h"

using namespace lacuna;
using namespace lacuna::c;

namespace {

lacuna_status give(Jit jit, lacuna_jit **out) {
  *out = new lacuna_jit{std::move(jit)};
  return LACUNA_OK;
}

Expected<std::map<std::string, std::string>> convertSettings(std::string_view what, const lacuna_setting *settings,
                                                             size_t count) {
  std::map<std::string, std::string> converted;
  if (count > 0 && !settings)
    return makeError(ErrorCode::InvalidArgument, "the spec has {} {}s and NULL for them", count, what);
  for (size_t index = 0; index < count; ++index) {
    if (!settings[index].name || !settings[index].value)
      return makeError(ErrorCode::InvalidArgument, "{} number {} of the spec has NULL for its name or value", what,
                       index);
    if (!converted.emplace(settings[index].name, settings[index].value).second)
      return makeError(ErrorCode::InvalidArgument, "the spec gives {} '{}' twice; give it once", what,
                       settings[index].name);
  }
  return converted;
}

Expected<KernelSpec> convertSpec(const lacuna_kernel_spec &given) {
  if (given.struct_size != sizeof(lacuna_kernel_spec))
    return makeError(
        ErrorCode::InvalidArgument,
        "the spec's struct_size is {}, and this library ({}) knows {}; begin with LACUNA_KERNEL_SPEC_INIT of "
        "its header",
        given.struct_size, lacuna_version(), sizeof(lacuna_kernel_spec));
  auto params = convertSettings("param", given.params, given.num_params);
  if (!params)
    return takeError(params);
  auto hooks = convertSettings("hook", given.hooks, given.num_hooks);
  if (!hooks)
    return takeError(hooks);
  auto text = [](const char *value) { return std::string(value ? value : ""); };
  KernelSpec spec;
  spec.file = text(given.file);
  spec.source = text(given.source);
  spec.library = text(given.library);
  spec.kernel = text(given.kernel);
  spec.params = std::move(*params);
  spec.hooks = std::move(*hooks);
  return spec;
}

} // namespace

lacuna_status lacuna_jit_create(lacuna_jit **out) {
  if (!out)
    return nullGiven("lacuna_jit_create", "out");
  return guarded([&] { return give(Jit::forThisMachine(), out); });
}

lacuna_status lacuna_jit_create_cpu(int threads, lacuna_jit **out) {
  if (!out)
    return nullGiven("lacuna_jit_create_cpu", "out");
  if (threads < 0)
    return fail(
        Error{ErrorCode::InvalidArgument,
              fmt::format("lacuna_jit_create_cpu was given {} threads; give 1 or more, or 0 for all", threads)});
  return guarded([&] { return give(Jit::forCpu(std::make_shared<runtime::ThreadPool>(threads)), out); });
}

lacuna_status lacuna_jit_create_gpu(int ordinal, lacuna_jit **out) {
  if (!out)
    return nullGiven("lacuna_jit_create_gpu", "out");
  return guarded([&] {
    auto device = runtime::Device::open(ordinal);
    if (!device)
      return fail(device.error());
    auto jit = Jit::forDevice(*device);
    return jit ? give(std::move(*jit), out) : fail(jit.error());
  });
}

int lacuna_jit_device_type(const lacuna_jit *jit) {
  if (!jit)
    return 0;
  return jit->jit.device() ? LACUNA_DEVICE_CUDA : LACUNA_DEVICE_CPU;
}

void lacuna_jit_destroy(lacuna_jit *jit) {
  delete jit;
}

lacuna_status lacuna_compile(lacuna_jit *jit, const lacuna_kernel_spec *spec, lacuna_kernel **out) {
  if (!jit || !spec || !out)
    return nullGiven("lacuna_compile", !jit ? "jit" : !spec ? "spec" : "out");
  return guarded([&] {
    auto converted = convertSpec(*spec);
    if (!converted)
      return fail(converted.error());
    auto kernel = jit->jit.compile(*converted);
    if (!kernel)
      return fail(kernel.error());
    const runtime::Device *device = jit->jit.device();
    Place place{device ? std::optional(*device) : std::nullopt};
    std::string metadata = kernel->metadata().toJson();
    *out = new lacuna_kernel{std::move(*kernel), std::move(place), std::move(metadata)};
    return LACUNA_OK;
  });
}

const char *lacuna_kernel_name(const lacuna_kernel *kernel) {
  return kernel ? kernel->kernel.metadata().kernel.c_str() : "";
}

size_t lacuna_kernel_num_arguments(const lacuna_kernel *kernel) {
  return kernel ? kernel->kernel.metadata().arguments.size() : 0;
}

const char *lacuna_kernel_argument_name(const lacuna_kernel *kernel, size_t index) {
  return index < lacuna_kernel_num_arguments(kernel) ? kernel->kernel.metadata().arguments[index].name.c_str()
                                                     : nullptr;
}

const char *lacuna_kernel_metadata(const lacuna_kernel *kernel) {
  return kernel ? kernel->metadata.c_str() : "";
}

void lacuna_kernel_destroy(lacuna_kernel *kernel) {
  delete kernel;
}
