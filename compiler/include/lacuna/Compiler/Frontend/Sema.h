//===- Sema.h - Names, types and params -------------------------*- C++ -*-===//

#ifndef LACUNA_COMPILER_FRONTEND_SEMA_H
#define LACUNA_COMPILER_FRONTEND_SEMA_H

#include "lacuna/Compiler/Frontend/CheckedKernel.h"
#include "lacuna/Runtime/Error.h"

namespace lacuna::frontend {

/// The library of hooks (kernels_dsl/hooks.tile, part of this library), parsed once. Its hooks and params are visible
/// behind those of every file.
std::shared_ptr<const Module> hookLibrary();
/// Its text, which every compilation depends on.
std::string_view hookLibraryText();

/// Checks one kernel of `module` for one specialisation: binds the params, replaces hooks, resolves names, types
/// everything, and evaluates the schedule of `specialization.target`.
///
/// Errors: NotFound (an unknown kernel, param or hook is asked for), InvalidArgument (a param's value outside its
/// domain, a constraint violated), ParseError (the text of a replaced hook), VerifyError (mistakes in the kernel). The
/// message holds all diagnostics.
Expected<std::shared_ptr<const CheckedKernel>> analyze(std::shared_ptr<const Module> module,
                                                       const Specialization &specialization);

/// The names of the kernels in a module, in order.
std::vector<std::string> kernelNames(const Module &module);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_SEMA_H
