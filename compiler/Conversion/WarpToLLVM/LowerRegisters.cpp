// Tiles in registers: elementwise operations, broadcasts, scaling, reductions.
#include "KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lacuna {

using warp::AccLayout;
using warp::ColLayout;
using warp::RowLayout;

int64_t KernelLowering::registerCount(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return 1;
  if (isa<warp::AFragAttr>(tensor.getEncoding()))
    return warp::AFragLayout::registers(tensor.getDimSize(1));
  if (isa<warp::RowAttr>(tensor.getEncoding()))
    return RowLayout::registers();
  return isa<warp::ColAttr>(tensor.getEncoding()) ? ColLayout::registers(tensor.getDimSize(1))
                                                  : AccLayout::registers(tensor.getDimSize(1));
}

/// Clones a scalar operation for each register; on scalars, once.
LogicalResult KernelLowering::lowerElementwise(Operation *op) {
  if (op->getNumRegions() != 0 || op->getNumResults() != 1 || !isMemoryEffectFree(op))
    return op->emitOpError() << "cannot be lowered to a thread of sm_90a";
  Type type = op->getResult(0).getType();
  if (isa<RankedTensorType>(type) && !op->hasTrait<OpTrait::Elementwise>())
    return op->emitOpError() << "is no elementwise operation and cannot be lowered to a thread of sm_90a";
  Registers result;
  for (int64_t reg = 0, count = registerCount(type); reg < count; ++reg) {
    OperationState state(op->getLoc(), op->getName());
    for (Value operand : op->getOperands()) {
      const Registers &registers = values[operand];
      state.operands.push_back(registers.size() == 1 ? registers[0] : registers[reg]);
    }
    auto tensor = dyn_cast<RankedTensorType>(type);
    state.addTypes(tensor ? tensor.getElementType() : type);
    state.attributes = op->getDiscardableAttrDictionary().getValue();
    state.propertiesAttr = op->getPropertiesAsAttribute();
    result.push_back(builder.create(state)->getResult(0));
  }
  values[op->getResult(0)] = result;
  return success();
}

void KernelLowering::lowerConstant(arith::ConstantOp op) {
  TypedAttr value = op.getValue();
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    value = cast<TypedAttr>(splat.getSplatValue<Attribute>());
  Value constant = builder.create<arith::ConstantOp>(op.getLoc(), value);
  values[op] = Registers(registerCount(op.getType()), constant);
}

void KernelLowering::lowerTruncation(arith::TruncFOp op) {
  Location loc = op.getLoc();
  const Registers x = values[op.getIn()];
  Type element = getElementTypeOrSelf(op.getOut().getType());
  Registers result;
  if (x.size() % 2 != 0 || !x[0].getType().isF32()) {
    for (Value value : x)
      result.push_back(builder.create<arith::TruncFOp>(loc, element, value));
  } else {
    auto pair = VectorType::get(2, element);
    StringRef intrinsic = element.isBF16() ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn";
    for (size_t reg = 0; reg < x.size(); reg += 2) {
      Value rounded = builder
                          .create<LLVM::CallIntrinsicOp>(loc, pair, builder.getStringAttr(intrinsic),
                                                         ValueRange{x[reg + 1], x[reg]}, LLVM::FastmathFlagsAttr())
                          .getResult(0);
      for (int64_t half : {0, 1})
        result.push_back(builder.create<LLVM::ExtractElementOp>(loc, rounded, i32(loc, half)));
    }
  }
  values[op] = result;
}

void KernelLowering::lowerBroadcast(warp::BroadcastOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  const Registers x = values[op.getX()];
  Registers result;
  for (int64_t reg = 0, count = registerCount(type); reg < count; ++reg) {
    auto from = dyn_cast<RankedTensorType>(op.getX().getType());
    if (!from || x.size() == 1)
      result.push_back(x[0]);
    else if (isa<warp::RowAttr>(from.getEncoding()) && isa<warp::AccAttr>(type.getEncoding()))
      result.push_back(x[RowLayout::ofAcc(reg)]);
    else if (isa<warp::ColAttr>(from.getEncoding()) && isa<warp::AccAttr>(type.getEncoding()))
      result.push_back(x[ColLayout::ofAcc(reg)]);
    else
      result.push_back(x[reg]);
  }
  values[op.getResult()] = result;
}

void KernelLowering::lowerScaleRows(warp::ScaleRowsOp op) {
  Location loc = op.getLoc();
  const Registers x = values[op.getX()], factors = values[op.getFactors()];
  Value one = builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(1.0f)), changes;
  for (Value factor : factors) {
    Value differs = builder.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, factor, one);
    changes = changes ? builder.create<arith::OrIOp>(loc, changes, differs).getResult() : differs;
  }
  Value any =
      builder
          .create<LLVM::CallIntrinsicOp>(loc, builder.getI1Type(), builder.getStringAttr("llvm.nvvm.vote.any.sync"),
                                         ValueRange{i32(loc, -1), changes}, LLVM::FastmathFlagsAttr())
          .getResult(0);
  SmallVector<Type> types(x.size(), builder.getF32Type());
  auto branch = builder.create<scf::IfOp>(loc, types, any, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder scaling = branch.getThenBodyBuilder();
  Registers scaled;
  for (auto [reg, value] : llvm::enumerate(x))
    scaled.push_back(scaling.create<arith::MulFOp>(loc, value, factors[RowLayout::ofAcc(reg)]));
  scaling.create<scf::YieldOp>(loc, scaled);
  branch.getElseBodyBuilder().create<scf::YieldOp>(loc, x);
  values[op.getResult()] = Registers(branch.getResults());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reductions
//===--------------------------------------------------------------------------------------------------------------===//

Value KernelLowering::combine(Location loc, tile::ReduceKind kind, Value a, Value b) {
  switch (kind) {
  case tile::ReduceKind::Add:
    return builder.create<arith::AddFOp>(loc, a, b);
  case tile::ReduceKind::Max:
    return builder.create<arith::MaxNumFOp>(loc, a, b);
  case tile::ReduceKind::Min:
    return builder.create<arith::MinNumFOp>(loc, a, b);
  }
  llvm_unreachable("unknown reduction");
}

void KernelLowering::lowerRowReduce(warp::RowReduceOp op) {
  const Registers x = values[op.getX()];
  Registers result(RowLayout::registers());
  for (auto [reg, value] : llvm::enumerate(x)) {
    Value &row = result[RowLayout::ofAcc(reg)];
    row = row ? combine(op.getLoc(), op.getKind(), row, value) : value;
  }
  values[op.getResult()] = result;
}

void KernelLowering::lowerQuadReduce(warp::QuadReduceOp op) {
  Location loc = op.getLoc();
  Registers result = values[op.getX()];
  for (Value &value : result)
    for (int64_t mask : {1, 2})
      value = combine(loc, op.getKind(), value, ptx.shuffleXor(loc, value, mask));
  values[op.getResult()] = result;
}

void KernelLowering::lowerBlockReduce(warp::BlockReduceOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getX().getType());
  const Registers x = values[op.getX()];
  Value partial = x[0];
  for (Value value : ArrayRef(x).drop_front())
    partial = combine(loc, op.getKind(), partial, value);
  // Lanes that hold other elements: a quad shares its rows, all quads share their columns.
  bool row = isa<warp::RowAttr>(type.getEncoding()), column = isa<warp::ColAttr>(type.getEncoding());
  for (int64_t mask : {1, 2, 4, 8, 16})
    if (!(row && mask < 4) && !(column && mask >= 4))
      partial = combine(loc, op.getKind(), partial, ptx.shuffleXor(loc, partial, mask));
  if (column) { // Every warp has the whole of it.
    values[op.getResult()] = {partial};
    return;
  }
  int64_t warps = 4 * consumerWarpgroups, threads = 32 * warps;
  Value scratch = add(loc, sharedBase, reduceScratch);
  Value slot = add(loc, mul(loc, consumer, 4), warpInGroup);
  ptx.storeShared(loc, add(loc, scratch, mul(loc, slot, 4)), partial,
                  compare(loc, arith::CmpIPredicate::eq, lane, i32(loc, 0)));
  ptx.namedBarrierSync(loc, op.getBarrier(), threads);
  Value whole;
  for (int64_t warp = 0; warp < warps; ++warp) {
    Value value = ptx.loadShared(loc, add(loc, scratch, 4 * warp));
    whole = whole ? combine(loc, op.getKind(), whole, value) : value;
  }
  ptx.namedBarrierSync(loc, op.getBarrier(), threads); // The scratch may be written again.
  values[op.getResult()] = {whole};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Coordinates
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::lowerIota(warp::IotaOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Registers result;
  if (isa<warp::RowAttr>(type.getEncoding())) {
    for (int64_t reg = 0; reg < RowLayout::registers(); ++reg)
      result.push_back(add(loc, rowInTile(loc), 8 * reg));
  } else {
    Value base = columnInTile(loc);
    for (int64_t reg = 0; reg < ColLayout::registers(type.getDimSize(1)); ++reg)
      result.push_back(add(loc, base, ColLayout::columnBase(reg)));
  }
  values[op.getResult()] = result;
}

void KernelLowering::lowerPositions(warp::PositionsOp op) {
  Location loc = op.getLoc();
  int64_t extent = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  int64_t length = extent / op.getStarts().size(); // a multiple of 16, so that eight neighbours share a run
  Value own = columnInTile(loc);
  Registers bases, result;
  for (Value start : op.getStarts())
    bases.push_back(add(loc, scalar(start), own));
  for (int64_t reg = 0; reg < ColLayout::registers(extent); ++reg) {
    int64_t column = ColLayout::columnBase(reg);
    result.push_back(add(loc, bases[column / length], column % length));
  }
  values[op.getResult()] = result;
}

/// This thread's first row within the thread block's tile; its other row is 8 further.
Value KernelLowering::rowInTile(Location loc) {
  Value quad = builder.create<arith::ShRUIOp>(loc, lane, i32(loc, 2));
  Value row = add(loc, mul(loc, warpInGroup, 16), quad);
  return add(loc, row, mul(loc, consumer, warp::kWarpgroupRows));
}

/// This thread's first column within each group of eight; its other column is the next.
Value KernelLowering::columnInTile(Location loc) {
  return mul(loc, builder.create<arith::AndIOp>(loc, lane, i32(loc, 3)), 2);
}

} // namespace lacuna
