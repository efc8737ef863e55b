// One compilation as a listener hears of it.
#pragma once

#include "lacuna/Jit/Jit.h"

#include <chrono>

namespace lacuna {

/// Times a compilation and tells the listener, where there is one.
struct HeardCompilation {
  HeardCompilation(const CompileListener *listener, const KernelSpec &spec, Target target)
      : listener(listener), event{.kernel = spec.kernel, .file = spec.file, .target = target} {}

  void done(const CompileResult &result, CacheSource source) {
    event.kernel = result.metadata.kernel;
    event.source = source;
    if (source == CacheSource::None)
      event.stages = result.times;
    tell();
  }
  template <class T> tl::unexpected<Error> failed(Expected<T> &result) {
    event.error = &result.error();
    tell();
    return takeError(result);
  }
  void tell() {
    event.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (listener)
      (*listener)(event);
  }

  const CompileListener *listener;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  CompileEvent event;
};

} // namespace lacuna
