// The machines, and whether a kernel asks of its machine what that has.
#include "KernelVerifiers.h"

using namespace mlir;

namespace lacuna::warp {

static constexpr int64_t kKiB = 1024;

static constexpr Machine kMachines[] = {
    {.name = "sm_90a",
     .copyEngine = true,
     .asyncProducts = true,
     .movesRegisters = true,
     .staysResident = true,
     .producerThreads = kWarpgroupThreads,
     .sharedMemory = 228 * kKiB,
     .sharedMemoryLimit = kSharedMemoryLimit,
     .commonSharedMemory = kSharedMemoryLimit},
    // And what came after it: compute capabilities 8.6, 8.9 and 12.0 have 99 KiB a thread block.
    {.name = "sm_80",
     .copyEngine = false,
     .asyncProducts = false,
     .movesRegisters = false,
     .staysResident = false,
     .producerThreads = 32,
     .sharedMemory = 164 * kKiB,
     .sharedMemoryLimit = 163 * kKiB,
     .commonSharedMemory = 99 * kKiB},
};

ArrayRef<Machine> machines() {
  return kMachines;
}

const Machine *findMachine(StringRef name) {
  const Machine *found = llvm::find_if(kMachines, [&](const Machine &machine) { return machine.name == name; });
  return found == std::end(kMachines) ? nullptr : found;
}

const Machine &machineOf(FuncOp func) {
  auto name = func->getAttrOfType<StringAttr>(kTargetAttr);
  const Machine *machine = name ? findMachine(name.getValue()) : nullptr;
  return machine ? *machine : kMachines[0];
}

/// Why `machine` cannot run `op`, or nothing.
static StringRef findLack(const Machine &machine, Operation *op) {
  if (!machine.copyEngine && isa<TmaLoadOp>(op))
    return "has no copy engine; its producer copies with warp.async_load";
  if (!machine.copyEngine && isa<SmemCreateOp, TmaStoreOp, TmaStoreWaitOp>(op))
    return "has no copy engine; store from registers with warp.store_global";
  if (machine.copyEngine && isa<AsyncLoadOp>(op))
    return "has a copy engine, and one thread of its producer copies; use warp.tma_load";
  if (!machine.asyncProducts && isa<WgmmaSsOp, WgmmaRsOp, WgmmaCommitOp, WgmmaWaitOp, TurnWaitOp, TurnPassOp>(op))
    return "has no products that run by themselves; multiply with warp.mma_sync";
  if (!machine.staysResident && isa<ForTilesOp>(op))
    return "runs one program in each thread block";
  return {};
}

LogicalResult verifyMachine(FuncOp func) {
  if (Attribute target = func->getAttr(kTargetAttr)) {
    auto name = dyn_cast<StringAttr>(target);
    if (!name || !findMachine(name.getValue())) {
      InFlightDiagnostic diag = func.emitOpError() << "is for the machine " << target << ", but there are only ";
      llvm::interleaveComma(kMachines, diag, [&](const Machine &machine) { diag << '"' << machine.name << '"'; });
      return diag;
    }
  }
  const Machine &machine = machineOf(func);
  WalkResult result = func.walk([&](Operation *op) {
    StringRef lack = findLack(machine, op);
    if (lack.empty())
      return WalkResult::advance();
    op->emitOpError() << "is not for " << machine.name << ", which " << lack;
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::warp
