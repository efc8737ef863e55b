#include "Registers.h"

namespace lacuna::interpreter {

using namespace warp;

float roundTo(Element element, float value) {
  if (element == Element::F32)
    return value;
  const auto dtype = element == Element::BF16 ? runtime::DType::BF16 : runtime::DType::F16;
  return runtime::floatFrom16(dtype, runtime::floatTo16(dtype, value));
}

size_t TileType::size() const {
  switch (form) {
  case Form::Scalar:
    return 1;
  case Form::Acc:
    return static_cast<size_t>(kWarpgroupThreads * AccLayout::registers(columns));
  case Form::AFrag:
    return static_cast<size_t>(kWarpgroupThreads * AFragLayout::registers(columns) * 2);
  case Form::Row:
    return static_cast<size_t>(kWarpgroupThreads * RowLayout::registers());
  case Form::Col:
    return static_cast<size_t>(kWarpgroupThreads * ColLayout::registers(columns));
  }
  llvm_unreachable("unknown form");
}

static Expected<Element> elementOf(mlir::Type type) {
  if (type.isF32())
    return Element::F32;
  if (type.isBF16())
    return Element::BF16;
  if (type.isF16())
    return Element::F16;
  if (type.isInteger(32) || type.isIndex())
    return Element::I32;
  if (type.isInteger(1))
    return Element::I1;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return makeError(ErrorCode::Unsupported, "the interpreter has no values of type {}", text);
}

Expected<TileType> tileTypeOf(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  Expected<Element> element = elementOf(tensor ? tensor.getElementType() : type);
  if (!element)
    return takeError(element);
  TileType result{*element, Form::Scalar, 1};
  if (!tensor)
    return result;
  mlir::Attribute encoding = tensor.getEncoding();
  if (mlir::isa_and_present<AccAttr>(encoding))
    result.form = Form::Acc;
  else if (mlir::isa_and_present<AFragAttr>(encoding))
    result.form = Form::AFrag;
  else if (mlir::isa_and_present<RowAttr>(encoding))
    result.form = Form::Row;
  else if (mlir::isa_and_present<ColAttr>(encoding))
    result.form = Form::Col;
  else
    return makeError(ErrorCode::Unsupported, "the interpreter knows no tile without a register layout");
  result.columns = tensor.getDimSize(1);
  return result;
}

Tile::Tile(TileType type) : type(type) {
  if (isFloat(type.element))
    floats.resize(type.size());
  else
    ints.resize(type.size());
}

Tile Tile::scalar(float value) {
  Tile tile(TileType{Element::F32, Form::Scalar, 1});
  tile.floats[0] = value;
  return tile;
}
Tile Tile::scalar(int32_t value, Element element) {
  Tile tile(TileType{element, Form::Scalar, 1});
  tile.ints[0] = value;
  return tile;
}

Coord coordOf(const TileType &type, size_t index) {
  const auto thread = static_cast<int64_t>(index) % kWarpgroupThreads;
  const auto reg = static_cast<int64_t>(index) / kWarpgroupThreads;
  switch (type.form) {
  case Form::Scalar:
    return {0, 0};
  case Form::Acc:
    return AccLayout::coord(thread, reg);
  case Form::AFrag:
    return AFragLayout::coord(thread, reg / 2, reg % 2);
  case Form::Row:
    return {RowLayout::row(thread, reg), 0};
  case Form::Col:
    return {0, ColLayout::column(thread, reg)};
  }
  llvm_unreachable("unknown form");
}

} // namespace lacuna::interpreter
