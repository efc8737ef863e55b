#include "Schedule.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lacuna {

Schedule::Schedule(tile::FuncOp func) : entries(func.getScheduleAttr()) {}

std::optional<int64_t> Schedule::integer(StringRef name) const {
  auto value = entries ? entries.getAs<IntegerAttr>(name) : IntegerAttr();
  return value ? std::optional(value.getInt()) : std::nullopt;
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

} // namespace lacuna
