// warp-overlap-programs: see Passes.td.
//
// What warp-overlap-dots does with the steps of a loop, done with the programs of a thread block. After it a program
// begins with the leading half of its first step and ends with the trailing half of its last one; here the end moves
// into the beginning of the next program:
//
//     enter: nothing is left over; a first fill for the ring of the trailing product
//     each program:
//       issue the leading product of the first step
//       issue the trailing product of the last step of the program before
//       wait for the leading product; compute with it while the trailing product runs
//       wait for the trailing product; prepare the operands of the trailing product of this first step
//       if there was a program before: its end (results, stores)
//       the loop over the other steps
//     leave: trailing product and end of the last program
//
// The first program has none before it. A product under a condition would make ptxas serialise all of them, so it
// multiplies zeros with that first fill, and nobody looks at the result.
#include "Products.h"
#include "lacuna/Dialect/Warp/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace lacuna::warp {

#define GEN_PASS_DEF_WARPOVERLAPPROGRAMS
#include "lacuna/Dialect/Warp/Transforms/Passes.h.inc"

namespace {

bool computes(Operation *op) {
  return op->getNumRegions() == 0 && isMemoryEffectFree(op);
}

constexpr StringLiteral kOthers = "there are other products or stores beside the halves of its first and last steps";

/// The parts of a program as a consumer runs it. All lists are in program order.
struct Parts {
  // Before the loop.
  Operation *leadWait = nullptr;     // behind it all of the leading half computes
  SmallVector<Operation *> operands; // A operands of the first step: made when no product runs
  SmallVector<Operation *> starts;   // what the loop's accumulators start with: made when the end's registers are free
  scf::ForOp steady;
  // After it.
  SmallVector<Operation *> trailIssue; // the last step's trailing product, up to its wait
  WgmmaWaitOp trailWait;
  SmallVector<Operation *> releases; // of slots that the trailing product read
  SmallVector<Operation *> end;      // all that follows, but for what follows from neither
};

class ProgramOverlap {
public:
  ProgramOverlap(ForTilesOp tiles, RoleOp producer, RoleOp consumer)
      : tiles(tiles), producer(producer), consumer(consumer) {}

  /// Says why programs cannot overlap, or finds their parts.
  LogicalResult plan(llvm::function_ref<void(Twine)> refuse);
  void rewrite();

private:
  LogicalResult findBeginning(llvm::function_ref<void(Twine)> refuse);
  void findLate();
  LogicalResult findEnd(llvm::function_ref<void(Twine)> refuse);
  LogicalResult findFills(llvm::function_ref<void(Twine)> refuse);
  /// Registers that the steps leave beside what they always need.
  int64_t spareRegisters() { return consumer.getRegisters() - kRegistersBesideTiles - productRegisters(parts.steady); }
  bool fitsRegisters();
  bool isMadeOfRows(Operation *op);
  bool isLate(Operation *op);
  bool isInvariant(Value value);
  bool isMoved(Value value);
  void collectKept();

  void countFirstFill(Operation *op, OpOperand &n);
  void enterProducer();
  void enterConsumer();
  void beginProgram(Operation *first);
  void leaveConsumer();
  Value recompute(OpBuilder &builder, Value value, IRMapping &mapping);
  IRMapping mapKept(OpBuilder &builder, ValueRange values);
  void cloneEnd(OpBuilder &builder, IRMapping &mapping, Value valid);

  ForTilesOp tiles;
  RoleOp producer, consumer;
  Parts parts;
  llvm::SmallPtrSet<Operation *, 32> moved; // to the next program
  SmallVector<RingAcquireOp> acquires;      // of the trailing product's rings
  llvm::SmallSetVector<Value, 16> kept;     // what the moved part uses of its program
};

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Planning
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether `op` makes an accumulator from values of rows and constants alone: cheap to do late.
bool ProgramOverlap::isMadeOfRows(Operation *op) {
  if (!computes(op) || op->getNumResults() != 1 || !isAccumulator(op->getResult(0)))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    Operation *def = operand.getDefiningOp();
    return !isAccumulator(operand) || (def && (def->hasTrait<OpTrait::ConstantLike>() || isMadeOfRows(def)));
  });
}

/// What must not, or need not, happen before the trailing product of the program before is complete: packing, and what
/// makes the narrow tiles for it; what accumulators start with.
void ProgramOverlap::findLate() {
  for (Operation *op = parts.steady->getPrevNode(); op != parts.leadWait; op = op->getPrevNode()) {
    bool onlyLate = !op->use_empty() && llvm::all_of(op->getUsers(), [&](Operation *user) {
      Operation *at = op->getBlock()->findAncestorOpInBlock(*user);
      return at == parts.steady || isLate(at);
    });
    auto tile = op->getNumResults() == 1 ? dyn_cast<RankedTensorType>(op->getResultTypes()[0]) : RankedTensorType();
    if (!onlyLate || !tile || !isMemoryEffectFree(op))
      continue;
    if (isMadeOfRows(op))
      parts.starts.insert(parts.starts.begin(), op);
    else if (tile.getElementTypeBitWidth() == 16)
      parts.operands.insert(parts.operands.begin(), op);
  }
}

bool ProgramOverlap::isLate(Operation *op) {
  return llvm::is_contained(parts.operands, op) || llvm::is_contained(parts.starts, op);
}

LogicalResult ProgramOverlap::findBeginning(llvm::function_ref<void(Twine)> refuse) {
  Block &body = consumer.getBody().front();
  for (Operation &op : body) {
    auto loop = dyn_cast<scf::ForOp>(op);
    WalkResult found = op.walk([](Operation *inner) { return WalkResult(failure(isProduct(inner))); });
    if (loop ? parts.steady != nullptr : op.getNumRegions() != 0 && found.wasInterrupted())
      return refuse("a program may be without any step, or has several loops"), failure();
    parts.steady = loop && found.wasInterrupted() ? loop : parts.steady;
  }
  Operation *waited = nullptr; // the last product that was issued before a wait
  for (Operation *op = &body.front(); parts.steady && op != parts.steady; op = op->getNextNode()) {
    if (isProduct(op) && parts.leadWait)
      return refuse(kOthers), failure();
    waited = isProduct(op) ? op : waited;
    if (isa<WgmmaWaitOp>(op) && !parts.leadWait)
      parts.leadWait = op;
  }
  if (!waited || !parts.leadWait)
    return refuse("its steps do not overlap"), failure();
  findLate();
  for (Operation *op = &body.front(); op != parts.steady; op = op->getNextNode())
    if (isa<PackAFragOp, StoreSharedOp>(op) && !llvm::is_contained(parts.operands, op))
      return refuse(kOthers), failure();
  return success();
}

/// What stands behind the loop goes to the next program, but for slots of the beginning, and scalars.
LogicalResult ProgramOverlap::findEnd(llvm::function_ref<void(Twine)> refuse) {
  bool issued = false;
  for (Operation *op = parts.steady->getNextNode(); op; op = op->getNextNode()) {
    auto release = dyn_cast<RingReleaseOp>(op);
    if (release && !isMoved(release.getSlot()))
      continue;
    bool scalar = computes(op) && llvm::none_of(op->getResultTypes(), [](Type type) { return isa<TensorType>(type); });
    if (scalar && llvm::none_of(op->getOperands(), [&](Value operand) { return isMoved(operand); }))
      continue;
    moved.insert(op);
    issued |= isProduct(op);
    bool ofProduct = isProduct(op) || isa<WgmmaCommitOp, WgmmaWaitOp, RingWaitOp>(op);
    if (parts.trailWait ? ofProduct : !ofProduct && !computes(op))
      return refuse(kOthers), failure();
    if (auto wait = dyn_cast<WgmmaWaitOp>(op))
      parts.trailWait = wait;
    else
      (release ? parts.releases : parts.trailWait ? parts.end : parts.trailIssue).push_back(op);
  }
  if (!issued || !parts.trailWait)
    return refuse("its steps do not overlap"), failure();
  return success();
}

static SmallVector<RingAcquireOp> acquiresOf(Value ring) {
  SmallVector<RingAcquireOp> found;
  for (Operation *user : ring.getUsers())
    if (auto acquire = dyn_cast<RingAcquireOp>(user))
      found.push_back(acquire);
  return found;
}

/// The slot of the trailing product stays with the consumers until the first ones of the next program have come: the
/// producer must not need it for those. It fills the trailing product's ring once a step, into two slots or more, and
/// what the first step reads before that loop or in it.
LogicalResult ProgramOverlap::findFills(llvm::function_ref<void(Twine)> refuse) {
  auto unsafe = [&] {
    return refuse("the producer may need the slot of the last step before it has filled the first ones"), failure();
  };
  scf::ForOp loop;
  for (Operation *op : parts.trailIssue) {
    auto wait = dyn_cast<RingWaitOp>(op);
    if (!wait)
      continue;
    SmallVector<RingAcquireOp> found = acquiresOf(wait.getRing());
    auto around = dyn_cast<scf::ForOp>(found.front()->getParentOp());
    if (found.size() != 1 || !around || around->getParentOp() != producer || (loop && loop != around) ||
        wait.getRing().getType().getDepth() == 1 || llvm::is_contained(acquires, found.front()))
      return unsafe();
    loop = around;
    acquires.push_back(found.front());
  }
  for (Operation *op = &consumer.getBody().front().front(); op != parts.steady; op = op->getNextNode())
    if (auto wait = dyn_cast<RingWaitOp>(op))
      for (RingAcquireOp acquire : acquiresOf(wait.getRing())) {
        bool before = loop && acquire->getBlock() == loop->getBlock() && acquire->isBeforeInBlock(loop);
        if (!loop || llvm::is_contained(acquires, acquire) || (!before && acquire->getParentOp() != loop))
          return unsafe();
      }
  return success();
}

/// Whether `value` is the same in all programs, and easily made again. A list is not: each program is handed its own.
bool ProgramOverlap::isInvariant(Value value) {
  if (isa<ListType>(value.getType()))
    return false;
  if (!tiles.getBody().isAncestor(value.getParentRegion()))
    return true;
  Operation *def = value.getDefiningOp();
  return def && computes(def) && llvm::all_of(def->getOperands(), [&](Value operand) { return isInvariant(operand); });
}

/// Whether `value` comes from what goes to the next program.
bool ProgramOverlap::isMoved(Value value) {
  Operation *def = value.getDefiningOp();
  Operation *at =
      consumer.getBody().front().findAncestorOpInBlock(def ? *def : *value.getParentRegion()->getParentOp());
  return at && moved.contains(at);
}

void ProgramOverlap::collectKept() {
  kept.clear();
  for (Operation *op = parts.steady->getNextNode(); op; op = op->getNextNode()) {
    if (!moved.contains(op))
      continue;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (!isMoved(operand) && !isInvariant(operand))
          kept.insert(operand);
    });
  }
}

/// Beside a product over 128 columns few registers are free, and what is kept is then spilt, or costs more than the
/// overlap brings (measured: D = 128 with 176 columns loses 2 to 6 %); an accumulator so wide leaves too few in any
/// case.
bool ProgramOverlap::fitsRegisters() {
  auto isWide = [](Operation &op) { return isProduct(&op) && productColumns(&op) > 128; };
  if (llvm::any_of(parts.trailIssue, [&](Operation *op) { return isWide(*op); }))
    return false;
  return spareRegisters() >= kRegistersAcrossPrograms || llvm::none_of(*parts.steady.getBody(), isWide);
}

LogicalResult ProgramOverlap::plan(llvm::function_ref<void(Twine)> refuse) {
  if (consumer.spansPrograms() || producer.spansPrograms())
    return refuse("a role keeps values from program to program already"), failure();
  if (failed(findBeginning(refuse)) || failed(findEnd(refuse)) || failed(findFills(refuse)))
    return failure();
  if (!fitsRegisters())
    return refuse("registers do not suffice to keep what the end needs"), failure();
  collectKept();
  for (Value value : kept)
    if (!isa<RankedTensorType, IntegerType, FloatType>(value.getType()))
      return refuse("its end needs a value that cannot be kept in registers"), failure();
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rewriting
//===--------------------------------------------------------------------------------------------------------------===//

/// Fill 0 is the one for which there is no program.
void ProgramOverlap::countFirstFill(Operation *op, OpOperand &n) {
  OpBuilder builder(op);
  Value one = builder.create<arith::ConstantIntOp>(op->getLoc(), 1, 32);
  n.set(builder.create<arith::AddIOp>(op->getLoc(), n.get(), one));
}

/// The first fill of the rings: any data will do, it is multiplied with zeros. So it takes what lies at the start of
/// the view.
void ProgramOverlap::enterProducer() {
  OpBuilder builder = OpBuilder::atBlockEnd(&producer.getEnter().emplaceBlock());
  producer.getLeave().emplaceBlock();
  Value zero = builder.create<arith::ConstantIntOp>(producer.getLoc(), 0, 32);
  for (RingAcquireOp acquire : acquires) {
    auto fill = cast<RingFillOp>(*acquire.getSlot().user_begin());
    auto first = builder.create<RingAcquireOp>(acquire.getLoc(), acquire.getSlot().getType(), acquire.getRing(), zero);
    IRMapping mapping;
    mapping.map(acquire.getSlot(), first.getSlot());
    Operation *copy = builder.clone(*fill, mapping);
    copy->walk([&](TmaLoadOp load) {
      for (OpOperand &index : load.getIndicesMutable())
        index.set(zero);
    });
    countFirstFill(acquire, acquire.getNMutable());
  }
}

Value ProgramOverlap::recompute(OpBuilder &builder, Value value, IRMapping &mapping) {
  if (mapping.contains(value) || !tiles.getBody().isAncestor(value.getParentRegion()))
    return mapping.lookupOrDefault(value);
  Operation *def = value.getDefiningOp();
  for (Value operand : def->getOperands())
    recompute(builder, operand, mapping);
  builder.clone(*def, mapping);
  return mapping.lookup(value);
}

/// Maps what the moved part uses of its program: to `values`, or to what is made again.
IRMapping ProgramOverlap::mapKept(OpBuilder &builder, ValueRange values) {
  IRMapping mapping;
  mapping.map(kept.getArrayRef(), values);
  for (Operation *op = parts.steady->getNextNode(); op; op = op->getNextNode())
    if (moved.contains(op))
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (!isMoved(operand) && isInvariant(operand))
            recompute(builder, operand, mapping);
      });
  return mapping;
}

void ProgramOverlap::cloneEnd(OpBuilder &builder, IRMapping &mapping, Value valid) {
  auto branch = builder.create<scf::IfOp>(consumer.getLoc(), valid, /*withElseRegion=*/false);
  OpBuilder inside = OpBuilder::atBlockTerminator(branch.thenBlock());
  for (Operation *op : parts.end)
    inside.clone(*op, mapping);
}

/// Zeros for everything, and no program to end.
void ProgramOverlap::enterConsumer() {
  Location loc = consumer.getLoc();
  OpBuilder builder = OpBuilder::atBlockEnd(&consumer.getEnter().emplaceBlock());
  SmallVector<Value> values;
  for (Value value : kept) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    bool fragment = type && isa_and_present<AFragAttr>(type.getEncoding());
    Type zeroType = value.getType();
    if (fragment)
      zeroType = RankedTensorType::get(type.getShape(), type.getElementType(), AccAttr::get(builder.getContext()));
    Value zero = builder.create<arith::ConstantOp>(loc, builder.getZeroAttr(zeroType));
    values.push_back(fragment ? builder.create<PackAFragOp>(loc, type, zero).getResult() : zero);
  }
  values.push_back(builder.create<arith::ConstantIntOp>(loc, 0, 1));
  builder.create<RoleYieldOp>(loc, values);
  SmallVector<Location> locations(values.size(), loc);
  consumer.getBody().addArguments(ValueRange(values).getTypes(), locations);
  consumer.getLeave().emplaceBlock().addArguments(ValueRange(values).getTypes(), locations);
}

/// The end of the program before, in the middle of the beginning of this one.
void ProgramOverlap::beginProgram(Operation *first) {
  ValueRange arguments = consumer.getBody().getArguments();
  bool turns =
      parts.steady.getBody()->getOps<TurnWaitOp>().begin() != parts.steady.getBody()->getOps<TurnWaitOp>().end();
  OpBuilder builder(first);
  if (turns)
    builder.create<TurnWaitOp>(first->getLoc());
  builder.setInsertionPoint(parts.leadWait);
  IRMapping mapping = mapKept(builder, arguments.drop_back());
  for (Operation *op : parts.trailIssue)
    builder.clone(*op, mapping);
  if (turns)
    builder.create<TurnPassOp>(first->getLoc());

  // Operands are packed behind the wait: what they are made from passes through it.
  builder.setInsertionPoint(parts.steady);
  for (Operation *op : llvm::concat<Operation *>(parts.operands, parts.starts))
    op->moveBefore(parts.steady);
  builder.setInsertionPoint(parts.operands.empty() ? parts.starts.empty() ? parts.steady : parts.starts.front()
                                                   : parts.operands.front());
  Block &body = consumer.getBody().front();
  auto isOfLate = [&](Operation *op) { return op && isLate(body.findAncestorOpInBlock(*op)); };
  llvm::SmallSetVector<Value, 2> packed;
  for (Operation *op : llvm::concat<Operation *>(parts.operands, parts.starts))
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (isa<RankedTensorType>(operand.getType()) && !isOfLate(operand.getDefiningOp()) && !isInvariant(operand))
          packed.insert(operand);
    });
  auto wait = cast<WgmmaWaitOp>(builder.clone(*parts.trailWait, mapping));
  SmallVector<Type> types(wait.getResultTypes());
  SmallVector<Value> carry(wait.getCarry());
  for (Value value : packed) {
    types.push_back(value.getType());
    carry.push_back(value);
  }
  SmallVector<Value, 1> after;
  for (Operation *op = wait; spareRegisters() >= kRegistersAcrossPrograms && op != parts.leadWait && after.empty();
       op = op->getPrevNode())
    if (isHolding(op))
      after.push_back(op->getResult(0));
  auto carrying = builder.create<WgmmaWaitOp>(wait.getLoc(), types, wait.getGroup(), wait.getInflight(), carry, after);
  size_t own = wait.getNumResults();
  mapping.map(parts.trailWait.getResults(), carrying.getResults().take_front(own));
  for (auto [before, after] : llvm::zip(packed, carrying.getResults().drop_front(own)))
    Value(before).replaceUsesWithIf(after, [&](OpOperand &use) { return isOfLate(use.getOwner()); });
  wait.erase();
  for (Operation *op : parts.releases)
    builder.clone(*op, mapping);
  builder.setInsertionPoint(parts.starts.empty() ? parts.steady : parts.starts.front());
  cloneEnd(builder, mapping, arguments.back());
}

void ProgramOverlap::leaveConsumer() {
  OpBuilder builder = OpBuilder::atBlockEnd(&consumer.getLeave().front());
  ValueRange arguments = consumer.getLeave().getArguments();
  IRMapping mapping = mapKept(builder, arguments.drop_back());
  for (Operation *op : parts.trailIssue)
    builder.clone(*op, mapping);
  builder.clone(*parts.trailWait, mapping);
  for (Operation *op : parts.releases)
    builder.clone(*op, mapping);
  cloneEnd(builder, mapping, arguments.back());
}

void ProgramOverlap::rewrite() {
  consumer.walk([&](RingWaitOp wait) {
    if (llvm::any_of(acquires, [&](RingAcquireOp acquire) { return acquire.getRing() == wait.getRing(); }))
      countFirstFill(wait, wait.getNMutable());
  });
  enterProducer();
  collectKept();
  enterConsumer();
  Operation *first = &consumer.getBody().front().front();
  while (!isProduct(first))
    first = first->getNextNode();
  beginProgram(first);
  leaveConsumer();
  OpBuilder builder = OpBuilder::atBlockEnd(&consumer.getBody().front());
  SmallVector<Value> values(kept.begin(), kept.end());
  values.push_back(builder.create<arith::ConstantIntOp>(consumer.getLoc(), 1, 1));
  builder.create<RoleYieldOp>(consumer.getLoc(), values);
  for (Operation *op = parts.steady->getNextNode(), *next = nullptr; op; op = next) {
    next = op->getNextNode();
    if (moved.contains(op)) {
      op->dropAllUses();
      op->erase();
    }
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
struct OverlapPrograms : impl::WarpOverlapProgramsBase<OverlapPrograms> {
  void runOnOperation() override {
    FuncOp func = getOperation();
    bool separate = func->removeAttr(kSeparateProgramsAttr) != nullptr;
    for (auto tiles : func.getOps<ForTilesOp>()) {
      if (separate) {
        addDecision(func, "programs: each ends before the next begins, as the schedule says");
        continue;
      }
      RoleOp producer, consumer;
      for (auto role : tiles.getRoles().getBody().getOps<RoleOp>())
        (role.getKind() == RoleKind::Producer ? producer : consumer) = role;
      ProgramOverlap overlap(tiles, producer, consumer);
      if (failed(overlap.plan(
              [&](Twine reason) { addDecision(func, "programs: each ends before the next begins; " + reason); })))
        continue;
      overlap.rewrite();
      addDecision(func, "programs: the first product of one runs beside the last one of the program before");
    }
  }
};
} // namespace

} // namespace lacuna::warp
