// Verifiers of the ops of `warp` that look at one op; WarpRoles.cpp has those that look at a whole kernel.
#include "KernelVerifiers.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "lacuna/Dialect/Warp/IR/WarpOps.cpp.inc"

namespace lacuna::warp {

RoleOp getRole(Operation *op) {
  return op->getParentOfType<RoleOp>();
}

void addDecision(FuncOp func, const Twine &sentence) {
  Builder builder(func.getContext());
  SmallVector<Attribute> sentences;
  if (auto before = func->getAttrOfType<ArrayAttr>(kDecisionsAttr))
    llvm::append_range(sentences, before);
  sentences.push_back(builder.getStringAttr(sentence));
  func->setAttr(kDecisionsAttr, builder.getArrayAttr(sentences));
}

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

LogicalResult requireRole(Operation *op, RoleKind kind, StringRef what) {
  RoleOp role = getRole(op);
  if (role && role.getKind() != kind) {
    InFlightDiagnostic diag = op->emitOpError() << what << " belongs to the " << stringifyRoleKind(kind) << " role";
    diag.attachNote(role.getLoc()) << "it stands in the " << stringifyRoleKind(role.getKind()) << " role";
    return diag;
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Lists and rings
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ListStepOp::verify() {
  int64_t runs = getList().getType().getRunsPerStep();
  if (static_cast<int64_t>(getStarts().size()) != runs)
    return emitOpError() << "a step of this list has " << runs << " runs, got " << getStarts().size() << " starts";
  return success();
}

static LogicalResult verifySlotOfRing(Operation *op, RingType ring, SlotType slot) {
  if (slot.getRows() != ring.getRows() || slot.getColumns() != ring.getColumns() ||
      slot.getElementType() != ring.getElementType())
    return op->emitOpError() << "a slot of " << ring << " cannot be " << slot;
  return success();
}

LogicalResult RingAcquireOp::verify() {
  if (failed(requireRole(*this, RoleKind::Producer, "acquiring a slot")) ||
      failed(verifySlotOfRing(*this, getRing().getType(), getSlot().getType())))
    return failure();
  if (!getSlot().hasOneUse() || !isa<RingFillOp>(*getSlot().user_begin()))
    return emitOpError() << "an acquired slot must be filled exactly once";
  Operation *fill = *getSlot().user_begin();
  if (fill->getBlock() == (*this)->getBlock() || getRole(fill) != getRole(*this))
    return success(); // A fill in another role says so itself.
  InFlightDiagnostic diag = emitOpError()
                            << "an acquired slot must be filled on every path; fill it in the block that acquires it";
  diag.attachNote(fill->getLoc()) << "filled here";
  return diag;
}

LogicalResult RingWaitOp::verify() {
  if (failed(requireRole(*this, RoleKind::Consumer, "waiting for a slot")) ||
      failed(verifySlotOfRing(*this, getRing().getType(), getSlot().getType())))
    return failure();
  Operation *release = nullptr;
  int64_t releases = 0;
  for (Operation *user : getSlot().getUsers()) {
    if (isa<RingReleaseOp>(user))
      release = user, ++releases;
    else if (!isa<WgmmaSsOp, WgmmaRsOp, MmaSyncOp, RingFillOp>(user))
      return user->emitOpError() << "takes a slot, which only products and one warp.ring_release can";
  }
  if (releases != 1)
    return emitOpError() << "a slot that was waited for must be released exactly once, found " << releases
                         << " releases";
  Block *block = (*this)->getBlock();
  if (release->getBlock() != block) {
    InFlightDiagnostic diag = emitOpError()
                              << "a slot that was waited for must be released on every path; release it in "
                                 "the block that waits for it";
    diag.attachNote(release->getLoc()) << "released here";
    return diag;
  }
  for (Operation *user : getSlot().getUsers())
    if (Operation *reader = block->findAncestorOpInBlock(*user);
        reader && user != release && !reader->isBeforeInBlock(release)) {
      InFlightDiagnostic diag = user->emitOpError() << "reads a slot that was handed back before";
      diag.attachNote(release->getLoc()) << "released here; release it after its last reader";
      return diag;
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Matrix products
//===--------------------------------------------------------------------------------------------------------------===//

/// Checks B, the accumulator (`inflight`: it may be that, too) and the result of a product over `k` values.
static LogicalResult verifyProduct(Operation *op, int64_t k, Type element, SlotType b, bool transB, Value acc,
                                   RankedTensorType result, InflightType inflight) {
  int64_t bk = transB ? b.getColumns() : b.getRows(), n = transB ? b.getRows() : b.getColumns();
  if (k != bk)
    return op->emitOpError() << "A has " << k << " values of k, B has " << bk;
  if (element != b.getElementType())
    return op->emitOpError() << "A is " << element << ", B is " << b.getElementType();
  if (!isa_and_present<AccAttr>(result.getEncoding()) || !result.getElementType().isF32() ||
      result.getDimSize(0) != kWarpgroupRows || result.getDimSize(1) != n)
    return op->emitOpError() << "the result must be tensor<64x" << n << "xf32, #warp.acc>, got " << result;
  if (n % 8 != 0 || n > kProductColumnsLimit)
    return op->emitOpError() << "a product has 8 to 256 columns, a multiple of 8; got " << n;
  if (acc && acc.getType() != result && acc.getType() != inflight)
    return op->emitOpError() << "the accumulator must be " << result << (inflight ? ", in flight or not" : "")
                             << ", got " << acc.getType();
  return requireRole(op, RoleKind::Consumer, "a matrix product");
}

/// Checks an A operand in shared memory, `rows` by `columns` as it is stored: the warpgroups take 64 rows each.
static LogicalResult verifySharedA(Operation *op, int64_t rows, int64_t columns, bool transA) {
  int64_t m = transA ? columns : rows;
  if (m % kWarpgroupRows != 0)
    return op->emitOpError() << "A's rows must be a multiple of 64, got " << m;
  if (RoleOp role = getRole(op); role && m < static_cast<int64_t>(role.getWarpgroups()) * kWarpgroupRows)
    return op->emitOpError() << "A has " << m << " rows, but the role's " << role.getWarpgroups() << " warpgroups take "
                             << role.getWarpgroups() * kWarpgroupRows << ", 64 each";
  return success();
}

static LogicalResult verifyFragment(Operation *op, RankedTensorType a) {
  if (isa_and_present<AFragAttr>(a.getEncoding()))
    return success();
  return op->emitOpError() << "A must be a #warp.afrag tile (warp.pack_afrag), got " << a;
}

LogicalResult WgmmaSsOp::verify() {
  auto slot = dyn_cast<SlotType>(getA().getType());
  auto tile = dyn_cast<SmemType>(getA().getType());
  if (tile && getTransA())
    return emitOpError() << "reads a shared tile that consumers wrote row by row, which trans_a does not fit";
  int64_t rows = slot ? slot.getRows() : tile.getRows(), columns = slot ? slot.getColumns() : tile.getColumns();
  InflightType inflight = getResult().getType();
  if (failed(verifySharedA(*this, rows, columns, getTransA())))
    return failure();
  return verifyProduct(*this, getTransA() ? rows : columns, slot ? slot.getElementType() : tile.getElementType(),
                       getB().getType(), getTransB(), getAcc(), inflight.getTensor(), inflight);
}

LogicalResult WgmmaRsOp::verify() {
  RankedTensorType a = tensorOf(getA());
  InflightType inflight = getResult().getType();
  if (failed(verifyFragment(*this, a)))
    return failure();
  return verifyProduct(*this, a.getDimSize(1), a.getElementType(), getB().getType(), getTransB(), getAcc(),
                       inflight.getTensor(), inflight);
}

LogicalResult MmaSyncOp::verify() {
  auto slot = dyn_cast<SlotType>(getA().getType());
  if (!slot && getTransA())
    return emitOpError() << "takes A from registers, which hold it by rows; trans_a goes with a slot";
  if (failed(slot ? verifySharedA(*this, slot.getRows(), slot.getColumns(), getTransA())
                  : verifyFragment(*this, tensorOf(getA()))))
    return failure();
  int64_t k = slot && getTransA() ? slot.getRows() : slot ? slot.getColumns() : tensorOf(getA()).getDimSize(1);
  return verifyProduct(*this, k, slot ? slot.getElementType() : tensorOf(getA()).getElementType(), getB().getType(),
                       getTransB(), getAcc(), tensorOf(getResult()), InflightType());
}

LogicalResult WgmmaWaitOp::verify() {
  SmallVector<Type> expected;
  for (Value value : getInflight())
    expected.push_back(cast<InflightType>(value.getType()).getTensor());
  llvm::append_range(expected, getCarry().getTypes());
  if (TypeRange(expected) != getResultTypes())
    return emitOpError() << "hands over " << getResultTypes() << ", but waits for " << expected;
  for (Value value : getAfter())
    if (RankedTensorType type = tensorOf(value);
        !isa_and_present<RowAttr>(type.getEncoding()) || !type.getElementType().isF32())
      return emitOpError() << "comes after f32 #warp.row vectors, got " << type;
  return success();
}

LogicalResult PackAFragOp::verify() {
  RankedTensorType x = tensorOf(getX()), result = tensorOf(getResult());
  if (!isa_and_present<AccAttr>(x.getEncoding()) || !isa_and_present<AFragAttr>(result.getEncoding()) ||
      x.getShape() != result.getShape() || x.getElementType() != result.getElementType())
    return emitOpError() << "packs a #warp.acc tile into a #warp.afrag tile of the same shape and type, got " << x
                         << " and " << result;
  if (!x.getElementType().isBF16() && !x.getElementType().isF16())
    return emitOpError() << "an A operand in registers is bf16 or f16, got " << x.getElementType();
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Tiles in registers
//===--------------------------------------------------------------------------------------------------------------===//

template <typename... Layouts> static bool lies(RankedTensorType type) {
  return isa_and_present<Layouts...>(type.getEncoding());
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType result = tensorOf(getResult());
  Type from = getX().getType();
  if (getElementTypeOrSelf(from) != result.getElementType())
    return emitOpError() << "repeats " << getElementTypeOrSelf(from) << ", the result holds "
                         << result.getElementType();
  auto x = dyn_cast<RankedTensorType>(from);
  bool legal = !x ? lies<AccAttr, RowAttr, ColAttr>(result) : x == result && !lies<AFragAttr>(x);
  if (x && lies<AccAttr>(result))
    legal |= (lies<RowAttr>(x) && x.getDimSize(0) == result.getDimSize(0)) ||
             (lies<ColAttr>(x) && x.getDimSize(1) == result.getDimSize(1));
  if (legal)
    return success();
  return emitOpError()
         << "repeats a scalar, or a #warp.row or #warp.col vector over a #warp.acc tile of as many rows or "
            "columns, got "
         << from << " and " << result;
}

LogicalResult ScaleRowsOp::verify() {
  RankedTensorType x = tensorOf(getX()), factors = tensorOf(getFactors());
  if (!lies<AccAttr>(x) || !lies<RowAttr>(factors) || !x.getElementType().isF32() || !factors.getElementType().isF32())
    return emitOpError() << "multiplies an f32 #warp.acc tile by an f32 #warp.row vector, got " << x << " and "
                         << factors;
  if (x.getDimSize(0) != factors.getDimSize(0))
    return emitOpError() << "takes one factor for each row, got " << x.getDimSize(0) << " rows and "
                         << factors.getDimSize(0) << " factors";
  return success();
}

LogicalResult RowReduceOp::verify() {
  RankedTensorType x = tensorOf(getX()), result = tensorOf(getResult());
  if (!lies<AccAttr>(x) || !lies<RowAttr>(result))
    return emitOpError() << "reduces a #warp.acc tile to a #warp.row vector, got " << x << " and " << result;
  if (x.getElementType() != result.getElementType() || x.getDimSize(0) != result.getDimSize(0))
    return emitOpError() << "reduces to as many rows of the same type, got " << x << " and " << result;
  return success();
}

LogicalResult QuadReduceOp::verify() {
  if (RankedTensorType x = tensorOf(getX()); !lies<RowAttr>(x))
    return emitOpError() << "combines the lanes that share a row: it takes a #warp.row vector, got " << x;
  return success();
}

LogicalResult BlockReduceOp::verify() {
  RankedTensorType x = tensorOf(getX());
  if (!lies<AccAttr, RowAttr, ColAttr>(x) || !x.getElementType().isF32())
    return emitOpError() << "reduces f32 values in a #warp.acc, #warp.row or #warp.col tile, got " << x;
  if (getBarrier() < 1 || getBarrier() > 15)
    return emitOpError() << "named barriers are 1 to 15, got " << getBarrier();
  return requireRole(*this, RoleKind::Consumer, "a reduction over all consumers");
}

LogicalResult IotaOp::verify() {
  RankedTensorType type = tensorOf(getResult());
  if (!lies<RowAttr, ColAttr>(type) || !type.getElementType().isInteger(32))
    return emitOpError() << "numbers rows or columns: a #warp.row or #warp.col vector of i32, got " << type;
  return success();
}

LogicalResult PositionsOp::verify() {
  RankedTensorType type = tensorOf(getResult());
  if (!lies<ColAttr>(type) || !type.getElementType().isInteger(32))
    return emitOpError() << "gives one position a column: a #warp.col vector of i32, got " << type;
  int64_t runs = getStarts().size();
  if (runs == 0 || type.getDimSize(1) % (8 * runs) != 0)
    return emitOpError() << "cuts its columns into runs of a multiple of 8, got " << runs << " starts for "
                         << type.getDimSize(1) << " columns";
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Barriers
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult verifyBarrier(Operation *op, int64_t threads) {
  if (threads <= 0 || threads % 32 != 0 || threads > 1024)
    return op->emitOpError() << "a barrier's threads are a multiple of 32 up to 1024, got " << threads;
  return success();
}
LogicalResult NamedBarrierSyncOp::verify() {
  return verifyBarrier(*this, getThreads());
}
LogicalResult NamedBarrierArriveOp::verify() {
  return verifyBarrier(*this, getThreads());
}

static LogicalResult verifyTurn(Operation *op) {
  RoleOp role = getRole(op);
  if (failed(requireRole(op, RoleKind::Consumer, "a turn")))
    return failure();
  if (role && role.getWarpgroups() < 2)
    return op->emitOpError() << "needs a role of two or three warpgroups, this one has " << role.getWarpgroups();
  return success();
}
LogicalResult WarpgroupSyncOp::verify() {
  return requireRole(*this, RoleKind::Consumer, "a barrier of one warpgroup");
}

LogicalResult TurnWaitOp::verify() {
  return verifyTurn(*this);
}
LogicalResult TurnPassOp::verify() {
  return verifyTurn(*this);
}

} // namespace lacuna::warp
