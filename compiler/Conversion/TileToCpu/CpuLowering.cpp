#include "CpuLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lacuna::tile;

namespace lacuna::cpu {

CpuLowering::CpuLowering(FuncOp func, bool wide)
    : func(func), wide(wide), placement(func), b(func.getLoc(), func.getContext()) {}

//===--------------------------------------------------------------------------------------------------------------===//
// The entry point: parameters in the order of the launch ABI (lacuna/Runtime/LaunchMetadata.h)
//===--------------------------------------------------------------------------------------------------------------===//

static LLVM::LLVMFuncOp declareScratch(ModuleOp module) {
  if (auto existing = module.lookupSymbol<LLVM::LLVMFuncOp>(kScratchSymbol))
    return existing;
  OpBuilder builder(module.getBodyRegion());
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto function = builder.create<LLVM::LLVMFuncOp>(module.getLoc(), kScratchSymbol,
                                                   LLVM::LLVMFunctionType::get(pointer, {builder.getI64Type()}));
  auto noAlias = builder.getNamedAttr(LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  function.setResAttrsAttr(builder.getArrayAttr(builder.getDictionaryAttr(noAlias)));
  return function;
}

LogicalResult CpuLowering::run() {
  auto module = func->getParentOfType<ModuleOp>();
  LLVM::LLVMFuncOp scratchFunction = declareScratch(module);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i32Type = b.getI32Type();
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer, i32Type, i32Type, i32Type});
  b.setInsertionPoint(func);
  auto entry = b.create<LLVM::LLVMFuncOp>("", type);
  entry.setPassthroughAttr(b.getArrayAttr(b.getStringAttr("nounwind")));
  Block *block = entry.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  llvm::append_range(programIds, block->getArguments().drop_front());
  auto scratchCall = b.create<LLVM::CallOp>(scratchFunction, ValueRange{i64(0)});
  scratch = scratchCall.getResult();
  unpackParameters(block->getArgument(0));
  lowerBlock(func.getBody().front());
  b.create<LLVM::ReturnOp>(ValueRange());

  constexpr int64_t kLargestScratch = int64_t(1) << 30;
  if (scratchPlan.size() > kLargestScratch) {
    entry.erase();
    return func.emitOpError() << "needs " << (scratchPlan.size() >> 20)
                              << " MiB of tiles at once, the CPU backend gives each thread at most "
                              << (kLargestScratch >> 20) << " MiB; choose smaller tiles";
  }
  b.setInsertionPoint(scratchCall);
  scratchCall.setOperand(0, i64(std::max<int64_t>(scratchPlan.size(), ScratchPlan::kUnit)));
  entry.setSymName(func.getSymName());
  func.erase();
  return success();
}

Value CpuLowering::readParameter(Value parameters, Type type) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value slot = element(parameters, pointer, i64(parametersRead++));
  Value place = b.create<LLVM::LoadOp>(pointer, slot);
  return b.create<LLVM::LoadOp>(type, place);
}

void CpuLowering::unpackParameters(Value parameters) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  for (BlockArgument argument : func.getArguments()) {
    if (auto view = dyn_cast<ViewType>(argument.getType())) {
      ViewValue &value = views[argument];
      value.pointer = readParameter(parameters, pointer);
      for (int64_t axis = 0; axis + 1 < view.getRank(); ++axis)
        value.strides.push_back(readParameter(parameters, b.getI64Type()));
    } else if (isa<BlocksType>(argument.getType())) {
      BlocksValue &value = lists[argument];
      for (Value *part : {&value.indptr, &value.split, &value.indices})
        *part = readParameter(parameters, pointer);
      for (Value *part : {&value.batchStride, &value.headStride})
        *part = readParameter(parameters, b.getI64Type());
      value.rowBlocks = readParameter(parameters, b.getI32Type());
    } else {
      scalars.map(argument, readParameter(parameters, argument.getType()));
    }
  }
  for (StringAttr name : func.getDims().getAsRange<StringAttr>())
    dims[name.getValue()] = readParameter(parameters, b.getI32Type());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Dispatch
//===--------------------------------------------------------------------------------------------------------------===//

void CpuLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    b.setLoc(op.getLoc());
    lowerOp(&op);
    releaseAfter(&op);
  }
}

void CpuLowering::releaseAfter(Operation *op) {
  for (Value tile : placement.releasedAfter(op))
    if (auto it = buffers.find(tile); it != buffers.end())
      release(it->second);
}

void CpuLowering::lowerOp(Operation *op) {
  if (isOpTriviallyDead(op) || placement.isFused(op))
    return;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](ProgramIdOp id) { scalars.map(id.getResult(), programIds[id.getAxis()]); })
      .Case([&](DimOp dim) { scalars.map(dim.getResult(), dims.lookup(dim.getName())); })
      .Case([&](IsPartialOp partial) {
        scalars.map(partial.getResult(), positions.find(partial.getPositions())->second.isPartial);
      })
      .Case([&](ExceedsOp exceeds) { scalars.map(exceeds.getResult(), lowerExceeds(exceeds)); })
      .Case([&](LoadOp load) { lowerLoad(load); })
      .Case([&](StoreOp store) { lowerStore(store); })
      .Case([&](DotOp dot) { lowerDot(dot); })
      .Case([&](ReduceOp reduce) { lowerReduce(reduce); })
      .Case([&](TransposeOp transpose) { lowerTranspose(transpose); })
      .Case([&](ForBlocksOp loop) { lowerForBlocks(loop); })
      .Case([&](BandsOp) {}) // Its loops read its bounds.
      .Case([&](scf::ForOp loop) { lowerFor(loop); })
      .Case([&](scf::IfOp conditional) { lowerIf(conditional); })
      .Default([&](Operation *other) {
        Value result = other->getResult(0);
        if (isTile(result.getType())) {
          if (placement.kind(result) == Placement::Kind::Buffer)
            lowerElementwise(other);
        } else if (auto constant = dyn_cast<arith::ConstantOp>(other)) {
          scalars.map(result, constantOf(b, constant.getValue(), 0));
        } else {
          SmallVector<Value> operands;
          for (Value operand : other->getOperands())
            operands.push_back(scalar(operand));
          scalars.map(result, buildElementwise(b, other, operands, 0));
        }
      });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Small pieces of code
//===--------------------------------------------------------------------------------------------------------------===//

Value CpuLowering::i64(int64_t value) {
  return b.create<arith::ConstantOp>(b.getI64IntegerAttr(value));
}
Value CpuLowering::i32(int32_t value) {
  return b.create<arith::ConstantOp>(b.getI32IntegerAttr(value));
}
Value CpuLowering::toI64(Value value) {
  return b.create<arith::ExtSIOp>(b.getI64Type(), value);
}
Value CpuLowering::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}
Value CpuLowering::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(x, y);
}

Value CpuLowering::element(Value pointer, Type type, Value index) {
  return b.create<LLVM::GEPOp>(LLVM::LLVMPointerType::get(b.getContext()), type, pointer, ValueRange{index});
}

SmallVector<Value> CpuLowering::repeat(int64_t count, int64_t step, ValueRange inits, LoopBody body) {
  if (count == step)
    return body(i64(0), inits);
  auto loop = b.create<scf::ForOp>(i64(0), i64(count), i64(step), inits);
  OpBuilder::InsertionGuard guard(b);
  // Without carried values the loop has its terminator already.
  if (inits.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> yielded = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    b.create<scf::YieldOp>(yielded);
  return llvm::to_vector_of<Value>(loop.getResults());
}

void CpuLowering::repeat(int64_t count, int64_t step, llvm::function_ref<void(Value)> body) {
  repeat(count, step, ValueRange(), [&](Value index, ValueRange) {
    body(index);
    return SmallVector<Value>();
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Scratch memory
//===--------------------------------------------------------------------------------------------------------------===//

Buffer CpuLowering::allocate(FlatShape shape, Type element, int64_t panelWidth) {
  Type held = registerType(element);
  int64_t bytes = shape.elements() * (held.isInteger(1) ? 1 : 4);
  return {scratchPlan.allocate(bytes), shape, held, panelWidth};
}

Buffer CpuLowering::allocateFor(Value tile) {
  return allocate(flatShape(tile.getType()), cast<RankedTensorType>(tile.getType()).getElementType());
}

void CpuLowering::release(const Buffer &buffer) {
  scratchPlan.release(buffer.offset);
}

Value CpuLowering::address(const Buffer &buffer, Value row, Value column) {
  Value base = b.create<LLVM::GEPOp>(scratch.getType(), b.getI8Type(), scratch,
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(buffer.offset)});
  const int64_t rowLength = buffer.panelWidth ? buffer.panelWidth : buffer.shape.columns;
  Value index = add(mul(row, i64(rowLength)), column);
  if (buffer.panelWidth) {
    // Panel p begins at p * rows * width, which is (column - column % width) * rows.
    Value within = b.createOrFold<arith::AndIOp>(column, i64(buffer.panelWidth - 1));
    Value panel = mul(b.createOrFold<arith::SubIOp>(column, within), i64(buffer.shape.rows));
    index = add(add(panel, mul(row, i64(rowLength))), within);
  }
  return element(base, buffer.element.isInteger(1) ? b.getI8Type() : buffer.element, index);
}

Value CpuLowering::load(const Buffer &buffer, Value row, Value column, int64_t width) {
  return loadElements(b, buffer.element, address(buffer, row, column), width);
}

void CpuLowering::copy(const Buffer &source, const Buffer &target) {
  const int64_t elements = source.shape.elements(), width = elements % kWidth == 0 ? kWidth : 0;
  repeat(elements, std::max<int64_t>(width, 1),
         [&](Value index) { store(target, load(source, i64(0), index, width), i64(0), index, width); });
}

void CpuLowering::store(const Buffer &buffer, Value value, Value row, Value column, int64_t width) {
  storeElements(b, buffer.element, value, address(buffer, row, column), width);
}

} // namespace lacuna::cpu
