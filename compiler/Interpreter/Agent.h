// One agent of a thread block: the producer (a single thread) or a consumer warpgroup (128 threads in lockstep). It
// executes its role op by op; an op that must wait leaves the agent where it is until a later step.
//
// A new op is a case of Agent::execute or executeShared. One that writes shared memory by threads goes through
// SharedMemory::write; one that reads it asynchronously (a product, a TMA store) asks SharedMemory::checkAsyncRead
// first, and is kept until it has read.
#pragma once

#include "Products.h"
#include "ThreadBlock.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <deque>
#include <variant>

namespace lacuna::interpreter {

/// A slot of a ring, as warp.ring_acquire or warp.ring_wait handed it out.
struct SlotValue {
  size_t ring;
  int64_t fill;
  bool operator==(const SlotValue &) const = default;
};
/// An accumulator that a product is writing. `handedOn`: a later product or a wait has taken it.
struct InflightValue {
  mlir::Operation *issued = nullptr;
  int64_t group = -1; // not committed
  bool retired = false, handedOn = false;
  TilePtr value;
};
struct GroupValue {
  int64_t number;
  bool operator==(const GroupValue &) const = default;
};
using Datum = std::variant<std::monostate, TilePtr, SlotValue, std::shared_ptr<InflightValue>, GroupValue,
                           std::shared_ptr<const ListRow>>;

class Agent {
public:
  /// `number`: 0 the producer, w + 1 consumer warpgroup w. Every agent runs the preamble, then its role.
  Agent(ThreadBlock &block, int64_t number, InterpreterReport &report);

  enum class Status {
    Ran,
    Stayed, ///< something was done, and the op is not at its end
    Blocked,
    Done
  };
  /// Executes one op, or finds that it cannot yet. Errors: about the op that it stands at, see explain.
  Expected<Status> step();
  /// Runs the oldest product that has not run; false where there is none.
  bool runOldestProduct();
  /// Lets the oldest copy to global memory that has not read its shared tile do so; false where there is none.
  bool runOldestStore();
  /// What the agent was doing when it was found blocked, for the note of a deadlock.
  std::string describeWait() const;
  /// "consumer warpgroup 1"
  std::string name() const;
  /// `fault`, with the op that the agent stands at.
  Error explain(Error fault) const;

private:
  /// A block being executed. Of a loop: its counter.
  struct Frame {
    mlir::Block *block;
    mlir::Block::iterator next;
    mlir::Operation *parent; // scf.for, scf.if, warp.roles, warp.for_tiles, or null at the bottom
    int64_t counter = 0, end = 0, step = 1;
  };
  /// A product issued and not waited for.
  struct Pending {
    std::shared_ptr<InflightValue> result;
    std::shared_ptr<InflightValue> chained; // the accumulator, where it is in flight itself
    TilePtr acc, aFragment;
    std::optional<SlotValue> a;
    mlir::Operation *tile = nullptr; // a shared tile that is its A operand
    SlotValue b;
    Product product;
  };

  /// A copy from a shared tile to a view, until all threads know that it has read the tile.
  struct Leaving {
    mlir::Operation *tile;
    std::vector<Box> boxes;
    bool done = false;
    std::optional<int64_t> waited; // when its thread had waited, in this agent's time
  };

  //===- Agent.cpp: control flow
  //-----------------------------------------------------------------------------------===//
  Expected<Status> execute(mlir::Operation *op);
  Expected<Status> executeShared(mlir::Operation *op);
  Expected<void> enterRole(warp::RolesOp roles);
  warp::RoleOp ownRole(warp::RolesOp roles) const;
  Expected<void> enterFor(mlir::scf::ForOp loop);
  Expected<void> enterIf(mlir::scf::IfOp op);
  Expected<void> leaveBlock(mlir::Operation *terminator);
  Expected<void> checkFragmentsKept(mlir::ValueRange targets, llvm::ArrayRef<Datum> sources) const;
  Expected<void> executeElementwise(mlir::Operation *op);

  //===- AgentTiles.cpp: the programs of a persistent kernel, turns
  //------------------------------------------------===//
  Expected<void> enterTiles(warp::ForTilesOp op);
  Expected<Status> nextTile(warp::NextTileOp op);
  /// Hands what the role keeps to its next program and to what follows the last.
  Expected<void> keep(warp::RoleYieldOp op);
  /// Starts program `program` with these carried values, or ends the loop.
  Expected<void> startProgram(int64_t program, llvm::ArrayRef<Datum> carried);
  /// The last warpgroup gives the first one its first turn, where the role takes turns.
  Expected<void> passFirstTurn(warp::RoleOp role);

  //===- AgentSync.cpp: lists, rings, barriers, turns
  //--------------------------------------------------------------===//
  Expected<std::vector<int32_t>> scalars(mlir::ValueRange operands) const;
  Expected<void> openList(warp::ListOpenOp op);
  Expected<void> openBands(warp::ListBandsOp op);
  Expected<void> readStep(warp::ListStepOp op);
  Expected<Status> acquire(warp::RingAcquireOp op);
  Expected<void> fill(warp::RingFillOp op);
  Expected<Status> waitForFill(warp::RingWaitOp op);
  Expected<void> release(warp::RingReleaseOp op);
  Expected<Status> syncNamed(int64_t id, int64_t threads);
  Expected<void> arriveNamed(int64_t id, int64_t threads, bool waits = false);
  Expected<int64_t> fillNumber(mlir::Value n) const;

  //===- AgentSharedTiles.cpp: shared tiles that this warpgroup writes
  //-----------------------------------------------------------------------------------===//
  Expected<void> storeShared(warp::StoreSharedOp op);
  Expected<void> tmaStore(warp::TmaStoreOp op);
  void waitForStores();
  /// Its own rows of a shared tile as the A operand of a product.
  Expected<SharedOperand> writtenOperand(mlir::Value tile, bool kMajor) const;
  /// The thread that issues copies: it knows what the other threads did up to the last barrier of all.
  Observer issuingThread() const;

  //===- AgentProducts.cpp: products and their groups
  //--------------------------------------------------------------===//
  Expected<void> issueProduct(mlir::Operation *op, mlir::Value a, bool transA, mlir::Value b, bool transB,
                              mlir::Value acc);
  Expected<SharedOperand> sharedOperand(mlir::Value slot, bool kMajor, bool ownRows) const;
  /// A product that is there when the op has run.
  Expected<void> multiply(warp::MmaSyncOp op);
  void commit(warp::WgmmaCommitOp op);
  Expected<void> waitForGroup(warp::WgmmaWaitOp op);
  Expected<void> pack(warp::PackAFragOp op);
  void run(Pending &pending);

  //===- AgentRegisters.cpp: tiles in registers, global memory
  //-----------------------------------------------------===//
  Expected<void> broadcast(warp::BroadcastOp op);
  Expected<void> scaleRows(warp::ScaleRowsOp op);
  Expected<void> rowReduce(warp::RowReduceOp op);
  Expected<void> quadReduce(warp::QuadReduceOp op);
  Expected<Status> blockReduce(warp::BlockReduceOp op);
  Expected<void> iota(warp::IotaOp op);
  Expected<void> positions(warp::PositionsOp op);
  struct Access; // AgentRegisters.cpp
  Expected<Access> makeAccess(mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> sizes,
                              mlir::Type value) const;
  Expected<void> loadGlobal(warp::LoadGlobalOp op);
  Expected<void> storeGlobal(warp::StoreGlobalOp op);

  //===- Values
  //----------------------------------------------------------------------------------------------------===//
  Expected<TilePtr> tile(mlir::Value value) const;
  Expected<int32_t> scalar(mlir::Value value) const;
  Expected<SlotValue> slot(mlir::Value value) const;
  Expected<std::shared_ptr<const ListRow>> list(mlir::Value value) const;
  Expected<Datum> lookup(mlir::Value value) const;
  void set(mlir::Value value, Tile tile) { values[value] = std::make_shared<const Tile>(std::move(tile)); }

  int64_t warpgroup() const { return self.agent - 1; }
  bool isProducer() const { return self.agent == 0; }

  ThreadBlock &block;
  Observer self;
  llvm::DenseMap<mlir::Value, Datum> values;
  InterpreterReport &report;
  std::vector<Frame> frames;
  mlir::Operation *current = nullptr;
  std::deque<Pending> pending;
  std::deque<Leaving> leaving;
  int64_t sharedTime = 0; // this agent's time at the last barrier that all its threads passed
  int64_t nextGroup = 0;
  std::optional<int64_t> awaitedGeneration; // at a named barrier where it has arrived
  int64_t reduceStage = 0;
  int64_t program = 0, round = 0; // of a persistent kernel; round: how many programs it has ended
  float reduced = 0;
  std::string waitsFor;
};

} // namespace lacuna::interpreter
