// lower-warp for one kernel. A value of the warp kernel becomes a list of this thread's scalars: one for a scalar, one
// a register for a tile (in the order of its layout, Layouts.h), none for what only the lowering knows (rings, slots,
// lists, groups), which is kept in tables beside.
#pragma once

#include "BandRuns.h"
#include "Ptx.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace lacuna {

using Registers = llvm::SmallVector<mlir::Value>;

class KernelLowering {
public:
  explicit KernelLowering(warp::FuncOp source)
      : source(source), machine(warp::machineOf(source)), builder(source), ptx(builder, machine.copyEngine),
        arguments(source.getNumArguments()) {}
  mlir::LogicalResult run();

private:
  //===- KernelLowering.cpp: the function, its parameters, shared memory, roles ---------------------------------===//
  struct View {
    mlir::Value pointer;
    llvm::SmallVector<mlir::Value> strides; // i64, one an axis; the innermost is absent (1)
  };
  struct Blocks {
    mlir::Value indptr, split, indices, batchStride, headStride, rowBlocks;
  };
  struct Ring {
    warp::RingType type;
    int64_t offset, fullBarriers, emptyBarriers; // bytes from the start of shared memory
  };
  struct SharedTile {
    warp::SmemType type;
    int64_t offset; // bytes from the start of shared memory
  };
  struct TensorMap {
    unsigned argument;
    int64_t rowAxis, boxRows;
    int64_t outerRows = 1; // along the axis before rowAxis
    bool operator==(const TensorMap &) const = default;
  };

  void planSharedMemory();
  void collectTensorMaps();
  static TensorMap tensorMapOf(warp::TmaLoadOp load);
  static TensorMap tensorMapOf(warp::TmaStoreOp store);
  mlir::Value mapPointer(const TensorMap &map);
  void createFunction();
  void mapParameters(mlir::Block &entry);
  /// The producer's number among the block's warpgroups. Whole ones come first: a producer of one warp is the last.
  int64_t producerGroup() const { return machine.producerThreads == warp::kWarpgroupThreads ? 0 : consumerWarpgroups; }
  void emitThreadIds();
  void emitBarrierInit();
  mlir::NamedAttrList launchAttributes();

  //===- LowerControl.cpp: blocks, loops, conditions, lists ------------------------------------------------------===//
  /// Entries [first, split) are partial, [split, end) full. Their blocks lie in memory at `indices` (which is then
  /// given), or follow from `runs`.
  struct List {
    warp::ListType type;
    mlir::Value indices, first, split, end, partialSteps, masked, count, limit;
    bool nonempty = false; // an empty row, which there may be, has a step of padding
    llvm::SmallVector<EntryRun> runs;
  };
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lowerOp(mlir::Operation *op);
  /// Deals `registers` to the values that they make up.
  void assign(mlir::ValueRange originals, mlir::ValueRange registers);
  mlir::LogicalResult lowerFor(mlir::scf::ForOp loop);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  void lowerListOpen(warp::ListOpenOp op);
  void lowerListBands(warp::ListBandsOp op);
  void countSteps(mlir::Location loc, List &list);
  mlir::Value blockAt(mlir::Location loc, const List &list, mlir::Value entry);
  void lowerListPadded(warp::ListPaddedOp op);
  void lowerListStep(warp::ListStepOp op);
  mlir::Value isPadded(mlir::Location loc, const List &list);
  mlir::Value paddingStart(mlir::Location loc, const List &list);
  mlir::Value blockStart(mlir::Location loc, const List &list, mlir::Value entry);
  mlir::Value exceedingSteps(mlir::Location loc, const List &list, mlir::Value fullBlocks);
  mlir::Value stepInRow(mlir::Location loc, const List &list, mlir::Value number);

  //===- LowerTiles.cpp: roles, persistent kernels, turns ---------------------------------------------------------===//
  static constexpr int32_t kNoProgram = -1;
  static constexpr int64_t kMailboxFull = 0, kMailboxEmpty = 8, kMailboxData = 16;
  bool isPersistent() const { return persistent; }
  mlir::LogicalResult lowerRoles(warp::RolesOp roles, warp::ForTilesOp around);
  mlir::LogicalResult lowerScheduler(warp::ForTilesOp op);
  mlir::LogicalResult lowerTileLoop(warp::ForTilesOp op, warp::RoleOp role);
  mlir::FailureOr<Registers> lowerKept(mlir::Block &block);
  void planMailbox(warp::ForTilesOp op);
  static int64_t mostFieldsOf(mlir::Value list);
  static llvm::SmallVector<mlir::Value *> fieldsOf(List &list);
  void initMailbox(mlir::Location loc);
  mlir::Value isGiven(mlir::Location loc, mlir::Value pointer);
  mlir::Value isProgram(mlir::Location loc, mlir::Value program);
  mlir::Value programAt(mlir::Location loc, mlir::Value position);
  mlir::Value takePosition(mlir::Location loc, mlir::Value round);
  mlir::Value parityOf(mlir::Location loc, mlir::Value round);
  void postProgram(mlir::Location loc, mlir::Value program, bool isLast);
  mlir::Value readsMailbox(mlir::Location loc);
  mlir::Value readMailbox(mlir::Location loc, int64_t word);
  void receivePreamble(mlir::Location loc);
  void returnMailbox(mlir::Location loc, mlir::Value predicate);
  mlir::Value isLateStep(mlir::scf::ForOp loop);
  void leaveQueue(mlir::Location loc);
  void lowerFirstTurn(mlir::Location loc);
  void lowerTurnWait(mlir::Location loc);
  void lowerTurnPass(mlir::Location loc);

  //===- LowerRings.cpp: rings, copies, products ------------------------------------------------------------------===//
  struct Slot {
    warp::SlotType type;
    mlir::Value address, full, empty; // i32 shared addresses
  };
  void lowerAcquire(warp::RingAcquireOp op);
  void lowerFill(warp::RingFillOp op);
  void lowerTmaLoad(warp::TmaLoadOp load, const Slot &slot);
  void lowerWait(warp::RingWaitOp op);
  void lowerRelease(warp::RingReleaseOp op);
  Slot makeSlot(mlir::Location loc, mlir::Value ring, mlir::Value n, mlir::Value &parity);
  mlir::Value descriptor(mlir::Location loc, mlir::Value address, const warp::OperandLayout &layout);
  void lowerWgmma(mlir::Operation *op, mlir::Value a, bool aInShared, bool transA, mlir::Value b, bool transB,
                  mlir::Value acc);
  mlir::LogicalResult lowerWgmmaWait(warp::WgmmaWaitOp op);
  void lowerPack(warp::PackAFragOp op);

  //===- LowerAsyncLoad.cpp: copies by the producer's threads -----------------------------------------------------===//
  struct AsyncSource; // LowerAsyncLoad.cpp
  void planBoxes(warp::AsyncLoadOp load, mlir::Value start, mlir::Value limit, AsyncSource &source);
  AsyncSource planAsyncLoad(warp::AsyncLoadOp load);
  void copyRow(warp::AsyncLoadOp load, const AsyncSource &source, mlir::Value row, mlir::Value at, int64_t offset,
               int64_t chunkBytes);
  void lowerAsyncLoad(warp::AsyncLoadOp load, const Slot &slot);
  void finishCopies(warp::RoleOp role);

  //===- LowerMma.cpp: products that warps compute ----------------------------------------------------------------===//
  struct FragmentReader; // LowerMma.cpp
  FragmentReader makeReader(mlir::Location loc, mlir::Value tile, warp::FragmentLoad layout);
  FragmentReader makeOwnReader(mlir::Location loc, const Slot &slot, bool kMajor);
  Registers readFragment(mlir::Location loc, const FragmentReader &reader, int64_t block, int64_t step);
  void lowerMma(warp::MmaSyncOp op);

  //===- LowerSharedTiles.cpp: shared tiles that consumers write --------------------------------------------------===//
  Registers packWords(mlir::Location loc, llvm::ArrayRef<mlir::Value> elements);
  void lowerStoreShared(warp::StoreSharedOp op);
  void lowerTmaStore(warp::TmaStoreOp op);
  void lowerWarpgroupSync(mlir::Location loc);
  void finishStores(warp::RoleOp role);

  //===- LowerRegisters.cpp: tiles in registers -------------------------------------------------------------------===//
  static int64_t registerCount(mlir::Type type);
  mlir::LogicalResult lowerElementwise(mlir::Operation *op);
  void lowerConstant(mlir::arith::ConstantOp op);
  void lowerTruncation(mlir::arith::TruncFOp op);
  void lowerBroadcast(warp::BroadcastOp op);
  void lowerScaleRows(warp::ScaleRowsOp op);
  void lowerRowReduce(warp::RowReduceOp op);
  void lowerQuadReduce(warp::QuadReduceOp op);
  void lowerBlockReduce(warp::BlockReduceOp op);
  void lowerIota(warp::IotaOp op);
  void lowerPositions(warp::PositionsOp op);
  mlir::Value combine(mlir::Location loc, tile::ReduceKind kind, mlir::Value a, mlir::Value b);
  mlir::Value rowInTile(mlir::Location loc);
  mlir::Value columnInTile(mlir::Location loc);

  //===- LowerGlobal.cpp: views in global memory ------------------------------------------------------------------===//
  struct Access; // LowerGlobal.cpp
  Access makeAccess(mlir::Location loc, mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> sizes,
                    mlir::Type value);
  Registers rowPositions(mlir::Location loc, const Access &access, mlir::Value row);
  mlir::Value isRowInside(mlir::Location loc, const Access &access, mlir::Value row);
  mlir::Value elementPointer(mlir::Location loc, const Access &access, mlir::Value row, mlir::Value column);
  void lowerLoad(warp::LoadGlobalOp op);
  void lowerStore(warp::StoreGlobalOp op);
  void storeAccRow(mlir::Location loc, const Access &access, const Registers &values, int64_t half, int64_t columns);
  bool storesWide(const Access &access);
  Registers gatherRow(mlir::Location loc, const Registers &registers, int64_t half);
  void storeWideRow(mlir::Location loc, const Access &access, const Registers &words, int64_t half, int64_t columns);
  void storeWhere(mlir::Location loc, mlir::Value predicate, mlir::Value value, mlir::Value pointer);
  static bool matchConstantZero(mlir::Value value);

  //===- Small helpers --------------------------------------------------------------------------------------------===//
  mlir::Value i32(mlir::Location loc, int64_t value);
  mlir::Value i64(mlir::Location loc, mlir::Value value);
  mlir::Value add(mlir::Location loc, mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Location loc, mlir::Value a, int64_t b);
  mlir::Value mul(mlir::Location loc, mlir::Value a, int64_t b);
  mlir::Value compare(mlir::Location loc, mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value scalar(mlir::Value value) { return values[value].front(); }
  mlir::Value loadInt(mlir::Location loc, mlir::Value pointer, mlir::Value index);

  warp::FuncOp source;
  const warp::Machine &machine;
  mlir::OpBuilder builder;
  ptx::Emitter ptx;
  mlir::LLVM::LLVMFuncOp target;

  llvm::DenseMap<mlir::Value, Registers> values;
  llvm::DenseMap<mlir::Value, List> lists;
  llvm::DenseMap<mlir::Value, Slot> slots;
  llvm::MapVector<mlir::Value, Ring> rings;
  llvm::DenseMap<mlir::Value, SharedTile> sharedTiles;
  llvm::SmallVector<TensorMap> tensorMaps;
  llvm::SmallVector<mlir::Value> tensorMapPointers;

  struct ArgumentValues {
    View view;
    Blocks blocks;
    int64_t alignment = 0; // bytes that the generated accesses need; 0: the element's
  };
  llvm::SmallVector<ArgumentValues> arguments;
  llvm::StringMap<mlir::Value> dims;
  struct Tiles {
    mlir::Value queue, order; // pointers, may be null
    mlir::Value width, height, count;
  };
  Tiles tiles; // of a persistent kernel
  llvm::SetVector<mlir::Value> postedScalars, postedLists;

  int64_t consumerWarpgroups = 0, producerRegisters = 0, consumerRegisters = 0, entryRegisters = 0;
  int64_t mailbox = 0, mailboxWords = 0, reduceScratch = 0, sharedBytes = 0, blocksPerMultiprocessor = 1;
  bool persistent = false, inProducer = false;
  mlir::scf::ForOp mailboxLoop; // of the producer: the loop in which it hands the mailbox back
  mlir::Value sharedBase, threadId, warpgroup, lane, warpInGroup, consumer; // consumer: this warpgroup's number as one
};

} // namespace lacuna
