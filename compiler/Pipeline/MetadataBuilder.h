// From a kernel's IR to what its launch must know.
#pragma once

#include "lacuna/Compiler/Analysis/KernelReport.h"
#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Runtime/LaunchMetadata.h"

#include "mlir/IR/BuiltinOps.h"

namespace lacuna {

/// Name, arguments, dimensions, grid and constraints of the kernel (a tile.func or a warp.func) in `module`.
/// Errors: Internal where there is not exactly one.
Expected<runtime::LaunchMetadata> describeKernel(mlir::ModuleOp module);

/// Adds what lower-warp left on the function: threads, shared memory, tensor maps, alignments.
void addGpuLaunch(mlir::ModuleOp module, runtime::LaunchMetadata &metadata);

/// How many thread blocks a multiprocessor holds, with the registers that a thread starts with; nothing for a CPU.
std::optional<Occupancy> gpuOccupancy(mlir::ModuleOp module, const runtime::LaunchMetadata &metadata);

} // namespace lacuna
