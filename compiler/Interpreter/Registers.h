// Values in registers: a scalar (the same in every thread of the agent) or a tile, whose values are held as the machine
// holds them, by register and thread: value[register * 128 + thread]. Which element of the tile that is, only Layouts.h
// says; an #warp.afrag tile counts the two halves of a 32-bit register as two.
#pragma once

#include "lacuna/Dialect/Warp/IR/Warp.h"
#include "lacuna/Runtime/DType.h"

#include <memory>
#include <vector>

namespace lacuna::interpreter {

enum class Element { F32, BF16, F16, I32, I1 };
inline bool isFloat(Element element) {
  return element <= Element::F16;
}
/// `value` as `element` holds it.
float roundTo(Element element, float value);

enum class Form { Scalar, Acc, AFrag, Row, Col };

struct TileType {
  Element element = Element::F32;
  Form form = Form::Scalar;
  int64_t columns = 1;
  /// Values of all threads together.
  size_t size() const;
  bool operator==(const TileType &) const = default;
};
/// Errors: Unsupported for a type that no register holds.
Expected<TileType> tileTypeOf(mlir::Type type);

struct Tile {
  TileType type;
  std::vector<float> floats; // of floating-point elements, exact in their type
  std::vector<int32_t> ints; // of i32 and i1 (0 or 1)

  Tile() = default;
  explicit Tile(TileType type);
  static Tile scalar(float value);
  static Tile scalar(int32_t value, Element element = Element::I32);

  size_t size() const { return isFloat(type.element) ? floats.size() : ints.size(); }
};
using TilePtr = std::shared_ptr<const Tile>;

/// The element of the warpgroup's tile that value `index` of a tile is: its row (0 to 63) and column.
warp::Coord coordOf(const TileType &type, size_t index);

} // namespace lacuna::interpreter
