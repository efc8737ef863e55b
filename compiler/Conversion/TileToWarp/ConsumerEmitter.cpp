// The consumers: the kernel's computation, each warpgroup on its own 64 rows.
#include "RoleEmitter.h"

using namespace mlir;

namespace lacuna {
namespace {

/// The named barriers this lowering uses, of all consumers: for reductions over the whole tile, and between stores to
/// one view. (Those from kFirstTurnBarrier and kFirstWarpgroupBarrier on are others'.)
constexpr int64_t kReduceBarrier = 1, kStoreBarrier = 5;

class ConsumerEmitter final : public RoleEmitter {
public:
  using RoleEmitter::RoleEmitter;
  LogicalResult emitBlock(Block &block) override;

private:
  bool carries(Operation *, unsigned) override { return true; }
  Type convertType(Type type) override;
  Value convert(Value value) { return mapping.lookup(value); }

  LogicalResult emitOp(Operation *op);
  LogicalResult emitDot(tile::DotOp dot);
  LogicalResult emitAsyncDot(tile::DotOp dot, RankedTensorType tensor, Value acc);
  Value packOperand(tile::DotOp dot);
  LogicalResult emitLoad(tile::LoadOp load);
  LogicalResult emitTranspose(tile::TransposeOp transpose);
  LogicalResult emitReduce(tile::ReduceOp reduce);
  LogicalResult emitIf(scf::IfOp op);
  LogicalResult emitExceeds(tile::ExceedsOp exceeds);
  LogicalResult emitStore(tile::StoreOp store);
  LogicalResult emitElementwise(Operation *op);

  void emitWaits(Block &block, Operation *op);
  void emitReleases(Block &block, Operation *op);

  DenseMap<Operation *, Value> slots; // by shared load, while it is held
};

/// The operation directly in `block` that `op` is, or is inside of.
Operation *ancestorIn(Block &block, Operation *op) {
  return block.findAncestorOpInBlock(*op);
}

/// The products that read `load`, directly or transposed.
SmallVector<Operation *> readers(Operation *load) {
  SmallVector<Operation *> result;
  for (Operation *user : load->getUsers()) {
    if (isa<tile::DotOp>(user))
      result.push_back(user);
    else if (isa<tile::TransposeOp>(user))
      llvm::copy_if(user->getUsers(), std::back_inserter(result), [](Operation *op) { return isa<tile::DotOp>(op); });
  }
  return result;
}

} // namespace

Type ConsumerEmitter::convertType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  MLIRContext *context = type.getContext();
  int64_t rows = tensor.getDimSize(0), columns = tensor.getDimSize(1);
  if (rows == 1)
    return RankedTensorType::get({1, columns}, tensor.getElementType(), warp::ColAttr::get(context));
  Attribute encoding = warp::AccAttr::get(context);
  if (columns == 1)
    encoding = warp::RowAttr::get(context);
  return RankedTensorType::get({warp::kWarpgroupRows, columns}, tensor.getElementType(), encoding);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Slots: waited for before the first product that reads them, released after the last
//===--------------------------------------------------------------------------------------------------------------===//

void ConsumerEmitter::emitWaits(Block &block, Operation *op) {
  for (Operation &candidate : block) {
    if (!plan.isShared(&candidate) || slots.contains(&candidate))
      continue;
    if (llvm::none_of(readers(&candidate), [&](Operation *reader) { return ancestorIn(block, reader) == op; }))
      continue;
    Value ring = rings.lookup(&candidate);
    auto type = cast<warp::RingType>(ring.getType());
    auto slotType = warp::SlotType::get(builder.getContext(), type.getRows(), type.getColumns(), type.getElementType());
    slots[&candidate] = builder.create<warp::RingWaitOp>(candidate.getLoc(), slotType, ring, fillNumber(&candidate));
  }
}

void ConsumerEmitter::emitReleases(Block &block, Operation *op) {
  for (Operation &candidate : block) {
    if (!plan.isShared(&candidate) || !slots.contains(&candidate))
      continue;
    bool last = llvm::all_of(readers(&candidate), [&](Operation *reader) {
      Operation *ancestor = ancestorIn(block, reader);
      return ancestor == op || ancestor->isBeforeInBlock(op);
    });
    if (!last || llvm::none_of(readers(&candidate), [&](Operation *reader) { return ancestorIn(block, reader) == op; }))
      continue;
    builder.create<warp::RingReleaseOp>(candidate.getLoc(), slots.lookup(&candidate));
  }
}

LogicalResult ConsumerEmitter::emitBlock(Block &block) {
  for (Operation &candidate : block)
    slots.erase(&candidate);
  for (Operation &op : block.without_terminator()) {
    if (op.getNumResults() > 0 && isMapped(op.getResults()))
      continue; // In the preamble.
    emitWaits(block, &op);
    if (failed(emitOp(&op)))
      return failure();
    emitReleases(block, &op);
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Operations
//===--------------------------------------------------------------------------------------------------------------===//

/// A computed A operand in registers.
Value ConsumerEmitter::packOperand(tile::DotOp dot) {
  auto type = cast<RankedTensorType>(convert(dot.getA()).getType());
  auto fragment =
      RankedTensorType::get(type.getShape(), type.getElementType(), warp::AFragAttr::get(builder.getContext()));
  return builder.create<warp::PackAFragOp>(dot.getLoc(), fragment, convert(dot.getA()));
}

LogicalResult ConsumerEmitter::emitDot(tile::DotOp dot) {
  auto tensor = cast<RankedTensorType>(convertType(dot.getResult().getType()));
  Value acc = dot.getAcc() ? convert(dot.getAcc()) : Value();
  if (plan.machine.asyncProducts)
    return emitAsyncDot(dot, tensor, acc);
  LoadedOperand a = findLoadedOperand(dot.getA()), b = findLoadedOperand(dot.getB());
  Value left = a.load ? slots.lookup(a.load) : packOperand(dot);
  mapping.map(dot.getResult(), builder.create<warp::MmaSyncOp>(dot.getLoc(), tensor, left, a.transposed,
                                                               slots.lookup(b.load), b.transposed, acc));
  return success();
}

/// Issues the product, closes its group and waits for it.
LogicalResult ConsumerEmitter::emitAsyncDot(tile::DotOp dot, RankedTensorType tensor, Value acc) {
  Location loc = dot.getLoc();
  auto inflight = warp::InflightType::get(builder.getContext(), tensor);
  LoadedOperand a = findLoadedOperand(dot.getA()), b = findLoadedOperand(dot.getB());
  Value slotB = slots.lookup(b.load);
  Value product;
  if (a.load) {
    product =
        builder.create<warp::WgmmaSsOp>(loc, inflight, slots.lookup(a.load), a.transposed, slotB, acc, b.transposed);
  } else if (Value tile = staging.lookup(dot)) {
    builder.create<warp::StoreSharedOp>(loc, convert(dot.getA()), tile);
    builder.create<warp::FenceAsyncOp>(loc);
    builder.create<warp::WarpgroupSyncOp>(loc);
    product = builder.create<warp::WgmmaSsOp>(loc, inflight, tile, /*trans_a=*/false, slotB, acc, b.transposed);
  } else {
    product = builder.create<warp::WgmmaRsOp>(loc, inflight, packOperand(dot), slotB, acc, b.transposed);
  }
  if (plan.schedule.overlaps(dot))
    product.getDefiningOp()->setAttr(warp::kOverlapAttr, builder.getUnitAttr());
  Value group = builder.create<warp::WgmmaCommitOp>(loc, warp::GroupType::get(builder.getContext()));
  auto wait = builder.create<warp::WgmmaWaitOp>(loc, TypeRange{tensor}, group, ValueRange{product}, ValueRange{});
  mapping.map(dot.getResult(), wait.getResult(0));
  return success();
}

LogicalResult ConsumerEmitter::emitLoad(tile::LoadOp load) {
  // Elementwise uses read global memory; products find the tile in its slot.
  bool elementwise =
      llvm::any_of(load->getUsers(), [](Operation *user) { return !isa<tile::DotOp, tile::TransposeOp>(user); });
  if (!elementwise)
    return success();
  auto type = cast<RankedTensorType>(load.getResult().getType());
  bool columnVector = type.getDimSize(0) == 1 && type.getDimSize(1) > 1;
  if (type.getDimSize(0) != plan.rows && !columnVector)
    return load.emitError() << "a loaded tile that is computed with must have the kernel's " << plan.rows
                            << " rows, this one is " << type;
  SmallVector<Value> indices;
  for (Value index : load.getIndices()) {
    if (!mapping.contains(index))
      return load.emitError() << "a tile of listed positions can only be an operand of a product on "
                              << plan.machine.name;
    indices.push_back(convert(index));
  }
  mapping.map(load.getResult(), builder.create<warp::LoadGlobalOp>(load.getLoc(), convertType(type),
                                                                   convert(load.getView()), indices, load.getSizes()));
  return success();
}

LogicalResult ConsumerEmitter::emitTranspose(tile::TransposeOp transpose) {
  bool elementwise = llvm::any_of(transpose->getUsers(), [](Operation *user) { return !isa<tile::DotOp>(user); });
  auto load = transpose.getX().getDefiningOp<tile::LoadOp>();
  auto type = cast<RankedTensorType>(transpose.getResult().getType());
  if (!elementwise && load)
    return success();
  bool vector = load && llvm::count_if(load.getSizes(), [](int64_t size) { return size > 0; }) == 1;
  if (!vector || type.getDimSize(1) == 1)
    return transpose.emitError() << "only a loaded tile that feeds a product, or a loaded vector, can be transposed on "
                                 << plan.machine.name << "; this one is " << transpose.getX().getType();
  SmallVector<Value> indices;
  for (Value index : load.getIndices()) {
    if (!mapping.contains(index))
      return transpose.emitError() << "a vector of listed positions cannot be loaded on " << plan.machine.name;
    indices.push_back(convert(index));
  }
  mapping.map(transpose.getResult(),
              builder.create<warp::LoadGlobalOp>(transpose.getLoc(), convertType(type), convert(load.getView()),
                                                 indices, load.getSizes()));
  return success();
}

LogicalResult ConsumerEmitter::emitReduce(tile::ReduceOp reduce) {
  Location loc = reduce.getLoc();
  Value x = convert(reduce.getX());
  if (reduce.getAxes() == ArrayRef<int64_t>{1}) {
    Type type = convertType(reduce.getResult().getType());
    Value partial = builder.create<warp::RowReduceOp>(loc, type, reduce.getKind(), x);
    mapping.map(reduce.getResult(), builder.create<warp::QuadReduceOp>(loc, type, reduce.getKind(), partial));
    return success();
  }
  if (reduce.getAxes().size() == 1)
    return reduce.emitError() << "a reduction along the rows of a tile (axis 0) is not supported on "
                              << plan.machine.name << "; compute the transposed tile and reduce along its columns";
  mapping.map(reduce.getResult(),
              builder.create<warp::BlockReduceOp>(loc, builder.getF32Type(), reduce.getKind(), x, kReduceBarrier));
  return success();
}

LogicalResult ConsumerEmitter::emitIf(scf::IfOp op) {
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    types.push_back(convertType(type));
  auto converted = builder.create<scf::IfOp>(op.getLoc(), types, convert(op.getCondition()),
                                             /*addThenBlock=*/true, /*addElseBlock=*/op.elseBlock() != nullptr);
  for (auto [from, to] :
       {std::pair(op.thenBlock(), converted.thenBlock()), std::pair(op.elseBlock(), converted.elseBlock())}) {
    if (!from)
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(to);
    if (failed(emitBlock(*from)))
      return failure();
    SmallVector<Value> yielded;
    for (Value value : from->getTerminator()->getOperands())
      yielded.push_back(convert(value));
    builder.create<scf::YieldOp>(op.getLoc(), yielded);
  }
  mapping.map(op.getResults(), converted.getResults());
  return success();
}

LogicalResult ConsumerEmitter::emitExceeds(tile::ExceedsOp exceeds) {
  Location loc = exceeds.getLoc();
  warp::ListStepOp step = steps.lookup(exceeds.getPositions());
  if (warp::limitOf(step.getList()) == convert(exceeds.getLimit())) {
    mapping.map(exceeds.getResult(), step.getExceeds());
    return success();
  }
  Value length = constant(loc, exceeds.getPositions().getType().getExtent() / step.getStarts().size());
  Value any;
  for (Value start : step.getStarts()) {
    Value end = builder.create<arith::AddIOp>(loc, start, length);
    Value past = builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::sgt, end, convert(exceeds.getLimit()));
    any = any ? builder.create<arith::OrIOp>(loc, any, past).getResult() : past;
  }
  mapping.map(exceeds.getResult(), any);
  return success();
}

/// Whether another store of the program may meet `store` in one place, written by another thread.
static bool mayMeetAnother(tile::StoreOp store) {
  return llvm::any_of(store.getView().getUsers(), [&](Operation *user) {
    auto other = dyn_cast<tile::StoreOp>(user);
    return other && (other.getIndices() != store.getIndices() || other.getSizes() != store.getSizes() ||
                     other.getValue().getType() != store.getValue().getType());
  });
}

/// From registers, or through a shared tile. There the wait stands before the write, not behind the copy: the copy of
/// one program runs beside the next one, up to its own store.
LogicalResult ConsumerEmitter::emitStore(tile::StoreOp store) {
  Location loc = store.getLoc();
  SmallVector<Value> indices;
  for (Value index : store.getIndices()) {
    if (!mapping.contains(index))
      return store.emitError() << "storing to listed positions is not supported on " << plan.machine.name;
    indices.push_back(convert(index));
  }
  Value value = convert(store.getValue()), view = convert(store.getView()), shared = staging.lookup(store);
  if (!shared) {
    // What the program stored to the view before comes first.
    if (mayMeetAnother(store))
      builder.create<warp::NamedBarrierSyncOp>(loc, kStoreBarrier, plan.warpgroups * warp::kWarpgroupThreads);
    builder.create<warp::StoreGlobalOp>(loc, value, view, indices, store.getSizes());
    return success();
  }
  const int64_t *rowAxis = llvm::find_if(store.getSizes(), [](int64_t size) { return size > 0; });
  builder.create<warp::TmaStoreWaitOp>(loc);
  builder.create<warp::WarpgroupSyncOp>(loc);
  builder.create<warp::StoreSharedOp>(loc, value, shared);
  builder.create<warp::FenceAsyncOp>(loc);
  builder.create<warp::WarpgroupSyncOp>(loc);
  builder.create<warp::TmaStoreOp>(loc, shared, view, indices, rowAxis - store.getSizes().begin());
  return success();
}

/// Clones an operation with its operands and result types converted.
LogicalResult ConsumerEmitter::emitElementwise(Operation *op) {
  OperationState state(op->getLoc(), op->getName());
  for (Value operand : op->getOperands()) {
    if (!mapping.contains(operand))
      return op->emitError() << "uses the positions of a list outside a tile.map; this is not supported on "
                             << plan.machine.name;
    state.operands.push_back(convert(operand));
  }
  for (Type type : op->getResultTypes())
    state.types.push_back(convertType(type));
  state.attributes = op->getDiscardableAttrDictionary().getValue();
  state.propertiesAttr = op->getPropertiesAsAttribute();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue())) {
      if (!dense.isSplat())
        return op->emitError() << "a constant tile must hold one value on " << plan.machine.name;
      auto value = dense.resizeSplat(cast<ShapedType>(state.types[0]));
      mapping.map(op->getResult(0), builder.create<arith::ConstantOp>(op->getLoc(), value));
      return success();
    }
  Operation *clone = builder.create(state);
  mapping.map(op->getResults(), clone->getResults());
  return success();
}

LogicalResult ConsumerEmitter::emitOp(Operation *op) {
  Location loc = op->getLoc();
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return emitLoad(load);
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return emitDot(dot);
  if (auto transpose = dyn_cast<tile::TransposeOp>(op))
    return emitTranspose(transpose);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    return emitReduce(reduce);
  if (auto conditional = dyn_cast<scf::IfOp>(op))
    return emitIf(conditional);
  if (auto exceeds = dyn_cast<tile::ExceedsOp>(op))
    return emitExceeds(exceeds);
  if (isa<scf::ForOp, tile::ForBlocksOp>(op))
    return emitLoop(op);
  if (auto partial = dyn_cast<tile::IsPartialOp>(op)) {
    mapping.map(partial.getResult(), steps.lookup(partial.getPositions()).getPartial());
    return success();
  }
  if (auto positions = dyn_cast<tile::PositionsOp>(op)) {
    mapping.map(positions.getResult(),
                builder.create<warp::PositionsOp>(loc, convertType(positions.getResult().getType()),
                                                  steps.lookup(positions.getPositions()).getStarts()));
    return success();
  }
  if (auto iota = dyn_cast<tile::IotaOp>(op)) {
    mapping.map(iota.getResult(), builder.create<warp::IotaOp>(loc, convertType(iota.getResult().getType())));
    return success();
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    mapping.map(broadcast.getResult(),
                builder.create<warp::BroadcastOp>(loc, convertType(broadcast.getResult().getType()),
                                                  convert(broadcast.getX())));
    return success();
  }
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return emitStore(store);
  if (isMemoryEffectFree(op) && op->getNumRegions() == 0)
    return emitElementwise(op);
  return op->emitError() << "is not supported on " << plan.machine.name;
}

LogicalResult emitConsumer(tile::FuncOp func, OpBuilder builder, const KernelPlan &plan, const Preamble &preamble) {
  return ConsumerEmitter(builder, plan, preamble).emitBlock(func.getBody().front());
}

} // namespace lacuna
