#include "KernelPlan.h"

#include "Alignment.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace lacuna {

LoadedOperand findLoadedOperand(Value operand) {
  if (auto load = operand.getDefiningOp<tile::LoadOp>())
    return {load, false};
  if (auto transpose = operand.getDefiningOp<tile::TransposeOp>())
    if (auto load = transpose.getX().getDefiningOp<tile::LoadOp>())
      return {load, true};
  return {};
}

/// Whether the producer can copy what `load` takes into a shared tile; otherwise says why not.
static LogicalResult verifySharedLoad(tile::LoadOp load, const warp::Machine &machine) {
  auto type = cast<RankedTensorType>(load.getResult().getType());
  tile::AccessAxes axes = tile::getAccessAxes(load.getSizes(), type);
  if (axes.rows.empty() || axes.column != static_cast<int64_t>(load.getSizes().size()) - 1)
    return load.emitError() << "a product's operand must be a slice of two axes, the innermost one among them";
  for (int64_t extent : type.getShape())
    if (extent == 1)
      return load.emitError() << "a product's operand has tiles of 16 rows and columns or more, this load is " << type;
  if (type.getDimSize(0) > 256)
    return load.emitError() << "a product's operand has at most 256 rows on " << machine.name << ", this load has "
                            << type.getDimSize(0) << "; use a smaller tile";
  for (Operation *parent = load->getParentOp(); !isa<tile::FuncOp>(parent); parent = parent->getParentOp())
    if (isa<scf::IfOp>(parent)) {
      InFlightDiagnostic diag = load.emitError()
                                << "a product's operand cannot be loaded under a condition; load it outside";
      diag.attachNote(parent->getLoc()) << "the condition is here";
      return diag;
    }
  return verifyCopyAlignment(load, machine.name);
}

/// Whether `value` is a scalar that depends on nothing but the launch and the program's place in the grid.
static bool followsFromLaunch(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return isa<tile::FuncOp>(cast<BlockArgument>(value).getOwner()->getParentOp());
  return isa<tile::FuncOp>(op->getParentOp()) && !isa<RankedTensorType>(value.getType()) && op->getNumRegions() == 0 &&
         isMemoryEffectFree(op) && llvm::all_of(op->getOperands(), followsFromLaunch);
}

static LogicalResult planProducts(tile::FuncOp func, KernelPlan &plan) {
  tile::DotOp first;
  WalkResult result = func.walk([&](tile::DotOp dot) {
    auto type = cast<RankedTensorType>(dot.getResult().getType());
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    if (columns > warp::kProductColumnsLimit) {
      dot.emitError() << "this product has " << columns << " columns, " << plan.machine.name << " multiplies up to "
                      << warp::kProductColumnsLimit << " at once; use a smaller tile";
      return WalkResult::interrupt();
    }
    if (first && rows != plan.rows) {
      InFlightDiagnostic diag = dot.emitError() << "this product has " << rows << " rows, another has " << plan.rows
                                                << "; all products of a kernel must have the same";
      diag.attachNote(first.getLoc()) << "the other product is here";
      return WalkResult::interrupt();
    }
    first = first ? first : dot;
    plan.rows = rows;
    plan.columns = std::max(plan.columns, cast<RankedTensorType>(dot.getResult().getType()).getDimSize(1));
    LoadedOperand a = findLoadedOperand(dot.getA()), b = findLoadedOperand(dot.getB());
    if (!b.load) {
      dot.emitError() << "the second operand of a product must be a loaded tile or its transpose on "
                      << plan.machine.name
                      << "; this one is computed. Exchange the operands, or store it and load it in another kernel";
      return WalkResult::interrupt();
    }
    for (tile::LoadOp load : {a.load, b.load}) {
      if (!load || plan.isShared(load))
        continue;
      if (failed(verifySharedLoad(load, plan.machine)))
        return WalkResult::interrupt();
      plan.sharedLoads.insert(load);
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Every tile in registers has the plan's rows, or is one value a column.
static LogicalResult verifyRows(tile::FuncOp func, const KernelPlan &plan) {
  WalkResult result = func.walk([&](Operation *op) {
    if (isa<tile::LoadOp, tile::TransposeOp>(op))
      return WalkResult::advance(); // Checked where they are used.
    for (Value value : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type || type.getDimSize(0) == plan.rows || (type.getDimSize(0) == 1 && type.getDimSize(1) > 1))
        continue;
      op->emitError() << "this tile is " << type << ", but the kernel computes tiles of " << plan.rows
                      << " rows; all must have the same";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// It must be the program's only loop with copies, and one whose steps overlap: a product leads, another follows. No
/// operand may be in a shared tile, which the last step of one program and the first of the next would both need, and
/// an accumulator over 128 columns leaves no registers for what is kept (warp-overlap-programs). Nor may it store: what
/// a padding step computes is thrown away, what it stores would stay.
bool KernelPlan::padsEmptyRows(tile::ForBlocksOp loop) const {
  if (!isPersistent() || !schedule.overlapsPrograms())
    return false;
  bool alone = llvm::all_of(sharedLoads, [&](Operation *load) {
    return load->getParentOp() == loop || isa<tile::FuncOp>(load->getParentOp());
  });
  bool stores = loop.walk([](tile::StoreOp) { return WalkResult::interrupt(); }).wasInterrupted();
  auto dots = loop.getBody().getOps<tile::DotOp>();
  bool shares = llvm::any_of(dots, [&](tile::DotOp dot) { return llvm::is_contained(wideOperands, dot); });
  bool isWide = llvm::any_of(loop.getInits().getTypes(), [](Type type) {
    auto tile = dyn_cast<RankedTensorType>(type);
    return tile && tile.getDimSize(0) > 1 && tile.getDimSize(1) > 128;
  });
  return alone && !stores && !shares && !isWide && llvm::range_size(dots) > 1 &&
         llvm::any_of(dots, [&](tile::DotOp dot) { return schedule.overlaps(dot); });
}

/// Finds the loops whose products fit into registers beside each other only where no computed operand does: the
/// leading accumulator, the operand made of it, the trailing accumulator and other carried tiles.
static void planOperands(tile::FuncOp func, KernelPlan &plan) {
  if (!plan.machine.asyncProducts)
    return;
  int64_t usable = plan.consumerRegisters() - warp::kRegistersBesideTiles;
  auto columnsOf = [](Value value) {
    auto tile = dyn_cast<RankedTensorType>(value.getType());
    return tile && tile.getDimSize(0) > 1 && tile.getDimSize(1) > 1 ? tile.getDimSize(1) : 0;
  };
  func.walk([&](Operation *loop) {
    if (!isa<scf::ForOp, tile::ForBlocksOp>(loop))
      return;
    Block &body = loop->getRegion(0).front();
    int64_t accumulators = 0, operands = 0;
    bool overlaps = false;
    SmallVector<Operation *> computed;
    for (auto dot : body.getOps<tile::DotOp>()) {
      overlaps |= plan.schedule.overlaps(dot);
      accumulators += columnsOf(dot.getResult()) / 2;
      if (findLoadedOperand(dot.getA()).load)
        continue;
      operands += columnsOf(dot.getA()) / 4;
      computed.push_back(dot);
    }
    for (Value yielded : body.getTerminator()->getOperands())
      accumulators += yielded.getDefiningOp<tile::DotOp>() ? 0 : columnsOf(yielded) / 2;
    if (overlaps && accumulators + operands > usable && accumulators <= usable)
      plan.wideOperands.insert(computed.begin(), computed.end());
  });
}

static constexpr int64_t kFewestRegisters = 24, kMostRegisters = 240;

int64_t KernelPlan::entryRegisters() const {
  return machine.entryRegisters(warpgroups, sharesMultiprocessor() ? 2 : 1);
}

int64_t KernelPlan::allRegisters() const {
  return (1 + warpgroups) * entryRegisters();
}

int64_t KernelPlan::producerRegisters() const {
  if (!machine.movesRegisters)
    return consumerRegisters();
  if (auto given = schedule.producerRegisters())
    return *given;
  int64_t automatic = warpgroups == 3 ? 32 : warpgroups == 2 || sharesMultiprocessor() ? 40 : kMostRegisters;
  if (auto each = schedule.consumerRegisters()) // It takes no more than they leave.
    automatic = std::min(automatic, std::max((allRegisters() - warpgroups * *each) / 8 * 8, kFewestRegisters));
  return automatic;
}

int64_t KernelPlan::consumerRegisters() const {
  if (!machine.movesRegisters)
    return std::min(schedule.consumerRegisters().value_or(kMostRegisters), std::min(entryRegisters(), kMostRegisters));
  int64_t left = allRegisters() - producerRegisters();
  return schedule.consumerRegisters().value_or(std::min(left / warpgroups / 8 * 8, kMostRegisters));
}

/// No product may have more registers in its hands than a thread starts with: ptxas refuses such an instruction,
/// whatever setmaxnreg gives the warpgroup before it runs. Beside the accumulator it wants 26, and 4 more for an
/// operand in registers. **Source:** what ptxas 13.0 asks for (error C7602), for 16 to 256 columns.
static LogicalResult verifyEntryRegisters(tile::FuncOp func, const KernelPlan &plan) {
  if (!plan.machine.movesRegisters) // Nor does an instruction take a whole accumulator there.
    return success();
  const int64_t most =
      std::min(plan.entryRegisters(), std::max(plan.producerRegisters(), plan.consumerRegisters())); // .maxnreg
  WalkResult result = func.walk([&](tile::DotOp dot) {
    const int64_t columns = cast<RankedTensorType>(dot.getResult().getType()).getDimSize(1);
    const bool inRegisters = !findLoadedOperand(dot.getA()).load && !plan.wideOperands.contains(dot);
    const int64_t needed = llvm::alignTo(columns, 16) / 2 + (inRegisters ? 30 : 26);
    if (needed <= most)
      return WalkResult::advance();
    dot.emitError() << "this product of " << columns << " columns takes " << needed
                    << " registers of a thread, and with " << plan.warpgroups
                    << " consumer warpgroups each starts with " << most
                    << ", the most that ptxas gives an instruction; take fewer columns or fewer rows";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

FailureOr<KernelPlan> planKernel(tile::FuncOp func, const warp::Machine &machine) {
  KernelPlan plan(func, machine);
  if (failed(planProducts(func, plan)))
    return failure();
  if (plan.rows == 0) // No product: the tallest tile that is stored.
    func.walk([&](tile::StoreOp store) {
      if (auto type = dyn_cast<RankedTensorType>(store.getValue().getType()))
        plan.rows = std::max(plan.rows, type.getDimSize(0));
    });
  if (plan.rows == 0)
    return func.emitError() << "this kernel has no product and stores no tile, so nothing says how many rows "
                            << machine.name << " should compute at a time; store a tile of 64, 128 or 192 rows, or use "
                            << "the CPU";
  if (plan.rows % warp::kWarpgroupRows != 0 || plan.rows > 3 * warp::kWarpgroupRows)
    return func.emitError() << machine.name << " computes tiles of 64, 128 or 192 rows, this kernel's have "
                            << plan.rows;
  plan.warpgroups = plan.rows / warp::kWarpgroupRows;
  if (auto consumers = plan.schedule.consumers(); consumers && *consumers != plan.warpgroups)
    return func.emitError() << "the schedule asks for " << *consumers << " consumer warpgroups, but tiles of "
                            << plan.rows << " rows take " << plan.warpgroups << " (64 rows each)";
  if (failed(verifyRows(func, plan)))
    return failure();
  planOperands(func, plan);
  if (failed(verifyEntryRegisters(func, plan)))
    return failure();
  for (Operation *load : plan.sharedLoads) {
    Operation *parent = load->getParentOp();
    plan.countable &= isa<tile::FuncOp>(parent) || isa<tile::FuncOp>(parent->getParentOp());
    if (auto dense = dyn_cast<scf::ForOp>(parent))
      for (Value bound : {dense.getLowerBound(), dense.getUpperBound(), dense.getStep()})
        plan.countable &= followsFromLaunch(bound);
  }
  return plan;
}

} // namespace lacuna
