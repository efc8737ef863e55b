// Compilations of the C interface that nobody waits for, or that somebody listens to.
#include "JitHandles.h"

#include "../../runtime/c/Status.h"

#include "lacuna/Jit/Warm.h"

using namespace lacuna;
using namespace lacuna::c;

struct lacuna_compilation {
  std::shared_future<Expected<JitKernel>> result;
  std::optional<runtime::Device> device;
};

//===- In the background --------------------------------------------------------------------------------------===//

lacuna_status lacuna_compile_start(lacuna_jit *jit, const lacuna_kernel_spec *spec, lacuna_compilation **out) {
  if (!jit || !spec || !out)
    return nullGiven("lacuna_compile_start", !jit ? "jit" : !spec ? "spec" : "out");
  return guarded([&] {
    auto converted = convertSpec(*spec);
    if (!converted)
      return fail(converted.error());
    const runtime::Device *device = jit->jit.device();
    *out = new lacuna_compilation{jit->jit.compileAsync(std::move(*converted)),
                                  device ? std::optional(*device) : std::nullopt};
    return LACUNA_OK;
  });
}

int lacuna_compilation_done(const lacuna_compilation *compilation) {
  return compilation && compilation->result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

lacuna_status lacuna_compilation_wait(lacuna_compilation *compilation, lacuna_kernel **out) {
  if (!compilation || !out)
    return nullGiven("lacuna_compilation_wait", compilation ? "out" : "compilation");
  return guarded([&] {
    const Expected<JitKernel> &kernel = compilation->result.get();
    if (!kernel)
      return fail(kernel.error());
    *out = makeKernel(*kernel, compilation->device ? &*compilation->device : nullptr);
    return LACUNA_OK;
  });
}

void lacuna_compilation_destroy(lacuna_compilation *compilation) {
  delete compilation;
}

//===- Ahead --------------------------------------------------------------------------------------------------===//

static lacuna_status warm(const Jit &jit, std::span<const WarmRequest> requests, int jobs) {
  if (jobs < 0)
    return fail(Error{ErrorCode::InvalidArgument,
                      fmt::format("{} jobs were given; give 1 or more, or 0 for one a processor", jobs)});
  return status(jit.warm(requests, {.jobs = jobs}).check());
}

lacuna_status lacuna_warm(lacuna_jit *jit, const lacuna_kernel_spec *specs, size_t num_specs, int any_scalars,
                          int jobs) {
  if (!jit || (num_specs > 0 && !specs))
    return nullGiven("lacuna_warm", jit ? "specs" : "jit");
  return guarded([&] {
    std::vector<WarmRequest> requests;
    for (const lacuna_kernel_spec &spec : std::span(specs, num_specs)) {
      auto converted = convertSpec(spec);
      if (!converted)
        return fail(converted.error());
      requests.push_back({.spec = std::move(*converted), .anyScalars = any_scalars != 0});
    }
    return warm(jit->jit, requests, jobs);
  });
}

lacuna_status lacuna_warm_list(lacuna_jit *jit, const char *path, int jobs) {
  if (!jit || !path)
    return nullGiven("lacuna_warm_list", jit ? "path" : "jit");
  return guarded([&] {
    auto requests = readWarmList(path);
    return requests ? warm(jit->jit, *requests, jobs) : fail(requests.error());
  });
}

//===- Listening ----------------------------------------------------------------------------------------------===//

static_assert(static_cast<int>(CacheSource::None) == LACUNA_SOURCE_COMPILED);
static_assert(static_cast<int>(CacheSource::Memory) == LACUNA_SOURCE_MEMORY);
static_assert(static_cast<int>(CacheSource::Disk) == LACUNA_SOURCE_DISK);

static void tell(lacuna_listener listener, void *user, const CompileEvent &heard) {
  std::vector<lacuna_stage_time> stages;
  for (const StageTime &time : heard.stages) // The names are literals.
    stages.push_back({stageName(time.stage).data(), time.milliseconds});
  const std::string error = heard.error ? heard.error->render() : "";
  const lacuna_compile_event event = {
      sizeof(lacuna_compile_event),
      heard.kernel.c_str(),
      heard.file.c_str(),
      heard.target == Target::Cpu ? LACUNA_DEVICE_CPU : LACUNA_DEVICE_CUDA,
      heard.variant,
      static_cast<lacuna_source>(heard.source),
      heard.milliseconds,
      stages.data(),
      stages.size(),
      heard.error ? statusOf(heard.error->code) : LACUNA_OK,
      heard.error ? error.c_str() : nullptr,
  };
  listener(&event, user);
}

lacuna_status lacuna_jit_with_listener(const lacuna_jit *jit, lacuna_listener listener, void *user, lacuna_jit **out) {
  if (!jit || !listener || !out)
    return nullGiven("lacuna_jit_with_listener", !jit ? "jit" : !listener ? "listener" : "out");
  return guarded([&] {
    *out = new lacuna_jit{
        jit->jit.withListener([listener, user](const CompileEvent &event) { tell(listener, user, event); })};
    return LACUNA_OK;
  });
}
