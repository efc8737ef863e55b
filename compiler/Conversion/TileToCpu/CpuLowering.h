//===- CpuLowering.h - One tile.func to one host function -------*- C++ -*-===//
//
// Turns a kernel into one `llvm.func @symbol(params, x, y, z)`. Its body is scf loops over arith, math and vector
// values, with tiles in a scratch area whose layout is fixed here, while the code is made: every tile has static
// extents, so each buffer is a constant offset, and there is nothing to allocate, to free or to describe at run time.
// That is why this does not go through linalg and bufferization: the same loops come out, without their allocations and
// copies, and in a tenth of the compile time.
//
//   entry:   parameters, program ids, dimensions; scratch = lacuna_cpu_scratch(bytes)
//   body:    an operation after the other, each tile as Placement says: deferred, or by a loop nest into its buffer
//
// Source files: CpuLowering (entry, dispatch), LowerNest (elementwise and reductions), LowerMemory (views), LowerDot,
// LowerControl (loops, conditions), LowerBlocks (the sparse loop).
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_CONVERSION_TILETOCPU_CPULOWERING_H
#define LACUNA_CONVERSION_TILETOCPU_CPULOWERING_H

#include "Elements.h"
#include "Placement.h"
#include "ScratchPlan.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>

namespace lacuna::cpu {

/// The scratch function that generated code calls: `ptr lacuna_cpu_scratch(i64 bytes)`, 64-byte aligned memory of the
/// calling thread, valid until its next call.
inline constexpr llvm::StringLiteral kScratchSymbol = "lacuna_cpu_scratch";

/// How the dot kernel blocks its operands: `rows` x `columns` of the result stay in registers.
struct DotBlocking {
  int64_t rows, columns;
};

/// A tile in the scratch area: row-major, or, with `panelWidth` > 0, as the B operand of a dot: panels of that many
/// columns, each panel row by row.
struct Buffer {
  int64_t offset = 0;
  FlatShape shape;
  mlir::Type element; ///< in register form
  int64_t panelWidth = 0;
};

/// A view parameter: its pointer, and its strides in elements but for the innermost, which is 1.
struct ViewValue {
  mlir::Value pointer;
  llvm::SmallVector<mlir::Value> strides;
};

/// A block list parameter.
struct BlocksValue {
  mlir::Value indptr, split, indices, batchStride, headStride, rowBlocks;
};

/// The positions of one step: all of them in a buffer; where they are one run, also the last; the step's flag.
struct PositionsValue {
  Buffer buffer;
  mlir::Value last, isPartial;
};

class CellEvaluator;

class CpuLowering {
public:
  /// `wide`: vectors of 16 float32 are one register, and there are 32 of them.
  CpuLowering(tile::FuncOp func, bool wide);

  /// Makes the host function in front of the kernel. Every operation must be supported (checkSupported).
  mlir::LogicalResult run();

private:
  friend class CellEvaluator;
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>;

  // Entry and dispatch.
  void unpackParameters(mlir::Value parameters);
  mlir::Value readParameter(mlir::Value parameters, mlir::Type type);
  void lowerBlock(mlir::Block &block);
  void lowerOp(mlir::Operation *op);
  mlir::Value scalar(mlir::Value value) { return scalars.lookup(value); }

  // Small pieces of code.
  mlir::Value i64(int64_t value);
  mlir::Value i32(int32_t value);
  mlir::Value toI64(mlir::Value value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value element(mlir::Value pointer, mlir::Type type, mlir::Value index);
  /// for (i = 0; i < count; i += step), carrying `inits`; a single iteration is no loop.
  llvm::SmallVector<mlir::Value> repeat(int64_t count, int64_t step, mlir::ValueRange inits, LoopBody body);
  void repeat(int64_t count, int64_t step, llvm::function_ref<void(mlir::Value)> body);

  // Scratch memory.
  Buffer allocate(FlatShape shape, mlir::Type element, int64_t panelWidth = 0);
  Buffer allocateFor(mlir::Value tile);
  void release(const Buffer &buffer);
  void releaseAfter(mlir::Operation *op);
  void copy(const Buffer &source, const Buffer &target);
  /// Where element (row, column) of a buffer lies; of a panel, the k-th row of the column's panel.
  mlir::Value address(const Buffer &buffer, mlir::Value row, mlir::Value column);
  mlir::Value load(const Buffer &buffer, mlir::Value row, mlir::Value column, int64_t width);
  void store(const Buffer &buffer, mlir::Value value, mlir::Value row, mlir::Value column, int64_t width);

  // Loop nests.
  /// What a loop nest over the elements of a tile does with each: store `tile` to `target`, or reduce it.
  struct NestOutput {
    mlir::Value tile;
    std::optional<Buffer> target;
    tile::ReduceOp reduction;
  };
  void emitNest(FlatShape shape, llvm::ArrayRef<NestOutput> outputs);
  void computeInto(mlir::Value tile, const Buffer &target);
  void lowerElementwise(mlir::Operation *op);
  void lowerReduce(tile::ReduceOp reduce);
  void lowerTranspose(tile::TransposeOp transpose);
  /// Stores the transpose of a 16 x 16 block that lies at (row, column).
  void storeTransposed(llvm::SmallVector<mlir::Value> block, const Buffer &target, mlir::Value row, mlir::Value column);
  using RowReader = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value row, mlir::Value column)>;
  /// Writes the transpose of `shape` to `target`; `read` gives a 16 x 16 block as 16 rows.
  void emitTransposed(FlatShape shape, const Buffer &target, RowReader read);
  /// The buffer of `tile`; a deferred one is computed into a temporary, appended to `temporaries`.
  Buffer bufferOf(mlir::Value tile, llvm::SmallVectorImpl<Buffer> &temporaries);

  // Views.
  struct Axis;
  struct TileAccess;
  TileAccess prepareAccess(mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> sizes, mlir::Type value);
  mlir::Value positionOn(const Axis &axis, mlir::Value index);
  mlir::Value isWithin(const Axis &axis, mlir::Value position);
  mlir::Value moveAlong(const Axis &axis, mlir::Value position, mlir::Type elementType, mlir::Value pointer,
                        mlir::Value &valid);
  struct RowAccess;
  RowAccess rowOf(const TileAccess &access, mlir::Value row);
  mlir::Value maskOf(const TileAccess &access, const RowAccess &row, mlir::Value column);
  /// The place of one element, and whether it is within the view.
  std::pair<mlir::Value, mlir::Value> elementOf(const TileAccess &access, mlir::Value row, mlir::Value column);
  /// Makes `body(false)` for full vectors of a row and `body(true)` for masked ones, and the choice between them.
  void chooseMasking(mlir::Value unmasked, llvm::function_ref<void(bool masked)> body);
  void lowerLoad(tile::LoadOp load);
  void loadRows(const TileAccess &access, const Buffer &target);
  void loadTransposed(const TileAccess &access, const Buffer &target);
  void loadElementwise(const TileAccess &access, const Buffer &target);
  void lowerStore(tile::StoreOp store);
  mlir::Value extentOf(tile::ViewType view, int64_t axis);

  // Dots.
  DotBlocking blockingOf(int64_t rows, int64_t columns) const;
  void lowerDot(tile::DotOp dot);
  struct DotOperand {
    Buffer buffer;
    int64_t rowStride, columnStride;
  };
  DotOperand dotOperandA(mlir::Value a, llvm::SmallVectorImpl<Buffer> &temporaries);
  Buffer dotOperandB(mlir::Value b, DotBlocking blocking, llvm::SmallVectorImpl<Buffer> &temporaries);
  void emitDot(tile::DotOp dot, const DotOperand &a, const Buffer &b, const Buffer &result, DotBlocking blocking);
  void emitDotColumn(tile::DotOp dot, const DotOperand &a, const Buffer &b, const Buffer &result);

  // Control.
  void lowerFor(mlir::scf::ForOp loop);
  void lowerIf(mlir::scf::IfOp conditional);
  void lowerForBlocks(tile::ForBlocksOp loop);
  PositionsValue emitPositions(tile::ForBlocksOp loop, mlir::Value step, const struct ListRow &row);
  /// Makes homes for the tiles that a loop carries and fills them with the initial values.
  void enterLoop(mlir::ValueRange inits, llvm::ArrayRef<mlir::BlockArgument> carried, mlir::ValueRange results);
  /// Brings the yielded tiles into the homes; returns the yielded scalars.
  llvm::SmallVector<mlir::Value> leaveIteration(llvm::ArrayRef<mlir::BlockArgument> carried, mlir::ValueRange yielded);
  /// A loop `for i = lower, lower + step, … < upper` over `body`, whose arguments are one that `enter` maps for each i,
  /// and the carried values. `leave` runs at the end of the body.
  void lowerLoop(
      mlir::Block &body, mlir::ValueRange inits, mlir::ValueRange results, mlir::Value lower, mlir::Value upper,
      mlir::Value step, llvm::function_ref<void(mlir::Value)> enter, llvm::function_ref<void()> leave = [] {});
  mlir::Value lowerExceeds(tile::ExceedsOp exceeds);

  tile::FuncOp func;
  bool wide;
  Placement placement;
  ScratchPlan scratchPlan;
  mlir::ImplicitLocOpBuilder b;
  mlir::Value scratch;
  int64_t parametersRead = 0;
  mlir::IRMapping scalars;
  mlir::SmallVector<mlir::Value> programIds;
  llvm::StringMap<mlir::Value> dims;
  llvm::DenseMap<mlir::Value, ViewValue> views;
  llvm::DenseMap<mlir::Value, BlocksValue> lists;
  llvm::DenseMap<mlir::Value, PositionsValue> positions;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
};

/// Refuses, at its place, what this lowering cannot do.
mlir::LogicalResult checkSupported(tile::FuncOp func);

} // namespace lacuna::cpu

#endif // LACUNA_CONVERSION_TILETOCPU_CPULOWERING_H
