// What is behind the handles of the C interface that need no compiler.
#pragma once

#include "Arguments.h"

#include "lacuna/Runtime/Bundle.h"
#include "lacuna/Runtime/PreparedLaunch.h"

#include <memory>
#include <span>
#include <variant>

namespace lacuna::c {

using AnyPrepared = std::variant<runtime::PreparedLaunch, runtime::PreparedCpuLaunch>;

/// A kernel, whoever made it. Thread safety: as the kernel behind it.
class KernelCode {
public:
  virtual ~KernelCode() = default;
  virtual const runtime::LaunchMetadata &metadata() const = 0;
  /// `stream` is null for a kernel of the CPU.
  virtual Expected<void> launch(const runtime::Stream *stream,
                                std::span<const runtime::ArgumentValue> arguments) const = 0;
  virtual Expected<std::unique_ptr<AnyPrepared>> prepare(const runtime::Stream *stream,
                                                         std::span<const runtime::ArgumentValue> arguments) const = 0;
};

/// A handle for the caller.
lacuna_kernel *makeKernel(std::unique_ptr<const KernelCode> code, Place place);

/// Names and values; `what` is "param" or "hook". Errors: InvalidArgument for a NULL and for one that is given twice.
Expected<runtime::Settings> convertSettings(std::string_view what, const lacuna_setting *settings, size_t count);

/// The result of a prepare() for the caller of another.
template <class Prepared> Expected<std::unique_ptr<AnyPrepared>> anyOf(Expected<Prepared> prepared) {
  if (!prepared)
    return takeError(prepared);
  return std::make_unique<AnyPrepared>(std::move(*prepared));
}

} // namespace lacuna::c

struct lacuna_kernel {
  std::unique_ptr<const lacuna::c::KernelCode> code;
  lacuna::c::Place place;
  std::string metadata; ///< as JSON
};

struct lacuna_prepared {
  std::unique_ptr<lacuna::c::AnyPrepared> launch; ///< never null
  lacuna::c::Place place;
};

struct lacuna_bundle {
  lacuna::runtime::Bundle bundle;
  std::vector<std::string> titles;
};
