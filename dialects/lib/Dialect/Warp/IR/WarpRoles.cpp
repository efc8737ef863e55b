// The checks that look at a whole kernel: shared memory, registers, rings and lists, products in flight.
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace lacuna::warp {

int64_t ringBytes(RingType ring) {
  return ring.getDepth() * (ring.getSlotBytes() + 2 * 8);
}

int64_t entryRegisters(int64_t warpgroups, int64_t blocksPerMultiprocessor) {
  int64_t registers = 65536 / (warpgroups * kWarpgroupThreads * blocksPerMultiprocessor) / 8 * 8;
  return std::min<int64_t>(registers, 248);
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), buildType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Resources
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult RoleOp::verify() {
  int64_t registers = getRegisters();
  if (registers % 8 != 0 || registers < 24 || registers > 240)
    return emitOpError() << "registers are a multiple of 8 from 24 to 240, got " << registers;
  int64_t warpgroups = getWarpgroups(), most = getKind() == RoleKind::Producer ? 1 : 3;
  if (warpgroups < 1 || warpgroups > most)
    return emitOpError() << "a " << stringifyRoleKind(getKind()) << " role has 1 to " << most << " warpgroups, got "
                         << warpgroups;
  return success();
}

LogicalResult RolesOp::verifyRegions() {
  int64_t registers = 0, producers = 0, consumers = 0;
  for (Operation &op : getBody().front()) {
    auto role = dyn_cast<RoleOp>(op);
    if (!role)
      return op.emitOpError() << "is not a warp.role; a warp.roles holds nothing else";
    registers += role.getWarpgroups() * kWarpgroupThreads * role.getRegisters();
    ++(role.getKind() == RoleKind::Producer ? producers : consumers);
  }
  if (producers != 1 || consumers != 1)
    return emitOpError() << "needs one producer and one consumer role, got " << producers << " and " << consumers;
  if (registers > 65536)
    return emitOpError() << "the roles need " << registers
                         << " registers, a multiprocessor has 65536; lower `registers` or use fewer warpgroups";
  return success();
}

static LogicalResult verifySharedMemory(FuncOp func) {
  int64_t total = 0;
  func.walk([&](RingCreateOp ring) { total += ringBytes(ring.getRing().getType()); });
  if (total <= kSharedMemoryLimit)
    return success();
  InFlightDiagnostic diag = func.emitOpError() << "needs " << total << " bytes of shared memory, a thread block has "
                                               << kSharedMemoryLimit << "; use fewer stages or smaller tiles";
  func.walk([&](RingCreateOp ring) {
    RingType type = ring.getRing().getType();
    diag.attachNote(ring.getLoc()) << "ring '" << ring.getName() << "': " << type.getDepth() << " x " << type.getRows()
                                   << " rows x " << type.getColumns() << " columns, " << ringBytes(type) << " bytes";
  });
  return diag;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rings and lists
//===--------------------------------------------------------------------------------------------------------------===//

/// The list that drives the innermost loop around `op`, or null where no list does.
static Value drivingList(Operation *op) {
  auto loop = op->getParentOfType<scf::ForOp>();
  if (!loop)
    return {};
  auto count = loop.getUpperBound().getDefiningOp<ListCountOp>();
  return count ? Value(count.getList()) : Value();
}

/// Both sides of a ring must run as often: loops over the same list, or loops over none.
static LogicalResult verifyRing(RingCreateOp ring) {
  Operation *producer = nullptr, *consumer = nullptr;
  for (Operation *user : ring.getRing().getUsers()) {
    if (isa<RingAcquireOp>(user))
      producer = user;
    else if (isa<RingWaitOp>(user))
      consumer = user;
  }
  if (!producer || !consumer)
    return ring.emitOpError() << "'" << ring.getName() << "' is "
                              << (producer ? "filled but never waited for" : "never filled");
  if (drivingList(producer) != drivingList(consumer)) {
    InFlightDiagnostic diag = ring.emitOpError()
                              << "'" << ring.getName() << "' is filled and emptied by loops over different lists";
    diag.attachNote(producer->getLoc()) << "filled here";
    diag.attachNote(consumer->getLoc()) << "emptied here";
    return diag;
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Named barriers
//===--------------------------------------------------------------------------------------------------------------===//

/// Every thread of a role comes to a barrier that the role only waits at; a count that differs hangs or lets some pass
/// early.
static LogicalResult verifyBarriers(FuncOp func) {
  llvm::SmallDenseSet<int64_t> arrived;
  func.walk([&](NamedBarrierArriveOp arrive) { arrived.insert(arrive.getId()); });
  WalkResult result = func.walk([&](NamedBarrierSyncOp sync) {
    RoleOp role = getRole(sync);
    int64_t threads = role ? role.getWarpgroups() * kWarpgroupThreads : 0;
    if (!role || arrived.contains(sync.getId()) || static_cast<int64_t>(sync.getThreads()) == threads)
      return WalkResult::advance();
    InFlightDiagnostic diag = sync.emitOpError()
                              << "waits for " << sync.getThreads() << " threads at barrier " << sync.getId() << ", but "
                              << threads << " come to it and nobody arrives there otherwise";
    diag.attachNote(role.getLoc()) << "the role has " << role.getWarpgroups() << " warpgroups";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Products in flight
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult verifyInflightUses(Operation *op) {
  for (Value result : op->getResults()) {
    if (!isa<InflightType>(result.getType()))
      continue;
    for (Operation *user : result.getUsers())
      if (!isa<WgmmaSsOp, WgmmaRsOp, WgmmaWaitOp, scf::YieldOp>(user)) {
        InFlightDiagnostic diag = user->emitOpError() << "uses an accumulator that a wgmma is still writing";
        diag.attachNote(op->getLoc()) << "issued here; wait for it first (warp.wgmma_wait)";
        return diag;
      }
  }
  return success();
}

/// An A fragment packed while a wgmma runs makes ptxas serialise every wgmma of the kernel.
static LogicalResult verifyPacking(Block &block) {
  Operation *running = nullptr;
  for (Operation &op : block) {
    if (isa<WgmmaSsOp, WgmmaRsOp>(op))
      running = &op;
    else if (isa<WgmmaWaitOp>(op))
      running = nullptr;
    else if (isa<PackAFragOp>(op) && running) {
      InFlightDiagnostic diag = op.emitOpError()
                                << "packs an A operand while a wgmma is in flight, which serialises all products";
      diag.attachNote(running->getLoc()) << "in flight since here; wait for it first (warp.wgmma_wait)";
      return diag;
    }
  }
  return success();
}

LogicalResult FuncOp::verifyRegions() {
  if (failed(verifySharedMemory(*this)) || failed(verifyBarriers(*this)))
    return failure();
  WalkResult result = walk([&](Operation *op) {
    bool legal = succeeded(verifyInflightUses(op));
    if (auto ring = dyn_cast<RingCreateOp>(op); ring && legal)
      legal = succeeded(verifyRing(ring));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        legal = legal && succeeded(verifyPacking(block));
    return legal ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

} // namespace lacuna::warp
