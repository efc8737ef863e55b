// The pass tile-to-warp: plan, preamble, roles.
#include "lacuna/Compiler/Conversion/TileToWarp.h"

#include "RoleEmitter.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace lacuna {

#define GEN_PASS_DEF_TILETOWARP
#include "lacuna/Compiler/Conversion/TileToWarpPasses.h.inc"

namespace {

class KernelSplitter {
public:
  KernelSplitter(tile::FuncOp source, const KernelPlan &plan, int64_t stages)
      : source(source), plan(plan), stages(stages), builder(source) {}

  LogicalResult run();

private:
  void createFunction();
  void emitPreamble();
  int64_t ringDepth(tile::LoadOp load);
  void createRings();
  LogicalResult openLists();
  Block *createRole(warp::RolesOp roles, warp::RoleKind kind, int64_t warpgroups, int64_t registers);

  tile::FuncOp source;
  const KernelPlan &plan;
  int64_t stages;
  OpBuilder builder;
  warp::FuncOp target;
  Preamble preamble;
};

} // namespace

void KernelSplitter::createFunction() {
  target = builder.create<warp::FuncOp>(source.getLoc(), source.getSymNameAttr(), source.getFunctionTypeAttr(),
                                        source.getDimsAttr(), source.getGridAttr(), source.getConstraintsAttr(),
                                        source.getArgAttrsAttr(), source.getResAttrsAttr());
  Block *body = builder.createBlock(&target.getBody());
  for (BlockArgument argument : source.getBody().getArguments())
    preamble.values.map(argument, body->addArgument(argument.getType(), argument.getLoc()));
}

/// Scalars that follow from the launch alone: both roles use them.
void KernelSplitter::emitPreamble() {
  for (Operation &op : source.getBody().front().without_terminator()) {
    bool scalar = llvm::none_of(op.getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); });
    bool available = llvm::all_of(op.getOperands(), [&](Value value) { return preamble.values.contains(value); });
    if (scalar && available && op.getNumRegions() == 0 && isMemoryEffectFree(&op))
      builder.clone(op, preamble.values);
  }
}

/// What the schedule says of the ring that `load` belongs to, or the pass's option; a load outside loops happens once.
int64_t KernelSplitter::ringDepth(tile::LoadOp load) {
  if (isa<tile::FuncOp>(load->getParentOp()))
    return 1;
  auto ring = load->getAttrOfType<IntegerAttr>("ring");
  auto depths =
      source.getSchedule() ? source.getScheduleAttr().getAs<DenseI64ArrayAttr>("ring_depths") : DenseI64ArrayAttr();
  if (!ring || !depths || ring.getInt() >= depths.size())
    return stages;
  return depths[ring.getInt()];
}

void KernelSplitter::createRings() {
  for (auto [index, op] : llvm::enumerate(plan.sharedLoads)) {
    auto load = cast<tile::LoadOp>(op);
    auto tileType = cast<RankedTensorType>(load.getResult().getType());
    auto type = warp::RingType::get(builder.getContext(), ringDepth(load), tileType.getDimSize(0),
                                    tileType.getDimSize(1), tileType.getElementType());
    auto argument = dyn_cast<BlockArgument>(load.getView());
    auto name = argument ? source.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kNameAttr) : StringAttr();
    preamble.rings[op] = builder.create<warp::RingCreateOp>(
        op->getLoc(), type, name ? name : builder.getStringAttr("ring" + std::to_string(index)));
  }
}

LogicalResult KernelSplitter::openLists() {
  WalkResult result = source.walk([&](tile::ForBlocksOp loop) {
    SmallVector<Value> operands = {loop.getBlocks(), loop.getBatch(), loop.getHead(), loop.getRow(), loop.getLimit()};
    for (Value &operand : operands) {
      if (!preamble.values.contains(operand)) {
        loop.emitError()
            << "the row of a sparse loop must follow from the program's place in the grid alone on sm_90a; "
               "this one depends on another loop or on a tile";
        return WalkResult::interrupt();
      }
      operand = preamble.values.lookup(operand);
    }
    auto type = warp::ListType::get(builder.getContext(), loop.getBlocks().getType().getKeyBlock(), loop.getStep());
    preamble.lists[loop] = builder.create<warp::ListOpenOp>(loop.getLoc(), type, operands[0], operands[1], operands[2],
                                                            operands[3], operands[4]);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

Block *KernelSplitter::createRole(warp::RolesOp roles, warp::RoleKind kind, int64_t warpgroups, int64_t registers) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&roles.getBody().front());
  auto role = builder.create<warp::RoleOp>(source.getLoc(), kind, warpgroups, registers);
  return builder.createBlock(&role.getBody());
}

LogicalResult KernelSplitter::run() {
  createFunction();
  emitPreamble();
  createRings();
  if (failed(openLists()))
    return failure();
  auto roles = builder.create<warp::RolesOp>(source.getLoc());
  builder.create<warp::ReturnOp>(source.getLoc());
  builder.createBlock(&roles.getBody());
  Block *producer = createRole(roles, warp::RoleKind::Producer, 1, plan.producerRegisters());
  Block *consumer = createRole(roles, warp::RoleKind::Consumer, plan.warpgroups, plan.consumerRegisters());
  if (failed(emitProducer(source, OpBuilder::atBlockEnd(producer), plan, preamble)) ||
      failed(emitConsumer(source, OpBuilder::atBlockEnd(consumer), plan, preamble)))
    return failure();
  source.erase();
  return success();
}

namespace {
struct TileToWarpPass : impl::TileToWarpBase<TileToWarpPass> {
  using TileToWarpBase::TileToWarpBase;
  void runOnOperation() override {
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<tile::FuncOp>())) {
      FailureOr<KernelPlan> plan = planKernel(func);
      if (failed(plan) || failed(KernelSplitter(func, *plan, stages).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

} // namespace lacuna
