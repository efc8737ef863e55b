//===- SemaAccess.cpp - Checks of view accesses ------------------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

bool Sema::checkView(const Access &access, const Symbol &view, bool isStore) {
  if (view.kind != Symbol::Kind::View) {
    error(access.base.range, fmt::format("cannot {} {} '{}'; only a view has elements in memory",
                                         isStore ? "store to" : "load from", symbolKindName(view.kind), view.name))
        .note(view.range, "declared here");
    return false;
  }
  if (view.isOutput != isStore) {
    error(access.base.range,
          isStore
              ? fmt::format("'{0}' is an input; write `{0}: out ...` in the kernel's head to store to it", view.name)
              : fmt::format("'{}' is an output and cannot be loaded; keep the value in a `var`", view.name))
        .note(view.range, "declared here");
    return false;
  }
  if (access.subscripts.size() != view.axes.size()) {
    error(access.range, fmt::format("'{}' has {} axes, but {} indices are given; give one an axis", view.name,
                                    view.axes.size(), access.subscripts.size()))
        .note(view.range, "declared here");
    return false;
  }
  return true;
}

const CheckedAccess *Sema::checkAccess(const Access &access, const Type *stored) {
  const Symbol *view = resolve(access.base, &access.base, "a view");
  if (!view || !checkView(access, *view, stored != nullptr))
    return nullptr;
  CheckedAccess checked;
  checked.view = view;
  bool valid = true;
  for (size_t i = 0; i < view->axes.size(); ++i)
    valid &= checkSubscript(access.subscripts[i], view->axes[i], checked.axes.emplace_back());
  if (!valid)
    return nullptr;
  checked.type = accessType(access, checked, stored);
  return checked.type ? &(result->accesses[&access] = std::move(checked)) : nullptr;
}

/// Three slices are rows, rows and columns. Two are rows and columns, but for a stored value of one element a row,
/// whose rows are as many as both have positions.
Type Sema::accessType(const Access &access, CheckedAccess &checked, const Type *stored) {
  std::vector<size_t> slices;
  for (size_t i = 0; i < checked.axes.size(); ++i)
    if (checked.axes[i].isSlice)
      slices.push_back(i);
  if (slices.size() > 3 || (slices.empty() && !stored))
    return invalid(access.range,
                   fmt::format("a {} takes one or two axes as slices (`start :+ length`, `:` or a sparse loop's "
                               "variable), or three, of which the first two make the rows, and one position of each "
                               "other, but {} are slices here",
                               stored ? "store" : "load", slices.size()));
  ElementType element = checked.view->type.element;
  if (slices.empty())
    return Type::scalar(element);
  const Expr *lengths[2] = {access.subscripts[slices[0]].length.get(),
                            slices.size() > 1 ? access.subscripts[slices[1]].length.get() : nullptr};
  bool isOneARow = stored && stored->isTile() && stored->columns.isOne() && lengths[0] && lengths[1] &&
                   stored->rows.key == canonicalProduct(*lengths[0], *lengths[1]);
  std::optional<Extent> rows = checked.axes[slices[0]].length;
  bool isJoined = slices.size() == 3 || (slices.size() == 2 && isOneARow);
  if (isJoined) {
    rows = joinedRows(access, checked, slices[0], slices[1]);
    for (size_t i : {slices[0], slices[1]})
      checked.axes[i].isJoined = true;
  }
  bool valid = rows.has_value();
  for (size_t i : slices)
    if (access.subscripts[i].kind == Subscript::Kind::Slice && !checked.axes[i].isJoined)
      valid &= checkMultipleOf16(checked.axes[i].length, access.subscripts[i].length->range, "the length of a slice");
  if (!valid)
    return {};
  bool hasColumns = slices.size() == 3 || (slices.size() == 2 && !isJoined);
  return Type::tile(element, *rows, hasColumns ? checked.axes[slices.back()].length : Extent());
}

/// The rows that the axes `outer` and `inner` make together.
std::optional<Extent> Sema::joinedRows(const Access &access, const CheckedAccess &checked, size_t outer, size_t inner) {
  const Subscript &first = access.subscripts[outer], &second = access.subscripts[inner];
  auto refuse = [&](SourceRange range, const std::string &what) {
    error(range, "two slices make the rows of this tile together; " + what);
    return std::nullopt;
  };
  for (const Subscript *subscript : {&first, &second})
    if (subscript->kind != Subscript::Kind::Slice)
      return refuse(subscript->range, "write each as `start :+ length`, with a length made of params");
  if (inner != outer + 1)
    return refuse(second.range, "they must be neighbouring axes, as in `q[b, h :+ R, i :+ L, :]`");
  auto factor = [](const Expr &expr) {
    bool isPlain = llvm::isa<NameExpr>(expr) || llvm::isa<IntegerExpr>(expr);
    return isPlain ? printExpr(expr) : "(" + printExpr(expr) + ")";
  };
  Extent rows{canonicalProduct(*first.length, *second.length),
              fmt::format("{} * {}", factor(*first.length), factor(*second.length)),
              checked.axes[outer].length.value * checked.axes[inner].length.value};
  if (rows.value > kMaxTileExtent || rows.value % 16 != 0)
    return refuse(second.range,
                  fmt::format("their number is a multiple of 16 and at most {}, but `{}` is {} with these "
                              "params",
                              kMaxTileExtent, rows.text, rows.value));
  return rows;
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
    std::optional<Extent> length = tileExtent(*subscript.length, "the length of a slice");
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
