//===- Types.h - Types of values --------------------------------*- C++ -*-===//
//
// A value is a scalar or a tile of two extents. An extent is compared as written: `BM` and `2 * QB / 2` are different
// even where both are 128, so that a program which is right for the default params is right for all of them. Beside its
// canonical text an extent carries the number it stands for in this specialisation.
//
// One value a row has the type (BM, 1), written `f32[BM]`; one a column has (1, BN), written `f32[1, BN]`. An extent
// written `1` repeats along its axis wherever the other operand has another extent.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_TYPES_H
#define LACUNA_COMPILER_FRONTEND_TYPES_H

#include "lacuna/Compiler/Frontend/AST.h"

namespace lacuna::frontend {

enum class ScalarKind : uint8_t { BF16, F16, F32, I32, Bool };

std::string_view scalarKindName(ScalarKind kind);
/// The kind of a built-in type's name: bf16, f16, f32, i32, bool.
std::optional<ScalarKind> parseScalarKind(std::string_view name);

/// A built-in type, or a dtype param with its value. Compared as written: `T` and `bf16` differ also where T is bf16.
struct ElementType {
  ScalarKind kind = ScalarKind::F32;
  const ParamDecl *param = nullptr;

  bool is(ScalarKind other) const { return !param && kind == other; }
  /// f32 or i32: what arithmetic works on.
  bool isArithmetic() const { return is(ScalarKind::F32) || is(ScalarKind::I32); }
  /// bf16, f16 or a dtype param: what `dot` works on.
  bool isNarrow() const { return param || kind == ScalarKind::BF16 || kind == ScalarKind::F16; }
  std::string str() const { return std::string(param ? param->name.name : scalarKindName(kind)); }
  bool operator==(const ElementType &other) const { return param == other.param && (param || kind == other.kind); }
};

/// A length made of params and numbers.
struct Extent {
  std::string key = "1";  ///< canonical text; equal keys are equal extents
  std::string text = "1"; ///< as written, for messages
  int64_t value = 1;      ///< in this specialisation

  bool isOne() const { return key == "1"; }
  /// "BM = 128", or the number alone where it is written as one.
  std::string describe() const;
  /// The extent that tiles have in the IR: a multiple of 16, or 1 where it is written 1.
  int64_t padded() const { return isOne() ? 1 : (value + 15) / 16 * 16; }
  bool operator==(const Extent &other) const { return key == other.key; }
};

/// The canonical text of an expression of params and integers: a polynomial, sorted, whose atoms are names, quotients,
/// remainders and calls. `2*BM - BM` and `BM` have the same.
std::string canonicalText(const Expr &expr);
/// The canonical text of a product.
std::string canonicalProduct(const Expr &lhs, const Expr &rhs);

struct Type {
  enum class Kind { Invalid, Scalar, Tile, Positions };
  Kind kind = Kind::Invalid;
  ElementType element;
  Extent rows, columns; ///< Tile: both; Positions: `columns` is the number of positions

  static Type scalar(ElementType element) { return {Kind::Scalar, element, {}, {}}; }
  static Type scalar(ScalarKind kind) { return scalar(ElementType{kind}); }
  static Type tile(ElementType element, Extent rows, Extent columns) {
    return {Kind::Tile, element, std::move(rows), std::move(columns)};
  }

  explicit operator bool() const { return kind != Kind::Invalid; }
  bool isScalar() const { return kind == Kind::Scalar; }
  bool isScalar(ScalarKind scalarKind) const { return isScalar() && element.is(scalarKind); }
  bool isTile() const { return kind == Kind::Tile; }
  Type withElement(ElementType other) const { return {kind, other, rows, columns}; }
  Type withElement(ScalarKind other) const { return withElement(ElementType{other}); }
  /// As in the language: `i32`, `f32[BM]`, `T[BM, D]`.
  std::string str() const;
};

/// The element type of an operation on both: equal types stay, i32 with f32 gives f32, anything else nothing.
std::optional<ElementType> joinElements(ElementType a, ElementType b);
/// The shape that both operands repeat to, with `element`; nothing where an axis differs and neither side is 1.
std::optional<Type> joinShapes(const Type &a, const Type &b, ElementType element);
/// Whether a value of type `from` may be stored in a variable of type `to`: same element type or i32 to f32, and a
/// shape that repeats to it.
bool isAssignable(const Type &from, const Type &to);

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_TYPES_H
