#include "lacuna/Compiler/Interpreter/Interpreter.h"

#include "Scheduler.h"

#include <algorithm>

namespace lacuna {

Expected<InterpreterReport> interpretWarp(warp::FuncOp kernel, const runtime::LaunchMetadata &metadata,
                                          std::span<const runtime::ArgumentValue> arguments,
                                          const InterpreterOptions &options) {
  Expected<runtime::LaunchBounds> bounds = runtime::bindArguments(metadata, arguments);
  if (!bounds)
    return takeError(bounds);
  if (kernel.getNumArguments() != arguments.size())
    return makeError(ErrorCode::Internal, "the kernel has {} arguments, its metadata {}", kernel.getNumArguments(),
                     arguments.size());
  interpreter::Launch launch(kernel, metadata, *bounds, arguments);
  if (launch.consumers < 1 || launch.consumers >= interpreter::kMaxAgents)
    return makeError(ErrorCode::VerifyError, "the kernel has {} consumer warpgroups, 1 to {} are allowed",
                     launch.consumers, interpreter::kMaxAgents - 1);
  InterpreterReport report;
  if (launch.tiles) {
    launch.threadBlocks = std::clamp<int64_t>(options.persistentBlocks, 1, launch.programs);
    for (int64_t number = 0; number < launch.threadBlocks; ++number, ++report.threadBlocks)
      if (Expected<void> done = interpreter::Scheduler(launch, {number, 0, 0}, options, report).run(); !done)
        return takeError(done);
    return report;
  }
  for (int64_t z = 0; z < bounds->grid[2]; ++z)
    for (int64_t y = 0; y < bounds->grid[1]; ++y)
      for (int64_t x = 0; x < bounds->grid[0]; ++x) {
        if (Expected<void> done = interpreter::Scheduler(launch, {x, y, z}, options, report).run(); !done)
          return takeError(done);
        ++report.threadBlocks;
      }
  return report;
}

} // namespace lacuna
