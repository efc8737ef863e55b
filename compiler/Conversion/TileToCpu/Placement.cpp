#include "Placement.h"

#include "Elements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

FlatShape flatShape(Type tile) {
  auto type = cast<RankedTensorType>(tile);
  if (type.getDimSize(1) == 1)
    return {1, type.getDimSize(0)};
  return {type.getDimSize(0), type.getDimSize(1)};
}

bool isElementwise(Operation *op) {
  return op->getNumResults() == 1 && OpTrait::hasElementwiseMappableTraits(op);
}

/// A transpose that exchanges rows and columns in memory, not only in name.
static bool movesElements(TransposeOp transpose) {
  return !flatShape(transpose.getType()).isVector();
}

bool isContiguousAccess(ValueRange indices, ArrayRef<int64_t> sizes) {
  return sizes.back() >= kWidth && indices.back().getType().isInteger(32);
}

Placement::Placement(FuncOp func) {
  assignKinds(func);
  func.walk([&](Operation *op) {
    if (isElementwise(op) && isTile(op->getResult(0).getType()) && kind(op->getResult(0)) == Kind::Buffer)
      fuse(op);
  });
  func.walk([&](Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      placeCarried(*loop.getBody(), llvm::to_vector(loop.getRegionIterArgs()));
    else if (auto loop = dyn_cast<ForBlocksOp>(op))
      placeCarried(loop.getBody().front(), llvm::to_vector(loop.getCarried()));
    else if (isa<scf::IfOp>(op))
      adopt(op);
  });
  assignReleases(func);
}

Placement::Kind Placement::kind(Value tile) const {
  auto it = kinds.find(tile);
  return it == kinds.end() ? Kind::Buffer : it->second;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Deferred, buffer or panel
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether `inner` runs as often as `outer` does when it runs at all: only conditions lie between them.
static bool runsAsOften(Operation *inner, Block *outer) {
  while (inner->getBlock() != outer) {
    inner = inner->getParentOp();
    if (!isa<scf::IfOp>(inner))
      return false;
  }
  return true;
}

/// The only dot that reads `load`, as its B operand, perhaps transposed; or null.
static DotOp onlyDotThatReads(LoadOp load) {
  Value value = load.getResult();
  if (!value.hasOneUse())
    return {};
  if (auto transpose = dyn_cast<TransposeOp>(*value.user_begin()))
    value = transpose.getResult();
  if (!value.hasOneUse())
    return {};
  auto dot = dyn_cast<DotOp>(*value.user_begin());
  return dot && dot.getB() == value && dot.getA() != value ? dot : DotOp();
}

bool Placement::isDeferrable(Operation *op) const {
  Value result = op->getResult(0);
  if (!result.hasOneUse())
    return false;
  Operation *user = *result.user_begin();
  if (!runsAsOften(user, op->getBlock()))
    return false;
  // Read several times by an element's neighbours: better computed once.
  return !isa<BroadcastOp, TransposeOp>(user);
}

Placement::Kind Placement::kindOf(Operation *op) const {
  if (isa<arith::ConstantOp, IotaOp, BroadcastOp, PositionsOp>(op))
    return Kind::Deferred;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto readByDot = [&](Operation *user) {
      auto dot = dyn_cast<DotOp>(user);
      return dot && dot.getAcc() != transpose.getResult();
    };
    return !movesElements(transpose) || llvm::all_of(op->getUsers(), readByDot) ? Kind::Deferred : Kind::Buffer;
  }
  if (auto load = dyn_cast<LoadOp>(op)) {
    DotOp dot = onlyDotThatReads(load);
    bool wide = dot && !flatShape(load.getType()).isVector() && !flatShape(dot.getB().getType()).isVector();
    return wide && isContiguousAccess(load.getIndices(), load.getSizes()) ? Kind::Panel : Kind::Buffer;
  }
  return isElementwise(op) && isDeferrable(op) ? Kind::Deferred : Kind::Buffer;
}

void Placement::assignKinds(FuncOp func) {
  func.walk([&](Operation *op) {
    for (Value result : op->getResults())
      if (isTile(result.getType()))
        kinds[result] = kindOf(op);
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Fusion
//===--------------------------------------------------------------------------------------------------------------===//

/// Takes into the loop nest of `op` the reductions of its result, and its conversion to a dot's operand.
void Placement::fuse(Operation *op) {
  Value result = op->getResult(0);
  for (Operation *user : result.getUsers()) {
    if (user->getBlock() != op->getBlock())
      continue;
    bool converts = isa<arith::TruncFOp>(user) && user->hasOneUse() && isa<DotOp>(*user->user_begin());
    if (converts)
      kinds[user->getResult(0)] = Kind::Buffer;
    if ((converts || isa<ReduceOp>(user)) && fusedOps.insert(user).second)
      fused[result].push_back(user);
  }
}

ArrayRef<Operation *> Placement::fusedWith(Value tile) const {
  auto it = fused.find(tile);
  return it == fused.end() ? ArrayRef<Operation *>() : it->second;
}

bool Placement::isStored(Value tile) const {
  return !llvm::all_of(tile.getUsers(), [&](Operation *user) { return llvm::is_contained(fusedWith(tile), user); });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Who reads what
//===--------------------------------------------------------------------------------------------------------------===//

bool Placement::reads(Value tile, Value leaf) const {
  if (tile == leaf)
    return true;
  Operation *op = tile.getDefiningOp();
  if (!op || !isTile(tile.getType()) || kind(tile) != Kind::Deferred)
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) { return reads(operand, leaf); });
}

bool Placement::readsInPlace(Value tile, Value leaf) const {
  Operation *op = tile.getDefiningOp();
  if (tile == leaf || !op || !isTile(tile.getType()) || kind(tile) != Kind::Deferred)
    return true;
  if (isa<BroadcastOp, TransposeOp>(op))
    return !reads(tile, leaf);
  return llvm::all_of(op->getOperands(), [&](Value operand) { return readsInPlace(operand, leaf); });
}

void Placement::collectReaders(Value tile, SmallVectorImpl<Operation *> &readers) const {
  for (Operation *user : tile.getUsers()) {
    bool passesOn = user->getNumResults() == 1 && isTile(user->getResult(0).getType()) &&
                    kind(user->getResult(0)) == Kind::Deferred;
    if (passesOn)
      collectReaders(user->getResult(0), readers);
    else
      readers.push_back(user);
  }
}

Operation *Placement::lastReader(Value tile) const {
  SmallVector<Operation *> readers;
  collectReaders(tile, readers);
  Operation *last = nullptr;
  for (Operation *reader : readers) {
    Operation *here = tile.getParentBlock()->findAncestorOpInBlock(*reader);
    if (!last || last->isBeforeInBlock(here))
      last = here;
  }
  return last;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Results in their operands' places
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether `op` may write its result over the carried value: everything else has read it before, and `op` reads each
/// element only for the same element of its result.
bool Placement::mayOverwrite(Operation *op, BlockArgument carried) const {
  Operation *last = lastReader(carried);
  if (last && last != op && op->isBeforeInBlock(last))
    return false;
  if (auto dot = dyn_cast<DotOp>(op))
    return !reads(dot.getA(), carried) && !reads(dot.getB(), carried) &&
           (!dot.getAcc() || readsInPlace(dot.getAcc(), carried));
  return isElementwise(op) && !isFused(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return readsInPlace(operand, carried); });
}

void Placement::placeCarried(Block &body, ArrayRef<BlockArgument> carried) {
  OperandRange yielded = body.getTerminator()->getOperands();
  for (auto [argument, value] : llvm::zip_equal(carried, yielded)) {
    Operation *op = value.getDefiningOp();
    if (!isTile(value.getType()) || !op || op->getBlock() != &body || kind(value) != Kind::Buffer ||
        llvm::count(yielded, value) != 1)
      continue;
    if (mayOverwrite(op, argument))
      carriedPlaces[value] = argument;
  }
}

/// Whether the result of a condition may take the place of `source`, which one of its branches yields: nobody reads
/// `source` later, and in the branches only what becomes this result, element by element, does.
bool Placement::mayAdopt(OpResult result, Value source) const {
  auto conditional = cast<scf::IfOp>(result.getOwner());
  Operation *op = source.getDefiningOp();
  if (!op || op->getBlock() != conditional->getBlock() || kind(source) != Kind::Buffer || carriedPlaces.count(source) ||
      lastReader(source) != conditional)
    return false;
  for (Operation *branch : {conditional.thenYield().getOperation(), conditional.elseYield().getOperation()})
    for (auto [index, value] : llvm::enumerate(branch->getOperands()))
      if (index == result.getResultNumber() ? !readsInPlace(value, source) : reads(value, source))
        return false;
  SmallVector<Operation *> readers;
  collectReaders(source, readers);
  return llvm::all_of(readers, [&](Operation *reader) {
    return !conditional->isProperAncestor(reader) || reader == conditional.thenYield() ||
           reader == conditional.elseYield();
  });
}

void Placement::adopt(Operation *op) {
  auto conditional = cast<scf::IfOp>(op);
  for (OpResult result : conditional.getResults()) {
    if (!isTile(result.getType()))
      continue;
    unsigned index = result.getResultNumber();
    for (Value source : {conditional.thenYield().getOperand(index), conditional.elseYield().getOperand(index)})
      if (!adopted.count(result) && mayAdopt(result, source))
        adopted[result] = source;
  }
}

void Placement::assignReleases(FuncOp func) {
  DenseSet<Value> handedOn;
  for (auto [result, source] : adopted)
    handedOn.insert(source);
  func.walk([&](Operation *op) {
    for (Value result : op->getResults()) {
      bool owned = isTile(result.getType()) && kind(result) != Kind::Deferred && !handedOn.contains(result) &&
                   !carriedPlaces.count(result);
      if (!owned)
        continue;
      Operation *last = lastReader(result);
      releases[last ? last : op].push_back(result);
    }
  });
}

ArrayRef<Value> Placement::releasedAfter(Operation *op) const {
  auto it = releases.find(op);
  return it == releases.end() ? ArrayRef<Value>() : it->second;
}

} // namespace lacuna::cpu
