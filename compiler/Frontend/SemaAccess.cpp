//===- SemaAccess.cpp - Checks of view accesses ------------------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

const CheckedAccess *Sema::checkAccess(const Access &access, bool isStore) {
  const char *verb = isStore ? "store to" : "load from";
  const Symbol *view = resolve(access.base, &access.base, "a view");
  if (!view)
    return nullptr;
  if (view->kind != Symbol::Kind::View) {
    error(access.base.range, fmt::format("cannot {} {} '{}'; only a view has elements in memory", verb,
                                         symbolKindName(view->kind), view->name))
        .note(view->range, "declared here");
    return nullptr;
  }
  if (view->isOutput != isStore) {
    error(access.base.range,
          isStore
              ? fmt::format("'{0}' is an input; write `{0}: out ...` in the kernel's head to store to it", view->name)
              : fmt::format("'{}' is an output and cannot be loaded; keep the value in a `var`", view->name))
        .note(view->range, "declared here");
    return nullptr;
  }
  if (access.subscripts.size() != view->axes.size()) {
    error(access.range, fmt::format("'{}' has {} axes, but {} indices are given; give one an axis", view->name,
                                    view->axes.size(), access.subscripts.size()))
        .note(view->range, "declared here");
    return nullptr;
  }
  CheckedAccess checked;
  checked.view = view;
  std::vector<Extent> lengths;
  bool valid = true;
  for (size_t i = 0; i < view->axes.size(); ++i) {
    CheckedAccess::Axis &axis = checked.axes.emplace_back();
    valid &= checkSubscript(access.subscripts[i], view->axes[i], axis);
    if (axis.isSlice)
      lengths.push_back(axis.length);
  }
  if (!valid)
    return nullptr;
  if (lengths.size() > 2 || (lengths.empty() && !isStore)) {
    error(
        access.range,
        fmt::format("a {} takes one or two axes as slices (`start :+ length`, `:` or a sparse loop's variable) and one "
                    "position of each other, but {} are slices here",
                    isStore ? "store" : "load", lengths.size()));
    return nullptr;
  }
  ElementType element = view->type.element;
  checked.type = lengths.empty() ? Type::scalar(element)
                                 : Type::tile(element, lengths[0], lengths.size() == 2 ? lengths[1] : Extent());
  return &(result->accesses[&access] = std::move(checked));
}

bool Sema::checkSubscript(const Subscript &subscript, const AxisExtent &extent, CheckedAccess::Axis &axis) {
  if (subscript.kind == Subscript::Kind::Whole) {
    axis.isSlice = true;
    if (extent.dim) {
      error(subscript.range,
            fmt::format("`:` takes a whole axis, whose length must be known when the kernel is compiled, but {} is a "
                        "run-time dimension; write `start :+ length`",
                        extent.dim->name));
      return false;
    }
    axis.length = extent.size;
    if (extent.size.value <= kMaxTileExtent)
      return true;
    error(subscript.range,
          fmt::format("`:` makes a tile of extent {}, and a tile's extent is at most {}; write `start :+ length`",
                      extent.size.describe(), kMaxTileExtent));
    return false;
  }
  if (subscript.kind == Subscript::Kind::Slice) {
    axis.isSlice = true;
    axis.index = subscript.index.get();
    bool valid = checkIndex(*subscript.index, "the start of a slice");
    std::optional<Extent> length = sliceLength(*subscript.length, "the length of a slice");
    if (length)
      axis.length = *length;
    return valid && length;
  }
  if (const auto *name = llvm::dyn_cast<NameExpr>(subscript.index.get())) {
    const Symbol *symbol = lookup(name->name);
    if (symbol && symbol->kind == Symbol::Kind::Positions) {
      result->symbolTable[name] = symbol;
      axis.isSlice = true;
      axis.positions = symbol;
      axis.length = symbol->type.columns;
      return checkPositionsIndex(*symbol, extent, subscript.range);
    }
  }
  axis.index = subscript.index.get();
  return checkIndex(*subscript.index, "an index of a view");
}

bool Sema::checkPositionsIndex(const Symbol &positions, const AxisExtent &extent, SourceRange range) {
  auto [limit, isNew] = result->limits.try_emplace(&positions, extent);
  if (isNew)
    limitRanges[&positions] = range;
  if (limit->second == extent)
    return true;
  error(range,
        fmt::format(
            "'{}' indexes an axis of length {} here and one of length {} elsewhere; a sparse loop has one end, so all "
            "axes that it indexes must have the same extent",
            positions.name, extent.str(), limit->second.str()))
      .note(limitRanges[&positions], "the other axis is indexed here");
  return false;
}
