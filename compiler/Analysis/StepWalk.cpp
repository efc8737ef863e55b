#include "StepWalk.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace lacuna {

StepWalk::StepWalk(scf::ForOp loop)
    : loop(loop), rates(&ratesOf(warp::machineOf(loop->getParentOfType<warp::FuncOp>()))) {
  walk(*loop.getBody());
  settle();
}

void StepWalk::count(InstructionCount instructions) {
  for (InstructionCount *sum : {&registers, &segment}) {
    sum->issued += instructions.issued;
    sum->special += instructions.special;
  }
}

/// The four warps of a warpgroup have a scheduler each: an instruction of all takes one cycle. Both kinds run side by
/// side.
void StepWalk::settle() {
  double special = static_cast<double>(segment.special * warp::kWarpgroupThreads) / rates->specialFunctions;
  now += std::max(static_cast<double>(segment.issued), special);
  segment = {};
}

/// Whether LLVM takes `op` out of the loop.
bool StepWalk::isInvariant(Operation *op) {
  return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return loop.isDefinedOutsideOfLoop(operand); });
}

void StepWalk::issueProduct(Operation *product) {
  settle();
  auto columns = cast<warp::InflightType>(product->getResult(0).getType()).getTensor().getDimSize(1);
  auto ss = dyn_cast<warp::WgmmaSsOp>(product);
  auto rs = dyn_cast<warp::WgmmaRsOp>(product);
  warp::SlotType b = (ss ? ss.getB() : rs.getB()).getType();
  int64_t terms = (ss ? ss.getTransB() : rs.getTransB()) ? b.getColumns() : b.getRows();
  int64_t steps = (terms + 15) / 16;
  double ops = static_cast<double>(steps) * 2 * warp::kWarpgroupRows * 16 * static_cast<double>(columns);
  int64_t bytes = steps * 16 * 2 * (columns + (ss ? warp::kWarpgroupRows : 0));
  tensor += ops / rates->tensorOps;
  operandBytes += bytes;
  products.push_back({columns, terms, /*aInRegisters=*/!ss});
  count({2 * steps, 0}); // each with a step of its descriptors
  double busy = std::max(ops / rates->tensorOps, static_cast<double>(bytes) / rates->sharedBytes);
  tensorFree = std::max(now, tensorFree) + busy;
}

/// Each of the four warps reads all of B, and works on nothing else of its own until the product is there.
void StepWalk::computeProduct(warp::MmaSyncOp product) {
  settle();
  constexpr int64_t kWarps = 4, kTileColumns = 8, kPairColumns = 16;
  auto columns = cast<RankedTensorType>(product.getResult().getType()).getDimSize(1);
  warp::SlotType b = product.getB().getType();
  int64_t terms = product.getTransB() ? b.getColumns() : b.getRows();
  int64_t steps = (terms + 15) / 16;
  bool aInShared = isa<warp::SlotType>(product.getA().getType());
  double ops = static_cast<double>(steps) * 2 * warp::kWarpgroupRows * 16 * static_cast<double>(columns);
  int64_t bytes = steps * 16 * 2 * (kWarps * columns + (aInShared ? warp::kWarpgroupRows : 0));
  tensor += ops / rates->tensorOps;
  operandBytes += bytes;
  products.push_back({columns, terms, /*aInRegisters=*/!aInShared});
  registers.issued += steps * (columns / kTileColumns + columns / kPairColumns + aInShared);
  now += std::max(ops / rates->tensorOps, static_cast<double>(bytes) / rates->sharedBytes);
}

void StepWalk::waitFor(warp::WgmmaWaitOp wait) {
  settle();
  while (!groups.empty()) {
    auto [group, end] = groups.front();
    groups.erase(groups.begin());
    now = std::max(now, end);
    if (group == wait.getGroup())
      break;
  }
  overlap |= !groups.empty();
}

/// Whether `value` asks if a step of a list needs masks.
static bool asksForMasks(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto step = dyn_cast_or_null<warp::ListStepOp>(op))
    return value == step.getPartial() || value == step.getExceeds();
  return op && llvm::any_of(op->getOperands(), asksForMasks);
}

/// Steps with masks are few; of other conditions the dearer side is taken.
void StepWalk::walkIf(scf::IfOp op) {
  StepWalk taken = *this, other = *this;
  taken.walk(*op.thenBlock());
  if (op.elseBlock())
    other.walk(*op.elseBlock());
  bool dearer = taken.registers.issued >= other.registers.issued;
  *this = dearer != asksForMasks(op.getCondition()) ? taken : other;
}

void StepWalk::walk(Block &block) {
  for (Operation &op : block) {
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      walkIf(branch);
    } else if (isa<warp::WgmmaSsOp, warp::WgmmaRsOp>(op)) {
      issueProduct(&op);
    } else if (auto product = dyn_cast<warp::MmaSyncOp>(op)) {
      computeProduct(product);
    } else if (auto commit = dyn_cast<warp::WgmmaCommitOp>(op)) {
      groups.emplace_back(commit.getGroup(), tensorFree);
    } else if (auto wait = dyn_cast<warp::WgmmaWaitOp>(op)) {
      waitFor(wait);
    } else if (!isInvariant(&op)) {
      if (auto slot = dyn_cast<warp::RingWaitOp>(op))
        copiedBytes += slot.getRing().getType().getSlotBytes();
      turns |= isa<warp::TurnWaitOp>(op);
      count(countInstructions(&op));
    }
  }
}

} // namespace lacuna
