// tile.bands: text form, checks, and bands that are plainly empty.
#include "lacuna/Dialect/Tile/IR/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace lacuna::tile {

static constexpr size_t kBounds = 4; // of a band

SmallVector<Band> bandsOf(ValueRange bounds) {
  SmallVector<Band> bands;
  for (size_t at = 0; at < bounds.size(); at += kBounds)
    bands.push_back({bounds[at], bounds[at + 1], bounds[at + 2], bounds[at + 3]});
  return bands;
}

LogicalResult verifyBands(Operation *op, ValueRange bounds) {
  if (bounds.empty() || bounds.size() % kBounds != 0 || bounds.size() > kBounds * kMaxBands)
    return op->emitOpError() << "takes one to " << kMaxBands << " bands of " << kBounds << " bounds each, got "
                             << bounds.size() << " bounds";
  return success();
}

ParseResult parseBands(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::UnresolvedOperand> &bounds) {
  return parser.parseCommaSeparatedList([&]() -> ParseResult {
    auto span = [&]() -> ParseResult {
      return failure(parser.parseOperand(bounds.emplace_back()) || parser.parseKeyword("to") ||
                     parser.parseOperand(bounds.emplace_back()));
    };
    return failure(parser.parseLParen() || span() || parser.parseKeyword("all") || span() || parser.parseRParen());
  });
}

void printBands(OpAsmPrinter &printer, Operation *, OperandRange bounds) {
  llvm::interleaveComma(bandsOf(bounds), printer, [&](const Band &band) {
    printer << '(' << band.someBegin << " to " << band.someEnd << " all " << band.allBegin << " to " << band.allEnd
            << ')';
  });
}

LogicalResult BandsType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t keyBlock) {
  if (keyBlock <= 0 || keyBlock % kTileMultiple != 0)
    return emitError() << "a block of keys is a positive multiple of " << kTileMultiple << ", got " << keyBlock;
  return success();
}

LogicalResult BandsOp::verify() {
  return verifyBands(*this, getBounds());
}

/// Whether `value` is plainly not above zero.
static bool isAtMostZero(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return !constant.isStrictlyPositive();
  auto least = value.getDefiningOp<arith::MinSIOp>();
  return least && (isAtMostZero(least.getLhs()) || isAtMostZero(least.getRhs()));
}

/// Takes out bands that no block meets; one stays.
LogicalResult BandsOp::canonicalize(BandsOp op, PatternRewriter &rewriter) {
  SmallVector<Value> kept;
  for (const Band &band : bandsOf(op.getBounds()))
    if (!isAtMostZero(band.someEnd))
      kept.append({band.someBegin, band.someEnd, band.allBegin, band.allEnd});
  if (kept.size() == op.getBounds().size() || kept.empty())
    return failure();
  rewriter.replaceOpWithNewOp<BandsOp>(op, op.getType(), kept);
  return success();
}

} // namespace lacuna::tile
