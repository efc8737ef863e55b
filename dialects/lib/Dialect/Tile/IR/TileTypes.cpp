// Parsing, printing and checking of the dialect's types.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

/// extents ::= (integer | identifier) (`,` (integer | identifier))*
static ParseResult parseExtents(AsmParser &parser, SmallVector<Attribute> &extents) {
  return parser.parseCommaSeparatedList([&]() -> ParseResult {
    int64_t value;
    if (OptionalParseResult integer = parser.parseOptionalInteger(value); integer.has_value()) {
      if (failed(*integer))
        return failure();
      extents.push_back(parser.getBuilder().getI64IntegerAttr(value));
      return success();
    }
    std::string name;
    if (failed(parser.parseKeywordOrString(&name)))
      return failure();
    extents.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  });
}

static void printExtents(AsmPrinter &printer, ArrayRef<Attribute> extents) {
  llvm::interleaveComma(extents, printer, [&](Attribute extent) {
    if (auto name = dyn_cast<StringAttr>(extent))
      printer.printKeywordOrString(name.getValue());
    else
      printer << cast<IntegerAttr>(extent).getInt();
  });
}

#define GET_TYPEDEF_CLASSES
#include "lacuna/Dialect/Tile/IR/TileTypes.cpp.inc"

namespace lacuna::tile {

void TileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "lacuna/Dialect/Tile/IR/TileTypes.cpp.inc"
      >();
}

static LogicalResult verifyExtents(function_ref<InFlightDiagnostic()> emitError, ArrayRef<Attribute> extents) {
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    if (isa<StringAttr>(extent))
      continue;
    auto value = dyn_cast<IntegerAttr>(extent);
    if (!value || value.getInt() <= 0)
      return emitError() << "extent " << axis << " must be a positive integer or the name of a run-time dimension, got "
                         << extent;
  }
  return success();
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<Attribute> extents,
                               Type elementType) {
  if (extents.empty() || extents.size() > 5)
    return emitError() << "a view has 1 to 5 axes, got " << extents.size();
  if (!llvm::isa<Float32Type, Float16Type, BFloat16Type>(elementType) && !elementType.isInteger(32))
    return emitError() << "a view's elements are f32, f16, bf16 or i32, got " << elementType;
  return verifyExtents(emitError, extents);
}

std::optional<int64_t> ViewType::getStaticExtent(int64_t axis) const {
  if (auto value = llvm::dyn_cast<IntegerAttr>(getExtents()[axis]))
    return value.getInt();
  return std::nullopt;
}

StringRef ViewType::getSymbol(int64_t axis) const {
  if (auto name = llvm::dyn_cast<StringAttr>(getExtents()[axis]))
    return name.getValue();
  return {};
}

LogicalResult BlocksType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t queryBlock, int64_t keyBlock,
                                 ArrayRef<Attribute> extents) {
  for (int64_t block : {queryBlock, keyBlock})
    if (block <= 0 || block % kTileMultiple != 0)
      return emitError() << "a list's block is a positive multiple of " << kTileMultiple << ", got " << block;
  if (extents.size() != 2)
    return emitError() << "a block list has a batch and a head extent, got " << extents.size() << " extents";
  return verifyExtents(emitError, extents);
}

} // namespace lacuna::tile
