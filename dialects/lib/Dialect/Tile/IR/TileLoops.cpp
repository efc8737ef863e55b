// tile.for_blocks: text form and checks.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace lacuna::tile {

int64_t ForBlocksOp::getKeyBlock() {
  if (auto list = dyn_cast<BlocksType>(getBlocks().getType()))
    return list.getKeyBlock();
  return cast<BandsType>(getBlocks().getType()).getKeyBlock();
}

int64_t ForBlocksOp::getBlocksPerStep() {
  return std::max<int64_t>(1, static_cast<int64_t>(getStep()) / getKeyBlock());
}

int64_t ForBlocksOp::getStepsPerBlock() {
  return std::max<int64_t>(1, getKeyBlock() / static_cast<int64_t>(getStep()));
}

// tile.for_blocks %t in %rows[%b, %h, %r] step 128 limit %n init(%x = %x0, …) : !tile.blocks<…>, types { … }
// tile.for_blocks %t in %bands step 128 limit %n init(%x = %x0, …) : !tile.bands<…>, types { … }
ParseResult ForBlocksOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  OpAsmParser::Argument positions;
  OpAsmParser::UnresolvedOperand blocks, limit;
  SmallVector<OpAsmParser::UnresolvedOperand> indices, inits;
  SmallVector<OpAsmParser::Argument> carried;
  int64_t step;
  if (parser.parseArgument(positions) || parser.parseKeyword("in") || parser.parseOperand(blocks) ||
      parser.parseOperandList(indices, OpAsmParser::Delimiter::OptionalSquare) || parser.parseKeyword("step") ||
      parser.parseInteger(step) || parser.parseKeyword("limit") || parser.parseOperand(limit))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("init")) && parser.parseAssignmentList(carried, inits))
    return failure();
  SmallVector<Type> types;
  Type blocksType;
  SMLoc typeLoc;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() || parser.getCurrentLocation(&typeLoc) ||
      parser.parseType(blocksType))
    return failure();
  for (size_t i = 0; i < carried.size(); ++i) {
    Type type;
    if (parser.parseComma() || parser.parseType(type))
      return failure();
    types.push_back(type);
    carried[i].type = type;
  }
  Type i32 = builder.getI32Type();
  result.addAttribute(getStepAttrName(result.name), builder.getI64IntegerAttr(step));
  result.addTypes(types);
  positions.type = PositionsType::get(parser.getContext(), step);
  SmallVector<OpAsmParser::Argument> arguments = {positions};
  llvm::append_range(arguments, carried);
  if (parser.resolveOperand(blocks, blocksType, result.operands) ||
      parser.resolveOperands(indices, i32, result.operands) || parser.resolveOperand(limit, i32, result.operands) ||
      parser.resolveOperands(inits, types, typeLoc, result.operands) ||
      parser.parseRegion(*result.addRegion(), arguments))
    return failure();
  result.getOrAddProperties<Properties>().operandSegmentSizes = {1, static_cast<int32_t>(indices.size()), 1,
                                                                 static_cast<int32_t>(inits.size())};
  ensureTerminator(*result.regions[0], builder, result.location);
  return success();
}

void ForBlocksOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getPositions() << " in " << getBlocks();
  if (!getPlace().empty())
    printer << '[' << getPlace() << ']';
  printer << " step " << getStep() << " limit " << getLimit();
  if (!getInits().empty()) {
    printer << " init(";
    llvm::interleaveComma(llvm::zip(getCarried(), getInits()), printer,
                          [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
    printer << ')';
  }
  printer.printOptionalAttrDict((*this)->getAttrs(), {getStepAttrName(), getOperandSegmentSizesAttrName()});
  printer << " : " << getBlocks().getType();
  for (Value init : getInits())
    printer << ", " << init.getType();
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/!getInits().empty());
}

LogicalResult ForBlocksOp::verify() {
  int64_t step = getStep(), keyBlock = getKeyBlock();
  bool isList = isa<BlocksType>(getBlocks().getType());
  if (getPlace().size() != (isList ? 3 : 0))
    return emitOpError() << (isList ? "takes a batch, a head and a row of the list"
                                    : "takes no place in bands, which are those of one row")
                         << ", got " << getPlace().size() << " indices";
  if (!isList && !getBands())
    return emitOpError() << "runs over bands that do not come straight from a tile.bands";
  if (step % kTileMultiple != 0)
    return emitOpError() << "step must be a multiple of " << kTileMultiple << ", got " << step;
  if (keyBlock % step != 0 && step % keyBlock != 0)
    return emitOpError() << "the list's blocks of " << keyBlock << " keys do not fit steps of " << step
                         << ": one must divide the other";
  return success();
}

LogicalResult ForBlocksOp::verifyRegions() {
  Block &body = getBody().front();
  auto expected = PositionsType::get(getContext(), getStep());
  if (body.getNumArguments() != getInits().size() + 1 || body.getArgument(0).getType() != expected)
    return emitOpError() << "the body takes " << expected << " and the " << getInits().size() << " carried values";
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getNumOperands() != getInits().size() || getNumResults() != getInits().size())
    return emitOpError() << "carries " << getInits().size() << " values, yields " << yield.getNumOperands()
                         << " and has " << getNumResults() << " results";
  for (auto [index, init, argument, value, result] :
       llvm::enumerate(getInits(), getCarried(), yield.getOperands(), getResults()))
    if (init.getType() != argument.getType() || init.getType() != value.getType() || init.getType() != result.getType())
      return emitOpError() << "carried value " << index << " changes its type: starts as " << init.getType() << ", is "
                           << argument.getType() << " in the body, yielded as " << value.getType() << ", ends as "
                           << result.getType();
  return success();
}

} // namespace lacuna::tile
