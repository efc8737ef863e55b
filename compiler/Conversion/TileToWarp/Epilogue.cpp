#include "Epilogue.h"

#include "Alignment.h"

using namespace mlir;

namespace lacuna {

StringRef nameOfView(Value view, StringRef otherwise) {
  auto argument = dyn_cast<BlockArgument>(view);
  auto func = argument ? dyn_cast<tile::FuncOp>(argument.getOwner()->getParentOp()) : tile::FuncOp();
  auto name = func ? func.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kNameAttr) : StringAttr();
  return name ? name.getValue() : otherwise;
}

/// Whether `store` writes a whole tile of 16-bit elements: what a shared tile can hold.
static bool storesTile(tile::StoreOp store, const KernelPlan &plan) {
  auto tile = dyn_cast<RankedTensorType>(store.getValue().getType());
  return tile && (tile.getElementType().isBF16() || tile.getElementType().isF16()) && tile.getDimSize(0) == plan.rows &&
         tile.getDimSize(1) > 1;
}

/// Why TMA cannot make `store`, or nothing. A copy may arrive in global memory in any order with other accesses of the
/// program, and writes whole chunks of columns but for those past the view's end. What a launch demands of a view under
/// a tensor map (multiples of 16 bytes), stores from registers demand here as well, 16 bytes each: no launch that was
/// right for them is refused.
static StringRef findObstacle(tile::StoreOp store) {
  tile::ViewType view = store.getView().getType();
  ArrayRef<int64_t> sizes = store.getSizes();
  if (llvm::count_if(sizes, [](int64_t size) { return size > 0; }) != 2 || sizes.back() == 0)
    return "it is no slice of two axes, the innermost one among them";
  if (!isa<tile::FuncOp>(store->getParentOp()) || !store.getView().hasOneUse())
    return "a copy keeps no order with the kernel's other accesses to it";
  std::optional<int64_t> extent = view.getStaticExtent(view.getRank() - 1);
  if (!extent || *extent % kCopyAlignment != 0)
    return "its innermost axis is not known to be a multiple of 8 long";
  Value start = store.getIndices().back();
  if (isa<tile::PositionsType>(start.getType()) || !warp::isMultipleOf(start, warp::kChunkColumns))
    return "its columns are not known to start at a multiple of 64";
  APInt constant;
  if (sizes.back() % warp::kChunkColumns != 0 &&
      (!matchPattern(start, m_ConstantInt(&constant)) || constant.getSExtValue() + sizes.back() < *extent))
    return "its columns end within 64 that are copied together";
  return {};
}

SmallVector<StagedStore> planEpilogue(tile::FuncOp source, const KernelPlan &plan, int64_t room, warp::FuncOp target) {
  SmallVector<StagedStore> staged;
  bool any = false;
  source.walk([&](tile::StoreOp store) {
    if (!storesTile(store, plan))
      return;
    any = true;
    std::string name = ("epilogue of " + nameOfView(store.getView(), "a view")).str();
    auto direct = [&](const Twine &reason) { warp::addDecision(target, name + ": stored from registers, " + reason); };
    if (plan.schedule.storesDirectly())
      return direct("as the schedule says");
    if (!plan.machine.copyEngine)
      return direct(plan.machine.name + " has no copies from shared memory");
    if (StringRef obstacle = findObstacle(store); !obstacle.empty())
      return direct(obstacle);
    auto tile = cast<RankedTensorType>(store.getValue().getType());
    auto type = warp::SmemType::get(source.getContext(), tile.getDimSize(0), tile.getDimSize(1), tile.getElementType());
    if (type.getBytes() > room)
      return direct("the " + Twine(type.getBytes()) + " bytes of shared memory that a copy needs are not left");
    room -= type.getBytes();
    warp::addDecision(target, name + ": through shared memory and TMA, beside what the thread block does next");
    staged.push_back({store, type});
  });
  if (!any && plan.schedule.asksForCopies())
    warp::addDecision(target, "epilogue tma: not done, no tile of 16-bit elements is stored");
  return staged;
}

} // namespace lacuna
