// DLPack's tensors and the C interface's lists as arguments of ours.
#pragma once

#include "lacuna/Runtime/Arguments.h"
#include "lacuna/Runtime/Device.h"
#include "lacuna/Runtime/LaunchMetadata.h"
#include "lacuna/c/runtime.h"

#include <optional>
#include <span>

namespace lacuna::c {

/// Where a kernel's memory must lie. Thread safety: a plain value.
struct Place {
  std::optional<runtime::Device> gpu; ///< nothing: the CPU
};

/// All arguments of a launch. What the runtime cannot see is checked here: devices, element types, NULLs, list lengths.
/// Errors: InvalidArgument by the argument's name.
Expected<std::vector<runtime::ArgumentValue>> convertArguments(const runtime::LaunchMetadata &metadata,
                                                               const Place &place,
                                                               std::span<const lacuna_argument> arguments);

/// One list; `name` is the argument's. Errors: likewise.
Expected<runtime::BlockListView> convertList(const std::string &name, const Place &place,
                                             const lacuna_block_list *list);

} // namespace lacuna::c
