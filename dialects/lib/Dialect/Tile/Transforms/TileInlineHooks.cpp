// tile-inline-hooks: every call of a hook becomes the hook's body; then no hook is left.
//
// A hook that calls hooks is completed before it is inlined itself, so each call is cloned once. The clones carry the
// call as the place they come from: a later diagnostic in a hook's text says which call it is about.
#include "lacuna/Dialect/Tile/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace lacuna::tile {

#define GEN_PASS_DEF_TILEINLINEHOOKS
#include "lacuna/Dialect/Tile/Transforms/Passes.h.inc"

namespace {

class HookInliner {
public:
  /// Replaces all calls below `root` (a kernel or a hook).
  LogicalResult inlineCallsIn(Operation *root);

private:
  LogicalResult inlineCall(CallHookOp call, HookOp hook);

  SymbolTableCollection symbols;
  /// Hooks without calls.
  DenseSet<Operation *> complete;
};

} // namespace

/// A hook reads the dimensions of the kernel that calls it, so that kernel must have them.
static LogicalResult checkDimensions(CallHookOp call, HookOp hook) {
  auto kernel = call->getParentOfType<FuncOp>();
  if (!kernel)
    return success(); // In a hook: checked where that one is inlined.
  WalkResult result = hook.walk([&](DimOp dim) {
    if (llvm::is_contained(kernel.getDims(), dim.getNameAttr()))
      return WalkResult::advance();
    InFlightDiagnostic diag = dim.emitOpError()
                              << "names '" << dim.getName() << "', which is no run-time dimension of kernel '"
                              << kernel.getSymName() << "'; it has " << kernel.getDims();
    diag.attachNote(call.getLoc()) << "the kernel calls hook '" << hook.getSymName() << "' here";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult HookInliner::inlineCall(CallHookOp call, HookOp hook) {
  if (failed(checkDimensions(call, hook)))
    return failure();
  Block &body = hook.getBody().front();
  IRMapping mapping;
  mapping.map(body.getArguments(), call.getArguments());
  OpBuilder builder(call);
  for (Operation &op : body.without_terminator()) {
    Operation *clone = builder.clone(op, mapping);
    clone->walk([&](Operation *inner) { inner->setLoc(CallSiteLoc::get(inner->getLoc(), call.getLoc())); });
  }
  call.getResult().replaceAllUsesWith(mapping.lookupOrDefault(body.getTerminator()->getOperand(0)));
  call.erase();
  return success();
}

LogicalResult HookInliner::inlineCallsIn(Operation *root) {
  SmallVector<CallHookOp> calls;
  root->walk([&](CallHookOp call) { calls.push_back(call); });
  for (CallHookOp call : calls) {
    auto hook = symbols.lookupNearestSymbolFrom<HookOp>(call, call.getHookAttr());
    // The verifier has refused recursion, so this ends.
    if (complete.insert(hook).second && failed(inlineCallsIn(hook)))
      return failure();
    if (failed(inlineCall(call, hook)))
      return failure();
  }
  return success();
}

namespace {
class TileInlineHooks : public impl::TileInlineHooksBase<TileInlineHooks> {
  void runOnOperation() override {
    HookInliner inliner;
    for (FuncOp kernel : getOperation().getOps<FuncOp>())
      if (failed(inliner.inlineCallsIn(kernel)))
        return signalPassFailure();
    for (HookOp hook : llvm::make_early_inc_range(getOperation().getOps<HookOp>()))
      hook.erase();
  }
};
} // namespace

} // namespace lacuna::tile
