// The pass tile-to-warp: plan, preamble, roles.
#include "lacuna/Compiler/Conversion/TileToWarp.h"

#include "Epilogue.h"
#include "RoleEmitter.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace lacuna {

#define GEN_PASS_DEF_TILETOWARP
#include "lacuna/Compiler/Conversion/TileToWarpPasses.h.inc"

namespace {

/// Shared memory beside the rings: the mailbox and the scratch of reductions.
constexpr int64_t kReservedSharedBytes = 1024;

class KernelSplitter {
public:
  KernelSplitter(tile::FuncOp source, const KernelPlan &plan, int64_t stages)
      : source(source), plan(plan), stages(stages), builder(source) {}

  LogicalResult run();

private:
  void createFunction();
  void emitPreamble();
  bool computeInPreamble(Value value);
  void enterTiles();
  void countFills();
  int64_t ringDepth(tile::LoadOp load) const;
  void chooseDepths();
  int64_t roomLeft() const;
  void deepenOuterRings();
  void createRings();
  void createOperandTiles();
  void createStaging();
  LogicalResult openLists();
  Block *createRole(warp::RolesOp roles, warp::RoleKind kind, int64_t warpgroups, int64_t registers);

  tile::FuncOp source;
  const KernelPlan &plan;
  int64_t stages;
  OpBuilder builder;
  warp::FuncOp target;
  warp::ForTilesOp tiles;                               // of a persistent kernel
  SmallVector<std::pair<tile::LoadOp, int64_t>> depths; // of the shared loads' rings
  int64_t operandBytes = 0;                             // of shared tiles for computed operands
  Preamble preamble;
};

} // namespace

void KernelSplitter::createFunction() {
  target = builder.create<warp::FuncOp>(source.getLoc(), source.getSymNameAttr(), source.getFunctionTypeAttr(),
                                        source.getDimsAttr(), source.getGridAttr(), source.getConstraintsAttr(),
                                        source.getArgAttrsAttr(), source.getResAttrsAttr());
  if (&plan.machine != &warp::machines().front())
    target->setAttr(warp::kTargetAttr, builder.getStringAttr(plan.machine.name));
  plan.schedule.apply(plan, source, target);
  Block *body = builder.createBlock(&target.getBody());
  for (BlockArgument argument : source.getBody().getArguments())
    preamble.values.map(argument, body->addArgument(argument.getType(), argument.getLoc()));
}

/// Scalars that follow from the launch alone: both roles use them.
void KernelSplitter::emitPreamble() {
  for (Operation &op : source.getBody().front().without_terminator()) {
    bool scalar = llvm::none_of(op.getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); });
    bool available = llvm::all_of(op.getOperands(), [&](Value value) { return preamble.values.contains(value); });
    if (!scalar || !available || op.getNumRegions() != 0 || !isMemoryEffectFree(&op) || isa<tile::BandsOp>(op))
      continue;
    if (!llvm::all_of(op.getResults(), [&](Value result) { return preamble.values.contains(result); }))
      builder.clone(op, preamble.values);
  }
}

/// Whether the preamble has `value`, a scalar; where it can have it, it is computed there: bands of a loop inside
/// another follow from the launch alone, too.
bool KernelSplitter::computeInPreamble(Value value) {
  if (preamble.values.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions() != 0 || !isMemoryEffectFree(op) || isa<RankedTensorType>(value.getType()) ||
      !llvm::all_of(op->getOperands(), [&](Value operand) { return computeInPreamble(operand); }))
    return false;
  builder.clone(*op, preamble.values);
  return true;
}

/// The top-level loops whose own bodies hold shared loads, and the function if it does.
static SmallVector<Operation *> filledRegions(tile::FuncOp source, const KernelPlan &plan) {
  llvm::SetVector<Operation *> regions;
  for (Operation *load : plan.sharedLoads)
    regions.insert(load->getParentOp());
  return SmallVector<Operation *>(regions.begin(), regions.end());
}

/// Opens the loop over programs; it carries how many fills each region has made.
void KernelSplitter::enterTiles() {
  size_t count = filledRegions(source, plan).size();
  Value zero = builder.create<arith::ConstantIntOp>(source.getLoc(), 0, 32);
  tiles = builder.create<warp::ForTilesOp>(source.getLoc(), SmallVector<Value>(count, zero));
  SmallVector<Type> types(3 + count, builder.getI32Type());
  builder.createBlock(&tiles.getBody(), {}, types, SmallVector<Location>(types.size(), source.getLoc()));
  for (auto [region, carried] : llvm::zip(filledRegions(source, plan), tiles.getCarried()))
    preamble.firstFills[region] = carried;
  source.walk([&](tile::ProgramIdOp program) {
    preamble.values.map(program.getResult(), tiles.getCoordinates()[program.getAxis()]);
  });
}

/// Ends the loop over programs: how often each region's loads happened in this one.
void KernelSplitter::countFills() {
  Location loc = source.getLoc();
  SmallVector<Value> after;
  for (Operation *region : filledRegions(source, plan)) {
    Value times;
    if (auto sparse = dyn_cast<tile::ForBlocksOp>(region)) {
      times = builder.create<warp::ListCountOp>(loc, builder.getI32Type(), preamble.lists.lookup(sparse));
    } else if (auto dense = dyn_cast<scf::ForOp>(region)) {
      auto mapped = [&](Value value) { return preamble.values.lookup(value); };
      // ceil(length / step) for a step above zero and a length that is, as an unsigned number.
      Value lower = mapped(dense.getLowerBound()), upper = mapped(dense.getUpperBound());
      Value one = builder.create<arith::ConstantIntOp>(loc, 1, 32),
            zero = builder.create<arith::ConstantIntOp>(loc, 0, 32);
      Value length = builder.create<arith::SubIOp>(loc, upper, lower);
      Value last = builder.create<arith::SubIOp>(loc, length, one);
      Value trips =
          builder.create<arith::AddIOp>(loc, builder.create<arith::DivUIOp>(loc, last, mapped(dense.getStep())), one);
      Value any = builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, lower, upper);
      times = builder.create<arith::SelectOp>(loc, any, trips, zero);
    } else {
      times = builder.create<arith::ConstantIntOp>(loc, 1, 32);
    }
    after.push_back(builder.create<arith::AddIOp>(loc, preamble.firstFills[region], times));
  }
  builder.create<warp::NextTileOp>(loc, after);
}

static warp::RingType ringType(tile::LoadOp load, int64_t depth) {
  auto tile = cast<RankedTensorType>(load.getResult().getType());
  return warp::RingType::get(load.getContext(), depth, tile.getDimSize(0), tile.getDimSize(1), tile.getElementType());
}

/// A load outside loops happens once a program; a ring that the schedule does not name has `stages` slots.
int64_t KernelSplitter::ringDepth(tile::LoadOp load) const {
  return isa<tile::FuncOp>(load->getParentOp()) ? 1 : plan.schedule.ringDepth(load).value_or(stages);
}

/// Rings for which the schedule names no depth get fewer slots where the pass's option asks for more than every GPU of
/// the target has room for.
void KernelSplitter::chooseDepths() {
  auto needed = [&] {
    int64_t bytes = kReservedSharedBytes;
    for (Operation *op : plan.sharedLoads)
      bytes += warp::ringBytes(ringType(cast<tile::LoadOp>(op), ringDepth(cast<tile::LoadOp>(op))));
    return bytes;
  };
  while (stages > 1 && needed() > plan.machine.commonSharedMemory)
    --stages;
  for (Operation *op : plan.sharedLoads)
    depths.emplace_back(cast<tile::LoadOp>(op), ringDepth(cast<tile::LoadOp>(op)));
}

/// Bytes of shared memory that rings and operands leave. Where two thread blocks can share a multiprocessor, to each
/// its half.
int64_t KernelSplitter::roomLeft() const {
  int64_t used = kReservedSharedBytes + operandBytes;
  for (auto &[load, depth] : depths)
    used += warp::ringBytes(ringType(load, depth));
  int64_t all = plan.machine.sharedMemoryLimit;
  bool halves = plan.sharesMultiprocessor() && used <= all / 2;
  return all / (halves ? 2 : 1) - used;
}

/// A persistent kernel's producer may load for the next program while this one still reads: what is loaded once a
/// program gets a second slot where shared memory is left.
void KernelSplitter::deepenOuterRings() {
  for (auto &[load, depth] : depths) {
    if (!isa<tile::FuncOp>(load->getParentOp()))
      continue;
    int64_t more = warp::ringBytes(ringType(load, 2)) - warp::ringBytes(ringType(load, depth));
    if (more <= roomLeft())
      depth = 2;
  }
}

void KernelSplitter::createRings() {
  chooseDepths();
  createOperandTiles();
  if (plan.isPersistent())
    deepenOuterRings();
  for (auto [index, entry] : llvm::enumerate(depths)) {
    auto [load, depth] = entry;
    preamble.rings[load] = builder.create<warp::RingCreateOp>(
        load.getLoc(), ringType(load, depth), nameOfView(load.getView(), "ring" + std::to_string(index)));
  }
}

/// Shared tiles for the computed operands that registers do not suffice for: they come before what only hides latency.
void KernelSplitter::createOperandTiles() {
  for (auto [index, op] : llvm::enumerate(plan.wideOperands)) {
    auto a = cast<RankedTensorType>(cast<tile::DotOp>(op).getA().getType());
    auto type = warp::SmemType::get(builder.getContext(), a.getDimSize(0), a.getDimSize(1), a.getElementType());
    std::string what = ("operand of " + Twine(a.getDimSize(1)) + " columns: ").str();
    if (type.getBytes() > roomLeft()) {
      warp::addDecision(target, what + "kept in registers, the " + Twine(type.getBytes()) +
                                    " bytes of shared memory that would let products overlap are not left");
      continue;
    }
    operandBytes += type.getBytes();
    warp::addDecision(target,
                      what + "through shared memory, so that products can overlap in the registers that are left");
    preamble.staging[op] = builder.create<warp::SmemCreateOp>(op->getLoc(), type, "operand" + std::to_string(index));
  }
}

/// Shared tiles for stores come last: slots that are filled ahead gain more.
void KernelSplitter::createStaging() {
  for (auto [index, staged] : llvm::enumerate(planEpilogue(source, plan, roomLeft(), target)))
    preamble.staging[staged.store] = builder.create<warp::SmemCreateOp>(
        staged.store.getLoc(), staged.type, nameOfView(staged.store.getView(), "tile" + std::to_string(index)));
}

LogicalResult KernelSplitter::openLists() {
  WalkResult result = source.walk([&](tile::ForBlocksOp loop) {
    tile::BandsOp bands = loop.getBands();
    SmallVector<Value> operands(bands ? bands.getBounds() : loop.getPlace());
    operands.push_back(loop.getLimit());
    for (Value &operand : operands) {
      if (!computeInPreamble(operand)) {
        loop.emitError() << "the row of a sparse loop must follow from the program's place in the grid alone on "
                         << plan.machine.name
                         << "; this one is computed inside another loop, or from a tile; compute it before all loops";
        return WalkResult::interrupt();
      }
      operand = preamble.values.lookup(operand);
    }
    auto type = warp::ListType::get(builder.getContext(), loop.getKeyBlock(), loop.getStep());
    bool nonempty = plan.padsEmptyRows(loop);
    if (bands) {
      preamble.lists[loop] = builder.create<warp::ListBandsOp>(loop.getLoc(), type, ValueRange(operands).drop_back(),
                                                               operands.back(), nonempty);
      preamble.values.map(bands.getResult(), preamble.lists[loop]); // Nobody else uses it.
    } else {
      preamble.lists[loop] =
          builder.create<warp::ListOpenOp>(loop.getLoc(), type, preamble.values.lookup(loop.getBlocks()), operands[0],
                                           operands[1], operands[2], operands[3], nonempty);
    }
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
  createRings();
  createStaging();
  bool persistent = plan.isPersistent();
  if (persistent)
    enterTiles();
  emitPreamble();
  if (failed(openLists()))
    return failure();
  auto roles = builder.create<warp::RolesOp>(source.getLoc());
  if (persistent) {
    countFills();
    builder.setInsertionPointAfter(tiles);
  }
  builder.create<warp::ReturnOp>(source.getLoc());
  builder.createBlock(&roles.getBody());
  Block *producer = createRole(roles, warp::RoleKind::Producer, 1, plan.producerRegisters());
  Block *consumer = createRole(roles, warp::RoleKind::Consumer, plan.warpgroups, plan.consumerRegisters());
  if (plan.schedule.takesTurns() && plan.warpgroups > 1)
    consumer->getParentOp()->setAttr(warp::kTurnsAttr, builder.getUnitAttr());
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
    const warp::Machine *machine = warp::findMachine(target);
    if (!machine) {
      getOperation().emitError() << "there is no machine '" << target << "' (tile-to-warp's option `target`)";
      return signalPassFailure();
    }
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<tile::FuncOp>())) {
      FailureOr<KernelPlan> plan = planKernel(func, *machine);
      if (failed(plan) || failed(KernelSplitter(func, *plan, stages).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

} // namespace lacuna
