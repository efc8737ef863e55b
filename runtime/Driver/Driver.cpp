#include "lacuna/Runtime/Driver.h"
#include "lacuna/Runtime/Knobs.h"
#include "lacuna/Runtime/Log.h"

#include <dlfcn.h>

namespace lacuna::runtime {
namespace {

/// The first CUDA version with tensor maps and sm_90a.
constexpr int kMinimumVersion = 12000;

} // namespace

Expected<std::shared_ptr<const Driver>> Driver::get() {
  static const Expected<std::shared_ptr<const Driver>> loaded = []() -> Expected<std::shared_ptr<const Driver>> {
    Expected<Knobs> knobs = Knobs::fromEnvironment();
    if (!knobs)
      return takeError(knobs);
    return load(knobs->driver);
  }();
  return loaded;
}

Expected<std::shared_ptr<const Driver>> Driver::load(const std::string &library) {
  // Never closed: the driver keeps threads and exit handlers of its own, and unloading it would pull their code away.
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError(ErrorCode::Unavailable,
                     "there is no CUDA driver here ({}); install the NVIDIA driver, or use the CPU target", dlerror());

  // The first version lacks the last parameter, which x86-64 and AArch64 let us pass all the same.
  void *resolver = dlsym(handle, "cuGetProcAddress_v2");
  if (!resolver)
    resolver = dlsym(handle, "cuGetProcAddress");
  if (!resolver)
    return makeError(
        ErrorCode::Unavailable,
        "{} has no cuGetProcAddress, so its CUDA driver is older than 11.3; update it to one for CUDA 12.0 or "
        "later",
        library);
  return fromResolver(reinterpret_cast<Resolver>(resolver), library);
}

Expected<std::shared_ptr<const Driver>> Driver::fromResolver(Resolver resolver, const std::string &name) {
  std::shared_ptr<Driver> driver(new Driver());
  driver->libraryName = name;
  auto resolve = [&](const char *symbol, void **function) {
    return resolver(symbol, function, kMinimumVersion, 0, nullptr) == cu::Success && *function;
  };

  if (resolve("cuDriverGetVersion", reinterpret_cast<void **>(&driver->cuDriverGetVersion)))
    (void)driver->cuDriverGetVersion(&driver->driverVersion);
  if (driver->driverVersion < kMinimumVersion)
    return makeError(
        ErrorCode::Unavailable,
        "the CUDA driver {} speaks CUDA {}.{}, and 12.0 is the oldest that works; update the NVIDIA driver", name,
        driver->driverVersion / 1000, driver->driverVersion % 1000 / 10);

#define LACUNA_DRIVER_FUNCTION(function, parameters)                                                                   \
  if (!resolve(#function, reinterpret_cast<void **>(&driver->function)))                                               \
    return makeError(ErrorCode::Unavailable, "the CUDA driver {} lacks the function {}; update the NVIDIA driver",     \
                     name, #function);
#include "lacuna/Runtime/DriverFunctions.def"

  if (Expected<void> ready = driver->check(driver->cuInit(0), "initialising the CUDA driver"); !ready) {
    Error error = std::move(ready.error());
    error.code = ErrorCode::Unavailable;
    return tl::unexpected(std::move(error).withNote("use the CPU target on a machine without a GPU"));
  }
  log("driver", LogLevel::Info, "loaded {}, CUDA {}.{}", name, driver->driverVersion / 1000,
      driver->driverVersion % 1000 / 10);
  return driver;
}

tl::unexpected<Error> Driver::failure(cu::Result result, std::string_view action) const {
  const char *name = nullptr, *text = nullptr;
  if (!cuGetErrorName || cuGetErrorName(result, &name) != cu::Success || !name)
    name = "an unknown error";
  if (!cuGetErrorString || cuGetErrorString(result, &text) != cu::Success || !text)
    text = "the driver has no text for it";
  ErrorCode code = ErrorCode::Internal;
  switch (result) {
  case cu::InvalidValue:
  case cu::InvalidDevice:
    code = ErrorCode::InvalidArgument;
    break;
  case cu::OutOfMemory:
  case cu::LaunchOutOfResources:
    code = ErrorCode::ResourceExhausted;
    break;
  case cu::NoDevice:
  case cu::SystemDriverMismatch:
    code = ErrorCode::Unavailable;
    break;
  case cu::InvalidImage:
  case cu::NoBinaryForGpu:
  case cu::InvalidPtx:
  case cu::UnsupportedPtxVersion:
    code = ErrorCode::Incompatible;
    break;
  case cu::NotFound:
    code = ErrorCode::NotFound;
    break;
  default:
    break;
  }
  auto failed = makeError(code, "{} failed: {} ({}, error {})", action, text, name, static_cast<int>(result));
  if (result == cu::OutOfMemory)
    failed.value().notes.emplace_back("free memory on the GPU, or give smaller tensors");
  return failed;
}

} // namespace lacuna::runtime
