#include "TripCounts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna::warp {

using Count = TripCounts::Count;

/// Trips of a loop that are counted by themselves.
static constexpr int64_t kMostFirstTrips = 8;

static void addTo(Count &count, const Count &other, int64_t factor = 1) {
  for (auto [term, many] : other) {
    int64_t &own = count[term];
    own = addProduct(own, factor, many);
    if (own == 0)
      count.erase(term);
  }
}

int TripCounts::number(const Count &count) {
  std::vector<int64_t> key = {kCount};
  SmallVector<int> parts;
  for (auto [term, many] : count) {
    key.push_back(many);
    parts.push_back(term);
  }
  return values.number(std::move(key), parts);
}

TripCounts::Term TripCounts::term(const Loop &loop) {
  Term result = values.number({kLoop, loop.depth}, {values.number(loop.lower), values.number(loop.upper),
                                                    values.number(loop.step), number(loop.body)});
  if (loop.depth >= 0)
    values.closeLoop(result, loop.depth);
  loops.try_emplace(result, loop);
  return result;
}

Count TripCounts::count(Block &block, ArrayRef<Operation *> places) {
  // By the operation of the block that holds them.
  llvm::MapVector<Operation *, SmallVector<Operation *>> inside;
  Count result;
  for (Operation *place : places) {
    Operation *ancestor = block.findAncestorOpInBlock(*place);
    if (ancestor == place)
      ++result[once()];
    else
      inside[ancestor].push_back(place);
  }
  for (auto &[op, nested] : inside)
    addTo(result, countIn(op, nested));
  while (joinTwo(result))
    ;
  return result;
}

TripCounts::RoleCount TripCounts::count(RoleOp role, ArrayRef<Operation *> places) {
  RoleCount result;
  for (Block *block : role.getBlocks()) {
    SmallVector<Operation *> inside;
    llvm::copy_if(places, std::back_inserter(inside),
                  [&](Operation *place) { return block->getParent()->isAncestor(place->getParentRegion()); });
    Count found = count(*block, inside);
    // Of a loop that runs at least once the first trip counts by itself: a pass may have taken it out in front.
    for (int64_t trips = 0; trips < kMostFirstTrips && takeFirstTrip(found); ++trips)
      ;
    addTo(block->getParent() == &role.getBody() ? result.each : result.around, found);
  }
  return result;
}

Count TripCounts::countIn(Operation *op, ArrayRef<Operation *> places) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return countLoop(loop, places);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return countBranch(branch, places);
  return {{values.number({kUnknown, static_cast<int64_t>(reinterpret_cast<intptr_t>(op))}, {}), 1}};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Loops
//===--------------------------------------------------------------------------------------------------------------===//

/// The trips of a loop with constant bounds, or -1.
int64_t TripCounts::constantTrips(const Loop &loop) {
  Sum length = loop.upper - loop.lower;
  if (values.isNonNegative(Sum{} - length))
    return 0;
  if (!length.isConstant() || !loop.step.isConstant() || loop.step.constant <= 0)
    return -1;
  return (length.constant - 1) / loop.step.constant + 1;
}

Count TripCounts::countLoop(scf::ForOp op, ArrayRef<Operation *> places) {
  int64_t depth = SymbolicValues::loopDepth(op);
  Loop loop{values.sum(op.getLowerBound()), values.sum(op.getUpperBound()), values.sum(op.getStep()), {}, depth};
  loop.body = countUnder(loop.upper - loop.lower - Sum{1, {}}, op.getRegion(), places);
  if (loop.body.empty())
    return {};
  if (!values.dependsOnLoop(number(loop.body), depth))
    loop.depth = -1;
  int64_t trips = constantTrips(loop);
  if (trips < 0 || (trips > 0 && loop.depth >= 0))
    return {{term(loop), 1}};
  Count result;
  if (trips > 0)
    addTo(result, loop.body, trips);
  return result;
}

/// [l, m) and [m, u) are [l, u), if l <= m <= u and the steps meet m.
std::optional<TripCounts::Loop> TripCounts::join(const Loop &first, const Loop &second) {
  if (first.upper != second.lower || first.step != second.step || first.body != second.body ||
      first.depth != second.depth)
    return std::nullopt;
  Sum length = first.upper - first.lower;
  bool meets = first.step == Sum{1, {}} || (first.step.isConstant() && first.step.constant > 0 && length.isConstant() &&
                                            length.constant % first.step.constant == 0);
  if (!meets || !values.isNonNegative(length) || !values.isNonNegative(second.upper - second.lower))
    return std::nullopt;
  Loop whole = first;
  whole.upper = second.upper;
  return whole;
}

bool TripCounts::joinTwo(Count &count) {
  for (auto [first, many] : count)
    for (auto [second, asMany] : count) {
      if (first == second || many != asMany || !loops.contains(first) || !loops.contains(second))
        continue;
      std::optional<Loop> whole = join(loops.find(first)->second, loops.find(second)->second);
      if (!whole)
        continue;
      Count parts = {{first, many}, {second, many}}, joined = {{term(*whole), many}};
      addTo(count, parts, -1);
      addTo(count, joined);
      return true;
    }
  return false;
}

bool TripCounts::takeFirstTrip(Count &count) {
  for (auto [first, many] : count) {
    auto found = loops.find(first);
    if (found == loops.end() || found->second.depth >= 0 ||
        !values.isNonNegative(found->second.upper - found->second.lower - Sum{1, {}}))
      continue;
    Loop rest = found->second;
    int64_t times = many;
    addTo(count, {{first, times}}, -1);
    addTo(count, rest.body, times);
    rest.lower = rest.lower + rest.step;
    addTo(count, {{term(rest), times}});
    return true;
  }
  return false;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Conditions
//===--------------------------------------------------------------------------------------------------------------===//

Count TripCounts::countUnder(const Sum &fact, Region &region, ArrayRef<Operation *> places) {
  if (region.empty())
    return {};
  SmallVector<Operation *> inside;
  llvm::copy_if(places, std::back_inserter(inside),
                [&](Operation *place) { return region.isAncestor(place->getParentRegion()); });
  if (inside.empty())
    return {};
  values.assumeNonNegative(fact);
  Count result = count(region.front(), inside);
  values.forget();
  return result;
}

Count TripCounts::countBranch(scf::IfOp op, ArrayRef<Operation *> places) {
  std::optional<SymbolicValues::Less> guard = values.less(op.getCondition());
  APInt constant;
  if (matchPattern(op.getCondition(), m_ConstantInt(&constant)))
    guard = SymbolicValues::Less{Sum{}, Sum{constant.isZero() ? 0 : 1, {}}};
  // What holds in either branch; without a guard, what always does.
  Sum positive, notPositive;
  if (guard) {
    positive = guard->upper - guard->lower - Sum{1, {}};
    notPositive = guard->lower - guard->upper;
  }
  Count then = countUnder(positive, op.getThenRegion(), places);
  Count otherwise = countUnder(notPositive, op.getElseRegion(), places);
  if (then == otherwise)
    return then;
  if (guard && values.isNonNegative(positive))
    return then;
  if (guard && values.isNonNegative(notPositive))
    return otherwise;
  if (guard && otherwise.empty())
    if (std::optional<Count> result = guarded(then, *guard))
      return *result;
  if (guard && then.empty())
    if (std::optional<Count> result = guarded(otherwise, {guard->upper, guard->lower + Sum{1, {}}}))
      return *result;
  int condition = guard ? values.number(positive) : values.number(op.getCondition());
  return {{values.number({kGuard, guard.has_value()}, {condition, number(then), number(otherwise)}), 1}};
}

/// `count` where the guard holds and nothing elsewhere, as loops that need no guard. Taken out in front, a step and the
/// loop over the others are the whole loop.
std::optional<Count> TripCounts::guarded(Count count, const SymbolicValues::Less &guard) {
  Sum length = guard.upper - guard.lower;
  for (auto [first, many] : Count(count)) {
    auto found = loops.find(first);
    if (!count.contains(first) || found == loops.end() || found->second.upper != guard.upper ||
        found->second.depth >= 0 || found->second.lower - found->second.step != guard.lower)
      continue;
    Loop whole = found->second;
    whole.lower = guard.lower;
    addTo(count, {{first, many}}, -1);
    addTo(count, whole.body, -many);
    addTo(count, {{term(whole), many}});
  }
  for (auto [first, many] : count) {
    auto found = loops.find(first);
    if (many < 0 || found == loops.end())
      return std::nullopt;
    // It must run no trip where the guard does not hold.
    if (!values.isNonNegative(length - (found->second.upper - found->second.lower)))
      return std::nullopt;
  }
  return count;
}

} // namespace lacuna::warp
