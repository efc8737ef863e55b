//===- TunePlan.h - From a call of `lacuna tune` to cases -------*- C++ -*-===//

#ifndef LACUNA_TOOLS_TUNEPLAN_H
#define LACUNA_TOOLS_TUNEPLAN_H

#include "TuneCommand.h"

#include "lacuna/Autotune/Tuner.h"
#include "lacuna/Jit/Tuning.h"

namespace lacuna::tools {

/// A kernel to tune.
struct TunedKernel {
  KernelSpec spec;
  autotune::KernelDescription description;
};

/// The kernels that the call names; attention_forward where it names none.
/// Errors: NotFound for a name that neither the library nor the file system has, with those of the library; as
/// describeForTuning; InvalidArgument for a kernel without a `tune` entry.
Expected<std::vector<TunedKernel>> kernelsToTune(const TuneCommandOptions &options, Target target);

/// The cases: every kernel on its shapes, those of one variant next to each other. Without --shape and --shapes, usual
/// shapes of the kernel. Errors: as parseShape and parseShapesFile.
Expected<std::vector<autotune::TuneCase>> planCases(const TuneCommandOptions &options,
                                                    const std::vector<TunedKernel> &kernels, Target target,
                                                    const autotune::MachineLimits &machine);

/// Lines of shapes that a kernel is tuned on untold.
std::vector<std::string> usualShapes(const autotune::KernelDescription &kernel, Target target);

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_TUNEPLAN_H
