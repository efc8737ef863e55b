#include "TailAnalysis.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lacuna::tile {

static int64_t extentOf(Value value, int axis) {
  auto tile = dyn_cast<RankedTensorType>(value.getType());
  return tile ? tile.getDimSize(axis) : 1;
}

bool isDefinedInside(const TailSource &source, Operation *loop) {
  return source.isDefinedBy([&](Value value) { return loop->isAncestor(value.getParentRegion()->getParentOp()); });
}

/// Every source that a tile of the function can run past.
static SmallVector<TailSource> collectSources(FuncOp func) {
  SmallVector<TailSource> sources;
  auto add = [&](const TailSource &source) {
    if (!llvm::is_contained(sources, source))
      sources.push_back(source);
  };
  func.walk([&](Operation *op) {
    if (auto positions = dyn_cast<PositionsOp>(op))
      add(getPositionsSource(positions.getPositions()));
    if (auto load = dyn_cast<LoadOp>(op))
      for (auto &axis :
           getAccessSources(load.getView().getType(), load.getIndices(), load.getSizes(), load.getType()).axes)
        llvm::for_each(axis, add);
  });
  return sources;
}

TailAnalysis::TailAnalysis(FuncOp func) : sources(collectSources(func)) {
  // Carried values feed back, so again until nothing changes; each state only ever grows.
  do {
    changed = false;
    func.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { visit(op); });
  } while (changed);
}

AxisState TailAnalysis::get(Value value, int axis) const {
  if (auto it = states.find(value); it != states.end())
    return it->second.axes[axis];
  if (isa<RankedTensorType>(value.getType()))
    return {}; // Not visited yet.
  Attribute constant;
  return {matchPattern(value, m_Constant(&constant)) ? pastOfConstant(constant) : Past::Uniform, {}, {}};
}

void TailAnalysis::set(Value value, TileState state) {
  if (!isa<RankedTensorType>(value.getType()))
    return;
  TileState &old = states[value];
  changed |= !(old == state);
  old = std::move(state);
}

void TailAnalysis::visit(Operation *op) {
  TypeSwitch<Operation *>(op)
      .Case<LoadOp>([&](auto load) { visitLoad(load); })
      .Case<BroadcastOp>([&](auto broadcast) { visitBroadcast(broadcast); })
      .Case<DotOp>([&](auto dot) { visitDot(dot); })
      .Case<ReduceOp>([&](auto reduce) { visitReduce(reduce); })
      .Case<TransposeOp>(
          [&](auto transpose) { set(transpose.getResult(), {{get(transpose.getX(), 1), get(transpose.getX(), 0)}}); })
      .Case<PositionsOp>([&](auto positions) {
        TileState state;
        state.axes[0].base = Past::Uniform;
        state.axes[1] = {Past::Unknown, {{getPositionsSource(positions.getPositions()), Past::Unknown}}, {}};
        set(positions.getResult(), state);
      })
      .Case<IotaOp>([&](auto iota) {
        TileState state;
        for (int axis : {0, 1})
          state.axes[axis].base = extentOf(iota, axis) == 1 ? Past::Uniform : Past::Unknown;
        set(iota.getResult(), state);
      })
      .Case<scf::IfOp>([&](auto ifOp) {})
      .Case<scf::YieldOp, YieldOp>([&](auto yield) {
        Operation *parent = yield->getParentOp();
        if (auto ifOp = dyn_cast<scf::IfOp>(parent))
          visitIf(ifOp);
        else if (auto loop = dyn_cast<scf::ForOp>(parent))
          visitLoop(loop, loop.getInitArgs(), loop.getRegionIterArgs(), yield.getOperands());
        else if (auto loop = dyn_cast<ForBlocksOp>(parent))
          visitLoop(loop, loop.getInits(), loop.getCarried(), yield.getOperands());
      })
      .Case<scf::ForOp>(
          [&](auto loop) { visitLoop(loop, loop.getInitArgs(), loop.getRegionIterArgs(), loop.getInitArgs()); })
      .Case<ForBlocksOp>([&](auto loop) { visitLoop(loop, loop.getInits(), loop.getCarried(), loop.getInits()); })
      .Default([&](Operation *other) { visitElementwise(other); });
}

void TailAnalysis::visitLoad(LoadOp op) {
  AccessSources sources = getAccessSources(op.getView().getType(), op.getIndices(), op.getSizes(), op.getType());
  TileState state;
  for (int axis : {0, 1}) {
    state.axes[axis].base = extentOf(op.getResult(), axis) == 1 ? Past::Uniform : Past::Unknown;
    // Zero past the view's end; a loop's limit short of it says nothing about what is read there.
    for (const TailSource &source : sources.axes[axis]) {
      bool isViewEnd = !source.getPositions() || source == sources.axes[axis].back();
      state.axes[axis].set(source, isViewEnd ? Past::Zero : Past::Unknown);
    }
  }
  set(op.getResult(), state);
}

void TailAnalysis::visitBroadcast(BroadcastOp op) {
  TileState state;
  for (int axis : {0, 1}) {
    state.axes[axis] = get(op.getX(), axis);
    if (extentOf(op.getX(), axis) != extentOf(op.getResult(), axis))
      state.axes[axis] = {state.axes[axis].base, {}, {}};
  }
  set(op.getResult(), state);
}

void TailAnalysis::visitDot(DotOp op) {
  TileState state;
  for (auto [axis, operand] : {std::pair(0, op.getA()), std::pair(1, op.getB())}) {
    AxisState &result = state.axes[axis];
    result.base = extentOf(op.getResult(), axis) == 1 ? Past::Uniform : Past::Unknown;
    // 0 * infinity is not 0, so a row of zeros in a is no row of zeros here.
    AxisState fromOperand = get(operand, axis), fromAcc = op.getAcc() ? get(op.getAcc(), axis) : AxisState();
    for (auto &[source, past] : fromOperand.tails)
      result.set(source, Past::Unknown);
    for (auto &[source, past] : fromAcc.tails)
      result.set(source, Past::Unknown);
  }
  set(op.getResult(), state);
}

void TailAnalysis::visitReduce(ReduceOp op) {
  if (op.getAxes().size() != 1)
    return; // A scalar.
  int reduced = op.getAxes()[0], kept = 1 - reduced;
  TileState state;
  state.axes[reduced].base = Past::Uniform;
  AxisState &result = state.axes[kept];
  result = get(op.getX(), kept);
  if (result.isUniform())
    result.base = Past::Uniform;
  Past neutral = op.getKind() == ReduceKind::Add   ? Past::Zero
                 : op.getKind() == ReduceKind::Max ? Past::MinusInf
                                                   : Past::PlusInf;
  for (AxisState::Entries *entries : {&result.tails, &result.facts})
    for (auto &[source, past] : *entries)
      if (past != neutral && past != Past::None)
        past = Past::Unknown;
  set(op.getResult(), state);
}

void TailAnalysis::visitIf(scf::IfOp op) {
  if (op.getNumResults() == 0)
    return;
  for (auto [result, thenValue, elseValue] :
       llvm::zip(op.getResults(), op.thenYield().getOperands(), op.elseYield().getOperands())) {
    TileState state;
    for (int axis : {0, 1}) {
      AxisState whenTrue = get(thenValue, axis), whenFalse = get(elseValue, axis);
      // The else of "does any element lie past the limit?" has none that does.
      for (auto &[source, past] : whenTrue.tails)
        if (source.isReachesPast(op.getCondition()))
          whenFalse.set(source, Past::None);
      for (auto &[source, past] : whenTrue.facts)
        if (source.isReachesPast(op.getCondition()))
          whenFalse.setFact(source, Past::None);
      for (AxisState::Entries *entries : {&whenFalse.tails, &whenFalse.facts})
        for (auto &[source, past] : *entries)
          if (source.isReachesPast(op.getCondition()))
            past = Past::None;
      state.axes[axis] = join(whenTrue, whenFalse);
    }
    set(result, state);
  }
}

void TailAnalysis::visitLoop(Operation *loop, ValueRange inits, ValueRange carried, ValueRange yielded) {
  for (auto [init, argument, value, result] : llvm::zip(inits, carried, yielded, loop->getResults())) {
    TileState state;
    for (int axis : {0, 1}) {
      AxisState next = get(value, axis);
      for (AxisState::Entries *entries : {&next.tails, &next.facts})
        llvm::erase_if(*entries, [&](auto &entry) { return isDefinedInside(entry.first, loop); });
      state.axes[axis] = join(get(argument, axis), join(get(init, axis), next));
    }
    set(argument, state);
    set(result, state);
  }
}

/// One axis of the result of an elementwise operation.
AxisState TailAnalysis::elementwise(Operation *op, int axis, int64_t extent, ArrayRef<AxisState> operands) const {
  auto valueAt = [&](function_ref<Past(const AxisState &)> select) {
    return transfer(op, llvm::to_vector(llvm::map_range(operands, select)));
  };
  AxisState result;
  result.base = valueAt([](const AxisState &operand) { return operand.base; });
  bool uniform = extent == 1 || llvm::all_of(operands, [](auto &operand) { return operand.isUniform(); });
  if (result.base != Past::None && !uniform)
    result.base = Past::Unknown;
  else if (result.base == Past::Unknown)
    result.base = Past::Uniform;
  auto choice = dyn_cast<arith::SelectOp>(op);
  auto isMasked = [&](const TailSource &source) { return choice && source.isCounts(choice.getCondition(), axis); };
  auto pastOf = [&](const TailSource &source) {
    return isMasked(source) ? operands[2].at(source)
                            : valueAt([&](const AxisState &state) { return state.at(source); });
  };
  for (const AxisState &operand : operands)
    for (auto &tail : operand.tails)
      result.set(tail.first, pastOf(tail.first));
  for (const AxisState &operand : operands)
    for (auto &fact : operand.facts)
      result.setFact(fact.first, pastOf(fact.first));
  for (const TailSource &source : sources)
    if (isMasked(source))
      result.setFact(source, operands[2].at(source));
  return result;
}

void TailAnalysis::visitElementwise(Operation *op) {
  Attribute constant;
  matchPattern(op, m_Constant(&constant));
  for (Value result : op->getResults()) {
    TileState state;
    for (int axis : {0, 1}) {
      SmallVector<AxisState> operands;
      for (Value operand : op->getOperands())
        operands.push_back(get(operand, axis));
      int64_t extent = extentOf(result, axis);
      state.axes[axis] = elementwise(op, axis, extent, operands);
      if (constant)
        state.axes[axis].base =
            extent == 1 && !isa<SplatElementsAttr>(constant) ? Past::Uniform : pastOfConstant(constant);
    }
    set(result, state);
  }
}

} // namespace lacuna::tile
