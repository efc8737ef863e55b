//===- Types.cpp - Types of values ----------------------------------------===//

#include "lacuna/Compiler/Frontend/Types.h"

#include <fmt/format.h>

using namespace lacuna::frontend;

static constexpr std::string_view kScalarNames[] = {"bf16", "f16", "f32", "i32", "bool"};

std::string_view lacuna::frontend::scalarKindName(ScalarKind kind) {
  return kScalarNames[static_cast<size_t>(kind)];
}

std::optional<ScalarKind> lacuna::frontend::parseScalarKind(std::string_view name) {
  for (size_t i = 0; i < std::size(kScalarNames); ++i)
    if (kScalarNames[i] == name)
      return static_cast<ScalarKind>(i);
  return std::nullopt;
}

std::string Extent::describe() const {
  std::string number = std::to_string(value);
  return text == number ? number : text + " = " + number;
}

std::string Type::str() const {
  switch (kind) {
  case Kind::Invalid:
    return "<invalid>";
  case Kind::Scalar:
    return element.str();
  case Kind::Tile:
    return columns.isOne() && !rows.isOne() ? fmt::format("{}[{}]", element.str(), rows.text)
                                            : fmt::format("{}[{}, {}]", element.str(), rows.text, columns.text);
  case Kind::Positions:
    return fmt::format("{} key positions", columns.text);
  }
  return {};
}

std::optional<ElementType> lacuna::frontend::joinElements(ElementType a, ElementType b) {
  if (a == b)
    return a;
  if (a.isArithmetic() && b.isArithmetic())
    return ElementType{ScalarKind::F32};
  return std::nullopt;
}

static const Extent *joinExtents(const Extent &a, const Extent &b) {
  if (a == b || b.isOne())
    return &a;
  return a.isOne() ? &b : nullptr;
}

std::optional<Type> lacuna::frontend::joinShapes(const Type &a, const Type &b, ElementType element) {
  if (a.isScalar())
    return b.withElement(element);
  if (b.isScalar())
    return a.withElement(element);
  const Extent *rows = joinExtents(a.rows, b.rows), *columns = joinExtents(a.columns, b.columns);
  if (!rows || !columns)
    return std::nullopt;
  return Type::tile(element, *rows, *columns);
}

bool lacuna::frontend::isAssignable(const Type &from, const Type &to) {
  if (!from || !to ||
      !(from.element == to.element || (from.element.is(ScalarKind::I32) && to.element.is(ScalarKind::F32))))
    return false;
  if (to.isScalar() || from.isScalar())
    return from.isScalar();
  auto repeats = [](const Extent &a, const Extent &b) { return a == b || a.isOne(); };
  return repeats(from.rows, to.rows) && repeats(from.columns, to.columns);
}
