// What is behind the handles of the C interface that belong to the compiler.
#pragma once

#include "../../runtime/c/Handles.h"

#include "lacuna/Jit/Jit.h"
#include "lacuna/c/lacuna.h"

namespace lacuna::c {

/// A kernel of a Jit for the caller.
lacuna_kernel *makeKernel(JitKernel kernel, const runtime::Device *device);

/// Errors: InvalidArgument.
Expected<KernelSpec> convertSpec(const lacuna_kernel_spec &given);

} // namespace lacuna::c

struct lacuna_jit {
  lacuna::Jit jit;
};
