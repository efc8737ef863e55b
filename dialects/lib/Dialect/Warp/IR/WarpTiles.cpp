// warp.for_tiles: its text and its checks.
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;

namespace lacuna::warp {

RolesOp ForTilesOp::getRoles() {
  auto roles = getBody().front().getOps<RolesOp>();
  return roles.empty() ? RolesOp() : *roles.begin();
}

ParseResult ForTilesOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> inits;
  Type i32 = parser.getBuilder().getI32Type();
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren))
    return failure();
  if (arguments.size() != 3)
    return parser.emitError(parser.getNameLoc()) << "names three coordinates, got " << arguments.size();
  if (succeeded(parser.parseOptionalKeyword("carry"))) {
    SmallVector<OpAsmParser::Argument> carried;
    if (parser.parseAssignmentList(carried, inits))
      return failure();
    llvm::append_range(arguments, carried);
  }
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = i32;
  if (parser.resolveOperands(inits, i32, result.operands) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) || parser.parseRegion(*result.addRegion(), arguments))
    return failure();
  ensureTerminator(*result.regions.front(), parser.getBuilder(), result.location);
  return success();
}

void ForTilesOp::print(OpAsmPrinter &printer) {
  printer << '(' << getCoordinates()[0] << ", " << getCoordinates()[1] << ", " << getCoordinates()[2] << ')';
  if (!getInits().empty()) {
    printer << " carry(";
    llvm::interleaveComma(llvm::zip(getCarried(), getInits()), printer,
                          [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
    printer << ')';
  }
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/!getInits().empty());
}

LogicalResult ForTilesOp::verifyRegions() {
  Block &body = getBody().front();
  if (body.getNumArguments() != 3 + getInits().size())
    return emitOpError() << "has three coordinates and " << getInits().size() << " carried values, but its body takes "
                         << body.getNumArguments();
  for (BlockArgument argument : body.getArguments())
    if (!argument.getType().isInteger(32))
      return emitOpError() << "carries i32 values, got " << argument.getType();
  if (body.getTerminator()->getNumOperands() != getInits().size())
    return emitOpError() << "carries " << getInits().size() << " values, but warp.next_tile yields "
                         << body.getTerminator()->getNumOperands();
  if (llvm::range_size(body.getOps<RolesOp>()) != 1)
    return emitOpError() << "needs one warp.roles in its body";
  auto func = cast<FuncOp>((*this)->getParentOp());
  if (llvm::range_size(func.getOps<ForTilesOp>()) != 1 || !func.getOps<RolesOp>().empty())
    return emitOpError() << "must be the only warp.for_tiles of a kernel, and hold its warp.roles";
  return success();
}

} // namespace lacuna::warp
