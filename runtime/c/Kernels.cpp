// Kernels of the C interface, and bundles to load them from.
#include "Handles.h"
#include "Status.h"

using namespace lacuna;
using namespace lacuna::c;

namespace {

/// A kernel of a bundle.
class BundleKernel final : public KernelCode {
public:
  explicit BundleKernel(runtime::Kernel kernel) : kernel(std::move(kernel)) {}

  const runtime::LaunchMetadata &metadata() const override { return kernel.metadata(); }
  Expected<void> launch(const runtime::Stream *stream,
                        std::span<const runtime::ArgumentValue> arguments) const override {
    return kernel.launch(*stream, arguments);
  }
  Expected<std::unique_ptr<AnyPrepared>> prepare(const runtime::Stream *stream,
                                                 std::span<const runtime::ArgumentValue> arguments) const override {
    return anyOf(kernel.prepare(*stream, arguments));
  }

private:
  runtime::Kernel kernel;
};

} // namespace

lacuna_kernel *lacuna::c::makeKernel(std::unique_ptr<const KernelCode> code, Place place) {
  std::string metadata = code->metadata().toJson();
  return new lacuna_kernel{std::move(code), std::move(place), std::move(metadata)};
}

Expected<runtime::Settings> lacuna::c::convertSettings(std::string_view what, const lacuna_setting *settings,
                                                       size_t count) {
  runtime::Settings converted;
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

const char *lacuna_kernel_name(const lacuna_kernel *kernel) {
  return kernel ? kernel->code->metadata().kernel.c_str() : "";
}

size_t lacuna_kernel_num_arguments(const lacuna_kernel *kernel) {
  return kernel ? kernel->code->metadata().arguments.size() : 0;
}

const char *lacuna_kernel_argument_name(const lacuna_kernel *kernel, size_t index) {
  return index < lacuna_kernel_num_arguments(kernel) ? kernel->code->metadata().arguments[index].name.c_str() : nullptr;
}

const char *lacuna_kernel_metadata(const lacuna_kernel *kernel) {
  return kernel ? kernel->metadata.c_str() : "";
}

void lacuna_kernel_destroy(lacuna_kernel *kernel) {
  delete kernel;
}

lacuna_status lacuna_bundle_open(const char *path, lacuna_bundle **out) {
  if (!path || !out)
    return nullGiven("lacuna_bundle_open", path ? "out" : "path");
  return guarded([&] {
    auto bundle = runtime::Bundle::read(path);
    if (!bundle)
      return fail(bundle.error());
    std::vector<std::string> titles;
    for (const runtime::BundleEntry &entry : bundle->entries())
      titles.push_back(entry.title());
    *out = new lacuna_bundle{std::move(*bundle), std::move(titles)};
    return LACUNA_OK;
  });
}

size_t lacuna_bundle_size(const lacuna_bundle *bundle) {
  return bundle ? bundle->titles.size() : 0;
}

const char *lacuna_bundle_title(const lacuna_bundle *bundle, size_t index) {
  return index < lacuna_bundle_size(bundle) ? bundle->titles[index].c_str() : nullptr;
}

lacuna_status lacuna_bundle_load(const lacuna_bundle *bundle, int ordinal, const char *kernel,
                                 const lacuna_setting *params, size_t num_params, const lacuna_setting *hooks,
                                 size_t num_hooks, lacuna_kernel **out) {
  if (!bundle || !kernel || !out)
    return nullGiven("lacuna_bundle_load", !bundle ? "bundle" : !kernel ? "kernel" : "out");
  return guarded([&] {
    auto values = convertSettings("param", params, num_params), bodies = convertSettings("hook", hooks, num_hooks);
    if (!values || !bodies)
      return fail((values ? bodies : values).error());
    auto device = runtime::Device::open(ordinal);
    if (!device)
      return fail(device.error());
    auto loaded = bundle->bundle.load(*device, kernel, *values, *bodies);
    if (!loaded)
      return fail(loaded.error());
    *out = makeKernel(std::make_unique<BundleKernel>(std::move(*loaded)), Place{std::move(*device)});
    return LACUNA_OK;
  });
}

void lacuna_bundle_destroy(lacuna_bundle *bundle) {
  delete bundle;
}
