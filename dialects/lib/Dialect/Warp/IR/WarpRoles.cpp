// A kernel, its roles and what they take of a multiprocessor: registers, shared memory.
#include "KernelVerifiers.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;

namespace lacuna::warp {

int64_t ringBytes(RingType ring) {
  return ring.getDepth() * (ring.getSlotBytes() + 2 * 8);
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

LogicalResult RolesOp::verifyRegions() {
  const Machine &machine = machineOf((*this)->getParentOfType<FuncOp>());
  int64_t registers = 0, warpgroups = 0, producers = 0, consumers = 0, most = 0;
  for (Operation &op : getBody().front()) {
    auto role = dyn_cast<RoleOp>(op);
    if (!role)
      return op.emitOpError() << "is not a warp.role; a warp.roles holds nothing else";
    bool producer = role.getKind() == RoleKind::Producer;
    int64_t threads = producer ? machine.producerThreads : role.getWarpgroups() * kWarpgroupThreads;
    registers += threads * role.getRegisters();
    most = std::max<int64_t>(most, role.getRegisters());
    warpgroups += producer ? 0 : role.getWarpgroups();
    ++(producer ? producers : consumers);
  }
  if (producers != 1 || consumers != 1)
    return emitOpError() << "needs one producer and one consumer role, got " << producers << " and " << consumers;
  // lower-warp lets two thread blocks share a multiprocessor where both fit.
  int64_t blocks = machine.blocksByRegisters(warpgroups, registers);
  int64_t each = machine.entryRegisters(warpgroups, blocks), threads = machine.threads(warpgroups);
  if (!machine.movesRegisters && registers != threads * most)
    return emitOpError() << "gives its roles different registers, but on " << machine.name
                         << " all threads keep what they start with; give both roles the same";
  if (registers > threads * each)
    return emitOpError() << "the roles need " << registers << " registers, " << threads << " threads get "
                         << threads * each << " (" << each << " each of a multiprocessor's 65536"
                         << (blocks == 2 ? ", which two thread blocks share" : "")
                         << "); lower `registers` or use fewer warpgroups";
  return success();
}

static LogicalResult verifySharedMemory(FuncOp func) {
  int64_t total = 0;
  func.walk([&](RingCreateOp ring) { total += ringBytes(ring.getRing().getType()); });
  func.walk([&](SmemCreateOp tile) { total += tile.getSmem().getType().getBytes(); });
  int64_t limit = machineOf(func).sharedMemoryLimit;
  if (total <= limit)
    return success();
  InFlightDiagnostic diag = func.emitOpError() << "needs " << total << " bytes of shared memory, a thread block has "
                                               << limit << "; use fewer stages or smaller tiles";
  func.walk([&](RingCreateOp ring) {
    RingType type = ring.getRing().getType();
    diag.attachNote(ring.getLoc()) << "ring '" << ring.getName() << "': " << type.getDepth() << " x " << type.getRows()
                                   << " rows x " << type.getColumns() << " columns, " << ringBytes(type) << " bytes";
  });
  func.walk([&](SmemCreateOp tile) {
    SmemType type = tile.getSmem().getType();
    diag.attachNote(tile.getLoc()) << "shared tile '" << tile.getName() << "': " << type.getRows() << " rows x "
                                   << type.getColumns() << " columns, " << type.getBytes() << " bytes";
  });
  return diag;
}

static LogicalResult verifyOneSplit(FuncOp func) {
  RolesOp first;
  WalkResult result = func.walk([&](RolesOp roles) {
    if (!first) {
      first = roles;
      return WalkResult::skip();
    }
    InFlightDiagnostic diag = roles.emitOpError()
                              << "splits the thread block a second time; a kernel has one warp.roles";
    diag.attachNote(first.getLoc()) << "split here";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult FuncOp::verifyRegions() {
  if (failed(verifyOneSplit(*this)))
    return failure();
  if (failed(verifyMachine(*this)) || failed(verifySharedMemory(*this)) || failed(verifyBarriers(*this)) ||
      failed(verifyRings(*this)))
    return failure();
  WalkResult result = walk([](RoleOp role) {
    bool legal = succeeded(verifyTiles(role)) && succeeded(verifyProducts(role));
    return legal ? WalkResult::skip() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted() || failed(verifySharedTiles(*this)));
}

} // namespace lacuna::warp
