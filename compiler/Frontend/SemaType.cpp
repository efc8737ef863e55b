//===- SemaType.cpp - Written types and extents ------------------------------===//

#include "SemaImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

std::optional<ElementType> Sema::elementType(const Identifier &name) {
  if (std::optional<ScalarKind> kind = parseScalarKind(name.name))
    return ElementType{*kind};
  const ParamDecl *param = findParam(name.name);
  auto value = param ? result->params.find(param) : result->params.end();
  if (value != result->params.end() && value->second.isType)
    return ElementType{value->second.type, param};
  std::vector<std::string> known = {"bf16", "f16", "f32", "i32", "bool"};
  for (const auto &[other, otherValue] : result->params)
    if (otherValue.isType)
      known.emplace_back(other->name.name);
  error(name.range, fmt::format("'{}' is not a type; the types are {}{}", name.name, quotedList(known),
                                didYouMean(name.name, known)));
  return std::nullopt;
}

std::optional<Extent> Sema::extent(const Expr &expr, std::string_view what) {
  std::optional<int64_t> value = evaluateWithParams(expr, *currentModule, result->params, what, sink);
  if (!value)
    return std::nullopt;
  if (*value < 1 || *value > INT32_MAX) {
    error(expr.range,
          fmt::format("{} is from 1 to 2147483647, but `{}` is {} with these params", what, printExpr(expr), *value));
    return std::nullopt;
  }
  return Extent{canonicalText(expr), printExpr(expr), *value};
}

std::optional<Extent> Sema::tileExtent(const Expr &expr, std::string_view what) {
  std::optional<Extent> size = extent(expr, what);
  if (size && size->value > kMaxTileExtent) {
    error(expr.range, fmt::format("{} is at most {}, but `{}` is {} with these params; use smaller tiles", what,
                                  kMaxTileExtent, size->text, size->value));
    return std::nullopt;
  }
  return size;
}

std::optional<Extent> Sema::sliceLength(const Expr &expr, std::string_view what) {
  std::optional<Extent> size = tileExtent(expr, what);
  return size && checkMultipleOf16(*size, expr.range, what) ? size : std::nullopt;
}

bool Sema::checkMultipleOf16(const Extent &size, SourceRange range, std::string_view what) {
  if (size.value % 16 == 0)
    return true;
  error(range,
        fmt::format("{} is a multiple of 16, but `{}` is {} with these params; a whole axis, written `:`, may have any "
                    "length",
                    what, size.text, size.value));
  return false;
}

Type Sema::valueType(const TypeSyntax &syntax) {
  std::optional<ElementType> element = elementType(syntax.dtype);
  if (syntax.isBlocks || syntax.extents.size() > 2)
    return invalid(syntax.range, "a value is a scalar (f32), one value a row (f32[BM]), or a tile (f32[BM, BN])");
  std::optional<Extent> extents[2] = {Extent(), Extent()};
  for (size_t i = 0; i < syntax.extents.size(); ++i) {
    if (syntax.extents[i].orOne)
      error(syntax.extents[i].size->range, "`|1` belongs to the axes of a block list; remove it");
    extents[i] = tileExtent(*syntax.extents[i].size, "a tile's extent");
  }
  if (!element || !extents[0] || !extents[1])
    return {};
  return syntax.extents.empty() ? Type::scalar(*element) : Type::tile(*element, *extents[0], *extents[1]);
}
