//===- Driver.h - The CUDA driver, loaded at run time -----------*- C++ -*-===//
//
// One table of driver functions, filled from libcuda.so.1 when it is first asked for, so that one binary runs on
// machines with and without a GPU. Nothing here links against CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_DRIVER_H
#define LACUNA_RUNTIME_DRIVER_H

#include "lacuna/Runtime/DriverTypes.h"
#include "lacuna/Runtime/Error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lacuna::runtime {

/// The driver's functions, as data members of the same names: `driver->cuInit(0)`.
/// Thread safety: immutable once loaded; the functions are thread safe as the driver says.
class Driver {
public:
#define LACUNA_DRIVER_FUNCTION(name, parameters) cu::Result(*name) parameters = nullptr;
#include "lacuna/Runtime/DriverFunctions.def"

  /// The process's driver (the LACUNA_DRIVER knob, else libcuda.so.1), loaded and initialised at the first call.
  /// Errors: Unavailable with what is missing and what to do: no library, a driver older than CUDA 12.0, no device.
  static Expected<std::shared_ptr<const Driver>> get();

  /// Loads and initialises the driver from `library` (a name or a path). Errors: as get().
  static Expected<std::shared_ptr<const Driver>> load(const std::string &library);

  /// cuGetProcAddress: puts the address of `name`, as of CUDA `version`, into `function`.
  using Resolver = cu::Result (*)(const char *name, void **function, int version, uint64_t flags, int *status);
  /// Initialises a driver that is already in the process, under `name` in messages. Errors: as get().
  static Expected<std::shared_ptr<const Driver>> fromResolver(Resolver resolver, const std::string &name);

  Driver(const Driver &) = delete;
  Driver &operator=(const Driver &) = delete;

  /// The CUDA version that the driver speaks, e.g. 12040 for 12.4.
  int version() const { return driverVersion; }
  /// The library it was loaded from, as it was asked for.
  const std::string &library() const { return libraryName; }

  /// Success, or an Error with the driver's name and text of `result` and `action`, what was being done ("loading the
  /// kernel's image"). Codes: Incompatible for images this GPU or driver cannot run, ResourceExhausted for memory and
  /// launch resources, Unavailable for a missing device, InvalidArgument for refused values, else Internal.
  Expected<void> check(cu::Result result, std::string_view action) const {
    if (result == cu::Success) [[likely]]
      return {};
    return failure(result, action);
  }

private:
  Driver() = default;
  tl::unexpected<Error> failure(cu::Result result, std::string_view action) const;

  std::string libraryName;
  int driverVersion = 0;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_DRIVER_H
