// warp.role: its text and its checks.
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;

namespace lacuna::warp {

SmallVector<Block *, 3> RoleOp::getBlocks() {
  SmallVector<Block *, 3> blocks;
  for (Region *region : {&getEnter(), &getBody(), &getLeave()})
    if (!region->empty())
      blocks.push_back(&region->front());
  return blocks;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Text: role KIND warpgroups N registers N [enter { … } each(values)] { … } [leave(values) { … }]
//===--------------------------------------------------------------------------------------------------------------===//

static ParseResult parseCount(OpAsmParser &parser, OperationState &result, StringRef keyword, StringAttr name) {
  IntegerAttr value;
  if (parser.parseKeyword(keyword) || parser.parseAttribute(value, parser.getBuilder().getI64Type()))
    return failure();
  result.addAttribute(name, value);
  return success();
}

static ParseResult parseKept(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &kept) {
  return parser.parseArgumentList(kept, OpAsmParser::Delimiter::OptionalParen, /*allowType=*/true);
}

ParseResult RoleOp::parse(OpAsmParser &parser, OperationState &result) {
  StringRef kind;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&kind))
    return failure();
  std::optional<RoleKind> known = symbolizeRoleKind(kind);
  if (!known)
    return parser.emitError(at) << "a role is producer or consumer, got '" << kind << "'";
  result.addAttribute(getKindAttrName(result.name), RoleKindAttr::get(parser.getContext(), *known));
  if (parseCount(parser, result, "warpgroups", getWarpgroupsAttrName(result.name)) ||
      parseCount(parser, result, "registers", getRegistersAttrName(result.name)) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  Region *body = result.addRegion(), *enter = result.addRegion(), *leave = result.addRegion();
  bool spans = succeeded(parser.parseOptionalKeyword("enter"));
  SmallVector<OpAsmParser::Argument> kept, left;
  if (!spans && parser.parseRegion(*body))
    return failure();
  if (spans && (parser.parseRegion(*enter) || parser.parseKeyword("each") || parseKept(parser, kept) ||
                parser.parseRegion(*body, kept) || parser.parseKeyword("leave") || parseKept(parser, left) ||
                parser.parseRegion(*leave, left)))
    return failure();
  for (Region *region : {body, enter, leave}) // An empty pair of braces is a block without operations.
    if (region->empty() && (spans || region == body))
      region->emplaceBlock();
  return success();
}

void RoleOp::print(OpAsmPrinter &printer) {
  printer << ' ' << stringifyRoleKind(getKind()) << " warpgroups " << getWarpgroups() << " registers "
          << getRegisters();
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getKindAttrName(), getWarpgroupsAttrName(), getRegistersAttrName()});
  auto printKept = [&](Region &region) {
    if (region.getNumArguments() == 0)
      return;
    printer << '(';
    llvm::interleaveComma(region.getArguments(), printer,
                          [&](BlockArgument argument) { printer.printRegionArgument(argument); });
    printer << ')';
  };
  auto printRegion = [&](Region &region) {
    printer << ' ';
    printer.printRegion(region, /*printEntryBlockArgs=*/false);
  };
  if (spansPrograms()) {
    printer << " enter";
    printRegion(getEnter());
    printer << " each";
    printKept(getBody());
  }
  printRegion(getBody());
  if (spansPrograms()) {
    printer << " leave";
    printKept(getLeave());
    printRegion(getLeave());
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Checks
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult RoleOp::verify() {
  int64_t registers = getRegisters();
  if (registers % 8 != 0 || registers < 24 || registers > 240)
    return emitOpError() << "registers are a multiple of 8 from 24 to 240, got " << registers;
  int64_t warpgroups = getWarpgroups(), most = getKind() == RoleKind::Producer ? 1 : 3;
  if (warpgroups < 1 || warpgroups > most)
    return emitOpError() << "a " << stringifyRoleKind(getKind()) << " role has 1 to " << most << " warpgroups, got "
                         << warpgroups;
  return success();
}

/// What `block` hands to the next one, as its types.
static SmallVector<Type> yieldedTypes(Block &block) {
  if (auto yield = block.empty() ? RoleYieldOp() : dyn_cast<RoleYieldOp>(block.back()))
    return SmallVector<Type>(yield.getOperandTypes());
  return {};
}

/// What runs around all programs uses nothing of one.
static LogicalResult verifyOutside(Region &region, ForTilesOp tiles) {
  WalkResult result = region.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (operand.getParentRegion() == &tiles.getBody()) {
        InFlightDiagnostic diag = op->emitOpError()
                                  << "uses a value of one program, but runs "
                                  << (region.getRegionNumber() == 1 ? "before the first" : "after the last")
                                  << "; keep the value in the role (warp.role_yield)";
        diag.attachNote(operand.getLoc()) << "computed for each program here";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult RoleOp::verifyRegions() {
  if (getEnter().empty() != getLeave().empty())
    return emitOpError() << "has " << (getEnter().empty() ? "leave" : "enter") << " without "
                         << (getEnter().empty() ? "enter" : "leave") << "; give both, or neither";
  if (!spansPrograms()) {
    if (getBody().getNumArguments() != 0 || !yieldedTypes(getBody().front()).empty())
      return emitOpError() << "keeps values from program to program, but no enter gives the first ones";
    return success();
  }
  auto tiles = dyn_cast<ForTilesOp>((*this)->getParentOp()->getParentOp());
  if (!tiles)
    return emitOpError() << "has enter and leave, but runs one program; only roles in a warp.for_tiles have them";
  if (getEnter().getNumArguments() != 0)
    return emitOpError() << "enter takes no values, got " << getEnter().getNumArguments();
  SmallVector<Type> kept(getBody().getArgumentTypes());
  if (yieldedTypes(getLeave().front()).size() != 0)
    return emitOpError() << "leave has nothing to hand values to; end it without warp.role_yield";
  for (auto [types, what] : {std::pair(yieldedTypes(getEnter().front()), "enter gives"),
                             std::pair(yieldedTypes(getBody().front()), "the body hands on"),
                             std::pair(SmallVector<Type>(getLeave().getArgumentTypes()), "leave takes")})
    if (types != kept)
      return emitOpError() << "keeps " << kept << " from program to program, but " << what << ' ' << types;
  return failure(failed(verifyOutside(getEnter(), tiles)) || failed(verifyOutside(getLeave(), tiles)));
}

} // namespace lacuna::warp
