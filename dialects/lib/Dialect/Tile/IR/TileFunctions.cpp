// tile.func, tile.hook, tile.return, tile.call_hook: text form and checks.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace lacuna::tile {

static ParseResult parseFunction(OpAsmParser &parser, OperationState &result, StringAttr typeName,
                                 StringAttr argAttrsName, StringAttr resAttrsName) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false, typeName, buildType,
                                                  argAttrsName, resAttrsName);
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseFunction(parser, result, getFunctionTypeAttrName(result.name), getArgAttrsAttrName(result.name),
                       getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

ParseResult HookOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseFunction(parser, result, getFunctionTypeAttrName(result.name), getArgAttrsAttrName(result.name),
                       getResAttrsAttrName(result.name));
}

void HookOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

//===--------------------------------------------------------------------------------------------------------------===//
// func
//===--------------------------------------------------------------------------------------------------------------===//

/// Every name in `extents` must be one of the kernel's run-time dimensions.
static LogicalResult verifySymbols(FuncOp func, unsigned argument, ArrayRef<Attribute> extents) {
  for (Attribute extent : extents)
    if (isa<StringAttr>(extent) && !llvm::is_contained(func.getDims(), extent))
      return func.emitOpError() << "argument " << argument << " has the extent " << extent
                                << ", which is not among the run-time dimensions " << func.getDims();
  return success();
}

LogicalResult FuncOp::verify() {
  if (!getResultTypes().empty())
    return emitOpError() << "a kernel returns nothing; it stores its results";
  if (getGrid().empty() || getGrid().size() > 3)
    return emitOpError() << "a grid has 1 to 3 axes, got " << getGrid().size();
  for (auto [index, type] : llvm::enumerate(getArgumentTypes())) {
    if (auto view = dyn_cast<ViewType>(type)) {
      if (failed(verifySymbols(*this, index, view.getExtents())))
        return failure();
    } else if (auto blocks = dyn_cast<BlocksType>(type)) {
      if (failed(verifySymbols(*this, index, blocks.getExtents())))
        return failure();
    } else if (!type.isF32() && !type.isInteger(32)) {
      return emitOpError() << "argument " << index << " must be a view, a block list, f32 or i32, got " << type;
    }
  }
  return success();
}

namespace {
/// How a value depends on the program ids: which it keeps whole, and of which it sees only the quotient or remainder.
struct IdUse {
  unsigned whole = 0, quotient = 0, remainder = 0;
  /// An id is distinguished if it is there whole, or as quotient and remainder together.
  unsigned distinguished() const { return whole | (quotient & remainder); }
  void merge(const IdUse &other) {
    whole |= other.whole;
    quotient |= other.quotient;
    remainder |= other.remainder;
  }
};
} // namespace

static IdUse traceIds(Value value, DenseMap<Value, IdUse> &memo) {
  if (auto it = memo.find(value); it != memo.end())
    return it->second;
  memo[value] = {}; // Cuts cycles through carried values.
  IdUse use;
  Operation *op = value.getDefiningOp();
  if (!op) {
    // A carried value or a loop's positions: what the loop depends on.
    Operation *parent = value.getParentBlock()->getParentOp();
    if (!isa<FuncOp>(parent))
      for (Value operand : parent->getOperands())
        use.merge(traceIds(operand, memo));
  } else if (auto id = dyn_cast<ProgramIdOp>(op)) {
    use.whole = 1u << id.getAxis();
  } else {
    for (Value operand : op->getOperands())
      use.merge(traceIds(operand, memo));
    StringRef name = op->getName().stripDialect();
    if (name.contains("div"))
      use = {0, use.whole | use.quotient, 0};
    else if (name.contains("rem"))
      use = {0, 0, use.whole | use.remainder};
  }
  return memo[value] = use;
}

/// Positions are a loop's own: whoever uses them can see which loop, and so which limit, they belong to.
static LogicalResult verifyPositions(FuncOp func) {
  WalkResult result = func.walk([&](Operation *op) {
    for (Value operand : op->getOperands()) {
      auto argument = dyn_cast<BlockArgument>(operand);
      if (!isa<PositionsType>(operand.getType()) ||
          (argument && argument.getArgNumber() == 0 && isa<ForBlocksOp>(argument.getOwner()->getParentOp())))
        continue;
      InFlightDiagnostic diag = op->emitOpError()
                                << "uses positions that are not those of a tile.for_blocks around it; "
                                   "use the loop's first block argument, uncarried and unselected";
      diag.attachNote(operand.getLoc()) << "the positions come from here";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Two programs must not store to the same place.
static LogicalResult verifyStores(FuncOp func) {
  DenseMap<Value, IdUse> memo;
  WalkResult result = func.walk([&](StoreOp store) {
    IdUse use;
    for (Value index : store.getIndices())
      use.merge(traceIds(index, memo));
    for (unsigned axis = 0; axis < func.getGrid().size(); ++axis) {
      if (use.distinguished() & (1u << axis) || cast<StringAttr>(func.getGrid()[axis]).getValue() == "1")
        continue;
      store.emitOpError() << "programs that differ only in grid axis " << axis
                          << " would store to the same place: its coordinates do not depend on tile.program_id "
                          << axis;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult FuncOp::verifyRegions() {
  return success(succeeded(verifyPositions(*this)) && succeeded(verifyStores(*this)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// hook, call_hook, return
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether a call of `target` can be reached from `hook`.
static bool reaches(HookOp hook, StringAttr target, llvm::SmallSetVector<Operation *, 4> &seen) {
  if (!seen.insert(hook))
    return false;
  WalkResult result = hook.walk([&](CallHookOp call) {
    if (call.getHookAttr().getAttr() == target)
      return WalkResult::interrupt();
    auto callee = SymbolTable::lookupNearestSymbolFrom<HookOp>(hook, call.getHookAttr());
    return callee && reaches(callee, target, seen) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

LogicalResult HookOp::verifyRegions() {
  if (getResultTypes().size() != 1)
    return emitOpError() << "a hook has exactly one result, got " << getResultTypes().size();
  for (Operation &op : getBody().front().without_terminator())
    if (!isMemoryEffectFree(&op) || isa<LoadOp, StoreOp, ProgramIdOp>(op)) {
      InFlightDiagnostic diag = op.emitOpError()
                                << "is not allowed in a hook: a hook is a pure function of its arguments";
      diag.attachNote(getLoc()) << "in hook '" << getSymName() << "'";
      return diag;
    }
  llvm::SmallSetVector<Operation *, 4> seen;
  if (reaches(*this, getSymNameAttr(), seen))
    return emitOpError() << "'" << getSymName() << "' calls itself; hooks are not recursive";
  return success();
}

LogicalResult CallHookOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto hook = symbols.lookupNearestSymbolFrom<HookOp>(*this, getHookAttr());
  if (!hook)
    return emitOpError() << "there is no hook named '" << getHook() << "'";
  FunctionType type = hook.getFunctionType();
  if (TypeRange(getArguments()) != TypeRange(type.getInputs()) || getResult().getType() != type.getResult(0)) {
    InFlightDiagnostic diag = emitOpError()
                              << "is called as "
                              << FunctionType::get(getContext(), getArguments().getTypes(), getResult().getType())
                              << ", but the hook is " << type;
    diag.attachNote(hook.getLoc()) << "the hook is here";
    return diag;
  }
  return success();
}

LogicalResult ReturnOp::verify() {
  auto function = cast<FunctionOpInterface>((*this)->getParentOp());
  if (TypeRange(getOperands()) != TypeRange(function.getResultTypes()))
    return emitOpError() << "returns " << getOperandTypes() << ", but the function's results are "
                         << function.getResultTypes();
  return success();
}

} // namespace lacuna::tile
