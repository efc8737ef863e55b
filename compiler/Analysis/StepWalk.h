// One warpgroup through one step of a loop, in program order: what it makes each unit do, and when it gets through if
// it is alone. Products run beside what follows them until they are waited for.
#pragma once

#include "InstructionCount.h"
#include "Rates.h"
#include "lacuna/Compiler/Analysis/KernelReport.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

namespace lacuna {

class StepWalk {
public:
  /// Walks the body of `loop`, an innermost loop of the consumers.
  explicit StepWalk(mlir::scf::ForOp loop);

  // Of one warpgroup. Cycles are those of a multiprocessor.
  double tensor = 0;          // cycles
  int64_t operandBytes = 0;   // that products read from shared memory
  InstructionCount registers; // instructions of a thread
  int64_t copiedBytes = 0;    // that the step's slots are filled with: of the whole thread block
  double now = 0;             // cycles since the step began
  llvm::SmallVector<ProductUse> products;
  bool overlap = false, turns = false;

private:
  void walk(mlir::Block &block);
  void walkIf(mlir::scf::IfOp op);
  void issueProduct(mlir::Operation *product);
  void computeProduct(warp::MmaSyncOp product);
  void waitFor(warp::WgmmaWaitOp wait);
  void count(InstructionCount instructions);
  /// Lets the instructions since the last wait take their time.
  void settle();
  bool isInvariant(mlir::Operation *op);

  mlir::scf::ForOp loop;
  const Rates *rates;
  InstructionCount segment;                                 // since the last wait
  double tensorFree = 0;                                    // when the tensor cores are done with all that is issued
  llvm::SmallVector<std::pair<mlir::Value, double>> groups; // committed, not waited for: when they end
};

} // namespace lacuna
