#include "lacuna/Compiler/Analysis/StepCost.h"

#include "MainLoop.h"

using namespace mlir;

namespace lacuna {

KernelStructure describeStructure(warp::FuncOp func) {
  KernelStructure structure;
  int64_t shared = 0;
  func.walk([&](Operation *op) {
    if (auto role = dyn_cast<warp::RoleOp>(op)) {
      bool producer = role.getKind() == warp::RoleKind::Producer;
      (producer ? structure.producerRegisters : structure.consumerRegisters) = role.getRegisters();
      if (!producer)
        structure.consumerWarpgroups = role.getWarpgroups();
    } else if (auto ring = dyn_cast<warp::RingCreateOp>(op)) {
      warp::RingType type = ring.getRing().getType();
      shared += warp::ringBytes(type);
      structure.rings.push_back(
          {ring.getName().str(), type.getDepth(), type.getRows(), type.getColumns(), warp::ringBytes(type)});
    }
    structure.persistent |= isa<warp::ForTilesOp>(op);
    structure.maskedSplit |= isa<warp::ListMaskedOp>(op) && warp::getRole(op);
  });
  const warp::Machine &machine = warp::machineOf(func);
  int64_t threads = machine.threads(structure.consumerWarpgroups);
  int64_t registers = machine.producerThreads * structure.producerRegisters +
                      warp::kWarpgroupThreads * structure.consumerWarpgroups * structure.consumerRegisters;
  // lower-warp lets two thread blocks share a multiprocessor where their registers fit.
  if (machine.blocksByRegisters(structure.consumerWarpgroups, registers) == 2)
    structure.blocksPerMultiprocessor =
        std::min<int64_t>(2, occupancyOf(threads, 0, shared, machine.sharedMemory).blocks);
  if (std::optional<StepWalk> step = walkMainLoop(func)) {
    structure.products.assign(step->products.begin(), step->products.end());
    structure.overlap = step->overlap;
    structure.turns = step->turns;
  }
  return structure;
}

std::vector<std::string> decisionsOf(warp::FuncOp func) {
  std::vector<std::string> sentences;
  if (auto decisions = func->getAttrOfType<ArrayAttr>(warp::kDecisionsAttr))
    for (Attribute sentence : decisions)
      sentences.push_back(cast<StringAttr>(sentence).str());
  return sentences;
}

} // namespace lacuna
