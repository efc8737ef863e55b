// Compilers and kernels of the C interface.
#include "JitHandles.h"

#include "../../runtime/c/Status.h"

using namespace lacuna;
using namespace lacuna::c;

namespace {

lacuna_status give(Jit jit, lacuna_jit **out) {
  *out = new lacuna_jit{std::move(jit)};
  return LACUNA_OK;
}

/// A kernel of a Jit.
class JitCode final : public KernelCode {
public:
  explicit JitCode(JitKernel kernel) : kernel(std::move(kernel)) {}

  const runtime::LaunchMetadata &metadata() const override { return kernel.metadata(); }
  Expected<void> launch(const runtime::Stream *stream,
                        std::span<const runtime::ArgumentValue> arguments) const override {
    return stream ? kernel.launch(*stream, arguments) : kernel.launch(arguments);
  }
  Expected<std::unique_ptr<AnyPrepared>> prepare(const runtime::Stream *stream,
                                                 std::span<const runtime::ArgumentValue> arguments) const override {
    return stream ? anyOf(kernel.prepare(*stream, arguments)) : anyOf(kernel.prepare(arguments));
  }

private:
  JitKernel kernel;
};

} // namespace

lacuna_kernel *lacuna::c::makeKernel(JitKernel kernel, const runtime::Device *device) {
  return makeKernel(std::make_unique<JitCode>(std::move(kernel)),
                    Place{device ? std::optional(*device) : std::nullopt});
}

Expected<KernelSpec> lacuna::c::convertSpec(const lacuna_kernel_spec &given) {
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
    *out = makeKernel(std::move(*kernel), jit->jit.device());
    return LACUNA_OK;
  });
}
