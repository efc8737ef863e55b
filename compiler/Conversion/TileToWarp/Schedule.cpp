#include "KernelPlan.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lacuna {

Schedule::Schedule(tile::FuncOp func) : entries(func.getScheduleAttr()) {}

std::optional<int64_t> Schedule::integer(StringRef name) const {
  auto value = entries ? entries.getAs<IntegerAttr>(name) : IntegerAttr();
  return value ? std::optional(value.getInt()) : std::nullopt;
}

StringRef Schedule::word(StringRef name) const {
  auto value = entries ? entries.getAs<StringAttr>(name) : StringAttr();
  return value ? value.getValue() : StringRef();
}

bool Schedule::overlaps(tile::DotOp dot) const {
  if (!isa<scf::ForOp, tile::ForBlocksOp>(dot->getParentOp()))
    return false;
  if (entries) {
    auto labels = entries.getAs<ArrayAttr>("overlap");
    return labels && dot.getLabelAttr() && llvm::is_contained(labels, Attribute(dot.getLabelAttr()));
  }
  auto dots = dot->getBlock()->getOps<tile::DotOp>();
  return *dots.begin() == dot;
}

std::optional<int64_t> Schedule::ringDepth(tile::LoadOp load) const {
  auto ring = load->getAttrOfType<IntegerAttr>("ring");
  auto depths = entries ? entries.getAs<DenseI64ArrayAttr>("ring_depths") : DenseI64ArrayAttr();
  if (!ring || !depths || ring.getInt() >= depths.size())
    return std::nullopt;
  return depths[ring.getInt()];
}

//===--------------------------------------------------------------------------------------------------------------===//
// What becomes of the entries
//===--------------------------------------------------------------------------------------------------------------===//

void Schedule::notePrograms(const KernelPlan &plan, warp::FuncOp target) const {
  if (plan.isPersistent())
    warp::addDecision(target, "programs: thread blocks stay and take one after another");
  else if (!isPersistent())
    warp::addDecision(target, "programs: one a thread block, as the schedule says");
  else if (!plan.machine.staysResident)
    warp::addDecision(target, "programs: one a thread block, " + plan.machine.name + " has no thread blocks that stay");
  else
    warp::addDecision(target, Twine("programs: one a thread block; ") +
                                  (plan.sharedLoads.empty() ? "the kernel has no copies that could run ahead"
                                                            : "how often it copies is not known before its loops run"));
  if (StringRef order = word("order"); !order.empty())
    warp::addDecision(target, "order grid " + order +
                                  (plan.isPersistent()
                                       ? ": left to the launch, which may give the order of the programs"
                                       : ": not done, thread blocks that do not stay start in the GPU's order"));
}

/// Products that are to overlap or to take turns, and cannot.
void Schedule::noteProducts(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const {
  if (!plan.machine.asyncProducts) {
    if (has("overlap") || takesTurns())
      warp::addDecision(target, "overlap, pingpong: not done, on " + plan.machine.name +
                                    " each warp computes its products itself; warps run beside each other");
    return;
  }
  llvm::SmallDenseSet<Attribute> found;
  bool any = false;
  source.walk([&](tile::DotOp dot) {
    any |= overlaps(dot);
    if (overlaps(dot) && dot.getLabelAttr())
      found.insert(dot.getLabelAttr());
  });
  if (auto labels = entries ? entries.getAs<ArrayAttr>("overlap") : ArrayAttr())
    for (Attribute label : labels)
      if (!found.contains(label))
        warp::addDecision(target, "overlap " + cast<StringAttr>(label).getValue() +
                                      ": not done, no product in a loop has this label");
  if (!takesTurns())
    return;
  if (plan.warpgroups == 1)
    warp::addDecision(target, "pingpong: not done, there is one consumer warpgroup");
  else if (!any)
    warp::addDecision(target, "pingpong: not done, turns go with products that overlap");
}

/// Registers of the producer, where every thread has the same.
void Schedule::noteRegisters(const KernelPlan &plan, warp::FuncOp target) const {
  if (auto registers = producerRegisters(); registers && !plan.machine.movesRegisters)
    warp::addDecision(target, "producer regs " + Twine(*registers) + ": not done, on " + plan.machine.name +
                                  " all threads keep what they start with");
}

/// Rings of loads that are not copied, or once a program only.
void Schedule::noteRings(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const {
  source.walk([&](tile::LoadOp load) {
    std::optional<int64_t> depth = ringDepth(load);
    bool shared = plan.isShared(load), once = isa<tile::FuncOp>(load->getParentOp());
    if (!depth || (shared && !once))
      return;
    auto argument = dyn_cast<BlockArgument>(load.getView());
    auto name = argument ? source.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kNameAttr) : StringAttr();
    warp::addDecision(target, "ring of " + (name ? name.getValue() : StringRef("a load")) + " with depth " +
                                  Twine(*depth) + ": not done, " +
                                  (shared ? "it is loaded once a program" : "no product reads it"));
  });
}

void Schedule::apply(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const {
  if (!splitsMasked())
    target->setAttr(warp::kNoSplitAttr, UnitAttr::get(target.getContext()));
  if (plan.isPersistent() && !overlapsPrograms())
    target->setAttr(warp::kSeparateProgramsAttr, UnitAttr::get(target.getContext()));
  notePrograms(plan, target);
  noteProducts(plan, source, target);
  noteRings(plan, source, target);
  noteRegisters(plan, target);
}

} // namespace lacuna
