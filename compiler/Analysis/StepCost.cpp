#include "lacuna/Compiler/Analysis/StepCost.h"

#include "MainLoop.h"
#include "Rates.h"

using namespace mlir;

namespace lacuna {

std::optional<StepCost> predictStep(warp::FuncOp func) {
  std::optional<StepWalk> step = walkMainLoop(func);
  if (!step)
    return std::nullopt;
  KernelStructure structure = describeStructure(func);
  const Rates &rates = ratesOf(warp::machineOf(func));
  auto warpgroups = static_cast<double>(structure.consumerWarpgroups);
  auto copied = static_cast<double>(step->copiedBytes);
  auto special = static_cast<double>(step->registers.special * warp::kWarpgroupThreads);
  StepCost cost;
  cost.tensor = warpgroups * step->tensor;
  cost.shared = (warpgroups * static_cast<double>(step->operandBytes) + copied) / rates.sharedBytes;
  cost.special = warpgroups * special / rates.specialFunctions;
  cost.issue = warpgroups * static_cast<double>(step->registers.issued);
  cost.copies = copied / rates.copiedBytes;
  cost.copiedBytes = step->copiedBytes;
  cost.chain = step->now;
  // While a warpgroup goes through its chain, so does every other of the multiprocessor.
  double chain = cost.chain / static_cast<double>(structure.blocksPerMultiprocessor);
  for (auto [cycles, unit] : {std::pair(cost.tensor, "tensor cores"), std::pair(cost.shared, "shared memory"),
                              std::pair(cost.special, "special functions"), std::pair(cost.issue, "issue slots"),
                              std::pair(cost.copies, "copies"), std::pair(chain, "dependences")})
    if (cycles > cost.cycles)
      cost.cycles = cycles, cost.boundBy = unit;
  if (cost.cycles > 0)
    cost.tensorFraction = cost.tensor / cost.cycles;
  return cost;
}

} // namespace lacuna
