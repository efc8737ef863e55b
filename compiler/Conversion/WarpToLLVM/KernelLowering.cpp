#include "KernelLowering.h"

#include "lacuna/Compiler/Conversion/WarpToLLVM.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace lacuna {

//===--------------------------------------------------------------------------------------------------------------===//
// Helpers
//===--------------------------------------------------------------------------------------------------------------===//

Value KernelLowering::i32(Location loc, int64_t value) {
  return builder.create<arith::ConstantIntOp>(loc, value, 32);
}
Value KernelLowering::i64(Location loc, Value value) {
  return builder.create<arith::ExtSIOp>(loc, builder.getI64Type(), value);
}
Value KernelLowering::add(Location loc, Value a, Value b) {
  return builder.create<arith::AddIOp>(loc, a, b);
}
Value KernelLowering::add(Location loc, Value a, int64_t b) {
  return b == 0 ? a : add(loc, a, i32(loc, b));
}
Value KernelLowering::mul(Location loc, Value a, int64_t b) {
  return b == 1 ? a : builder.create<arith::MulIOp>(loc, a, i32(loc, b)).getResult();
}
Value KernelLowering::compare(Location loc, arith::CmpIPredicate predicate, Value a, Value b) {
  return builder.create<arith::CmpIOp>(loc, predicate, a, b);
}

Value KernelLowering::loadInt(Location loc, Value pointer, Value index) {
  Value address = builder.create<LLVM::GEPOp>(loc, pointer.getType(), builder.getI32Type(), pointer, index);
  return builder.create<LLVM::LoadOp>(loc, builder.getI32Type(), address, /*alignment=*/4, /*isVolatile=*/false,
                                      /*isNonTemporal=*/false, /*isInvariant=*/true);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Shared memory and tensor maps
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::planSharedMemory() {
  int64_t offset = 0;
  source.walk([&](warp::RingCreateOp op) {
    warp::RingType type = op.getRing().getType();
    rings[op.getRing()] = {type, offset, 0, 0};
    offset += llvm::alignTo(type.getDepth() * type.getSlotBytes(), 1024); // the swizzle's period
  });
  source.walk([&](warp::SmemCreateOp op) {
    warp::SmemType type = op.getSmem().getType();
    sharedTiles[op.getSmem()] = {type, offset};
    offset += llvm::alignTo(type.getBytes(), 1024);
  });
  for (auto &[value, ring] : rings) {
    ring.fullBarriers = offset;
    ring.emptyBarriers = offset + 8 * ring.type.getDepth();
    offset += 16 * ring.type.getDepth();
  }
  mailbox = offset;
  if (isPersistent())
    offset += kMailboxData + llvm::alignTo(4 * mailboxWords, 8);
  reduceScratch = offset;
  bool reduces = source.walk([](warp::BlockReduceOp) { return WalkResult::interrupt(); }).wasInterrupted();
  sharedBytes = offset + (reduces ? 16 * consumerWarpgroups : 0);
}

KernelLowering::TensorMap KernelLowering::tensorMapOf(warp::TmaLoadOp load) {
  return {cast<BlockArgument>(load.getView()).getArgNumber(), static_cast<int64_t>(load.getRowAxis()),
          static_cast<int64_t>(load.getRows()), static_cast<int64_t>(load.getOuterRows())};
}

void KernelLowering::collectTensorMaps() {
  source.walk([&](Operation *op) {
    std::optional<TensorMap> map;
    if (auto load = dyn_cast<warp::TmaLoadOp>(op))
      map = tensorMapOf(load);
    else if (auto store = dyn_cast<warp::TmaStoreOp>(op))
      map = tensorMapOf(store);
    if (map && !llvm::is_contained(tensorMaps, *map))
      tensorMaps.push_back(*map);
  });
}

/// A warpgroup stores its own rows.
KernelLowering::TensorMap KernelLowering::tensorMapOf(warp::TmaStoreOp store) {
  return {cast<BlockArgument>(store.getView()).getArgNumber(), static_cast<int64_t>(store.getRowAxis()),
          warp::kWarpgroupRows};
}

Value KernelLowering::mapPointer(const TensorMap &map) {
  return tensorMapPointers[llvm::find(tensorMaps, map) - tensorMaps.begin()];
}

//===--------------------------------------------------------------------------------------------------------------===//
// The function
//===--------------------------------------------------------------------------------------------------------------===//

void KernelLowering::createFunction() {
  MLIRContext *context = builder.getContext();
  Type i32Type = builder.getI32Type(), i64Type = builder.getI64Type();
  Type generic = LLVM::LLVMPointerType::get(context), global = LLVM::LLVMPointerType::get(context, 1);
  SmallVector<Type> types(tensorMaps.size(), generic);
  for (Type type : source.getArgumentTypes()) {
    if (auto view = dyn_cast<tile::ViewType>(type)) {
      types.push_back(global);
      types.append(view.getRank() - 1, i64Type);
    } else if (isa<tile::BlocksType>(type)) {
      types.append({global, global, global, i64Type, i64Type, i32Type});
    } else {
      types.push_back(type);
    }
  }
  types.append(source.getDims().size(), i32Type);
  if (isPersistent())
    types.append({global, global, i32Type, i32Type, i32Type});

  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types);
  target = builder.create<LLVM::LLVMFuncOp>(source.getLoc(), source.getSymName(), type);
  Type mapStorage = LLVM::LLVMArrayType::get(builder.getI8Type(), 128);
  for (unsigned index = 0; index < tensorMaps.size(); ++index) {
    target.setArgAttr(index, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(mapStorage));
    target.setArgAttr(index, LLVM::LLVMDialect::getAlignAttrName(), builder.getI64IntegerAttr(64));
    target.setArgAttr(index, NVVM::NVVMDialect::getGridConstantAttrName(), builder.getUnitAttr());
  }
  int64_t total =
      machine.producerThreads * producerRegisters + warp::kWarpgroupThreads * consumerWarpgroups * consumerRegisters;
  int64_t blocks = blocksPerMultiprocessor = machine.blocksByRegisters(consumerWarpgroups, total);
  entryRegisters =
      std::min(machine.entryRegisters(consumerWarpgroups, blocks), std::max(producerRegisters, consumerRegisters));
  target->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  target->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                  builder.getDenseI32ArrayAttr({static_cast<int32_t>(machine.threads(consumerWarpgroups))}));
  target->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), builder.getI32IntegerAttr(blocks));
  target->setAttr(NVVM::NVVMDialect::getMaxnregAttrName(), builder.getI32IntegerAttr(entryRegisters));
}

void KernelLowering::mapParameters(Block &entry) {
  unsigned next = 0;
  for (size_t index = 0; index < tensorMaps.size(); ++index)
    tensorMapPointers.push_back(entry.getArgument(next++));
  for (auto [index, argument] : llvm::enumerate(source.getBody().getArguments())) {
    ArgumentValues &storage = arguments[index];
    if (auto view = dyn_cast<tile::ViewType>(argument.getType())) {
      storage.view.pointer = entry.getArgument(next++);
      for (int64_t axis = 0; axis + 1 < view.getRank(); ++axis)
        storage.view.strides.push_back(entry.getArgument(next++));
    } else if (isa<tile::BlocksType>(argument.getType())) {
      for (Value *field : {&storage.blocks.indptr, &storage.blocks.split, &storage.blocks.indices,
                           &storage.blocks.batchStride, &storage.blocks.headStride, &storage.blocks.rowBlocks})
        *field = entry.getArgument(next++);
    } else {
      values[argument] = {entry.getArgument(next++)};
    }
  }
  for (Attribute dim : source.getDims())
    dims[cast<StringAttr>(dim).getValue()] = entry.getArgument(next++);
  if (isPersistent())
    for (Value *field : {&tiles.queue, &tiles.order, &tiles.width, &tiles.height, &tiles.count})
      *field = entry.getArgument(next++);
}

void KernelLowering::emitThreadIds() {
  Location loc = source.getLoc();
  auto module = source->getParentOfType<ModuleOp>();
  constexpr StringLiteral kShared = "lacuna_shared_memory";
  auto shared = module.lookupSymbol<LLVM::GlobalOp>(kShared);
  if (!shared) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    shared = builder.create<LLVM::GlobalOp>(loc, LLVM::LLVMArrayType::get(builder.getI8Type(), 0), /*isConstant=*/false,
                                            LLVM::Linkage::External, kShared, Attribute(), /*alignment=*/1024,
                                            /*addrSpace=*/3);
  }
  Value base = builder.create<LLVM::AddressOfOp>(loc, shared);
  sharedBase = builder.create<LLVM::PtrToIntOp>(loc, builder.getI32Type(), base);
  threadId = builder.create<NVVM::ThreadIdXOp>(loc, builder.getI32Type());
  auto bits = [&](Value value, int64_t shift, int64_t mask) -> Value {
    if (shift)
      value = builder.create<arith::ShRUIOp>(loc, value, i32(loc, shift));
    return mask ? builder.create<arith::AndIOp>(loc, value, i32(loc, mask)).getResult() : value;
  };
  warpgroup = ptx.broadcastLane0(loc, bits(threadId, 7, 0));
  warpInGroup = bits(threadId, 5, 3);
  lane = bits(threadId, 0, 31);
  consumer = add(loc, warpgroup, producerGroup() == 0 ? -1 : 0);
}

void KernelLowering::emitBarrierInit() {
  Location loc = source.getLoc();
  Value first = compare(loc, arith::CmpIPredicate::eq, threadId, i32(loc, 0));
  auto init = builder.create<scf::IfOp>(loc, first, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(init.thenBlock());
    for (auto &[value, ring] : rings)
      for (int64_t slot = 0; slot < ring.type.getDepth(); ++slot) {
        // One thread announces what the copy engine brings, or each thread arrives when its own copies have landed.
        ptx.initBarrier(loc, add(loc, sharedBase, ring.fullBarriers + 8 * slot),
                        machine.copyEngine ? 1 : machine.producerThreads);
        // One lane of every consumer warp releases.
        ptx.initBarrier(loc, add(loc, sharedBase, ring.emptyBarriers + 8 * slot), 4 * consumerWarpgroups);
      }
    if (isPersistent())
      initMailbox(loc);
    if (machine.copyEngine)
      ptx.fenceBarrierInit(loc);
  }
  ptx.blockBarrier(loc);
}

NamedAttrList KernelLowering::launchAttributes() {
  NamedAttrList attributes;
  attributes.set("threads", builder.getI64IntegerAttr(machine.threads(consumerWarpgroups)));
  attributes.set("shared_bytes", builder.getI64IntegerAttr(sharedBytes));
  SmallVector<Attribute> maps, alignments;
  for (const TensorMap &map : tensorMaps)
    maps.push_back(builder.getI64ArrayAttr({map.argument, map.rowAxis, map.boxRows, map.outerRows}));
  for (auto [index, argument] : llvm::enumerate(arguments))
    if (argument.alignment)
      alignments.push_back(builder.getI64ArrayAttr({static_cast<int64_t>(index), argument.alignment}));
  if (isPersistent())
    attributes.set("persistent_blocks", builder.getI64IntegerAttr(std::min(blocksPerMultiprocessor,
                                                                           machine.blocksBySharedMemory(sharedBytes))));
  attributes.set("tensor_maps", builder.getArrayAttr(maps));
  attributes.set("alignments", builder.getArrayAttr(alignments));
  return attributes;
}

LogicalResult KernelLowering::run() {
  source.walk([&](warp::RoleOp role) {
    if (role.getKind() == warp::RoleKind::Consumer)
      consumerWarpgroups = role.getWarpgroups(), consumerRegisters = role.getRegisters();
    else
      producerRegisters = role.getRegisters();
  });
  for (auto forTiles : source.getOps<warp::ForTilesOp>()) {
    persistent = true;
    planMailbox(forTiles);
  }
  planSharedMemory();
  if (sharedBytes > machine.sharedMemoryLimit)
    return source.emitOpError() << "needs " << sharedBytes
                                << " bytes of shared memory with its barriers and its mailbox, "
                                << "a thread block has " << machine.sharedMemoryLimit
                                << "; use fewer stages or smaller tiles";
  collectTensorMaps();
  createFunction();
  Block *entry = target.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  mapParameters(*entry);
  emitThreadIds();
  emitBarrierInit();
  if (failed(lowerBlock(source.getBody().front())))
    return failure();
  builder.create<LLVM::ReturnOp>(source.getLoc(), ValueRange());
  target->setAttr(kLaunchAttr, launchAttributes().getDictionary(builder.getContext()));
  source.erase();
  return success();
}

} // namespace lacuna
