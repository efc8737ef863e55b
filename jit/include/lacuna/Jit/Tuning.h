// Between the compiler and the tuner: what a tuner has to know of a kernel, what a point would need and could reach,
// and which point to run where the caller leaves it open.
#pragma once

#include "lacuna/Autotune/Pruner.h"
#include "lacuna/Autotune/TunedRecords.h"
#include "lacuna/Jit/Jit.h"

namespace lacuna {

/// What the tuner knows of a kernel text with some params set. For the CPU the knobs are those that are params. Errors:
/// as the front end has them.
Expected<autotune::KernelDescription> describeForTuning(const KernelSpec &spec, Target target);

/// The values of the params that are no knobs and not the lists' block, with these set: a shape's params in full.
/// Errors: as describeForTuning.
Expected<autotune::Settings> completeParams(const KernelSpec &spec, const autotune::KernelDescription &kernel,
                                            Target target);

/// Runs the front end and the passes, no code generation. Errors: as Compiler::compile.
Expected<autotune::Facts> analyzePoint(Compiler &compiler, CompileRequest request);

/// Why the tuner does not run what was compiled: it spills, or the assembler advises against it. Nothing: it may run.
/// `report` is the assembler's; nothing where the driver assembles, which says nothing.
std::optional<std::string> rejectionOf(const std::optional<AssemblerReport> &report);

/// The machine that `device` is for code of `target`, or (null) this CPU with `threads` threads.
autotune::MachineLimits machineLimits(const runtime::Device *device, Target target, int threads);

/// What a caller left open, and what it knows of its data.
struct OpenPoint {
  autotune::Settings point; ///< values of the knobs that the caller did not set; with `keepLists` the lists' block too
  std::string origin;       ///< a phrase: where they come from
  bool isTuned = false;     ///< from a measurement
};

struct OpenQuestion {
  KernelSpec spec;
  autotune::Shape shape;          ///< dimensions and pattern as far as they are known; its params are found here
  bool keepLists = false;         ///< the lists' block stays what it is without any tuning
  bool measuredOnly = false;      ///< where there is no record the answer is nothing
  autotune::Settings untold = {}; ///< values that the caller takes where nothing better is known; else the defaults
  std::string assembler = {};     ///< as assemblerOfRecords; empty: the one that is found now
};

/// What RecordKey::assembler says of an assembler of this version: "ptxas 13.0.88"; of none: "driver".
std::string assemblerOfRecords(std::string_view version);
/// The same of the assembler that is found now, which is asked for its version.
std::string assemblerOfRecords();

/// The best known values of the knobs that `question.spec` does not set: of the nearest record that is legal with its
/// other params; where there is none, on a GPU, what the cost model predicts to be clearly better than those the caller
/// takes untold, and else those. A record that names another value for what `question.spec` sets is of another kernel.
/// Nothing: the kernel has nothing to tune, or all is set. Errors: as describeForTuning.
Expected<std::optional<OpenPoint>> chooseOpenPoint(const OpenQuestion &question, Target target,
                                                   const autotune::MachineLimits &machine,
                                                   const autotune::TunedRecords &records);

} // namespace lacuna
