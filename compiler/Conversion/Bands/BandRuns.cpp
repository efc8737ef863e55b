#include "BandRuns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lacuna {
namespace {

/// [begin, end), empty where the end is not past the begin.
struct Span {
  Value begin, end;
};

/// The blocks of one band: [begin, end), of which [full.begin, full.end) are full.
struct BandBlocks {
  Value begin, end;
  Span full;
};

class BandEmitter {
public:
  BandEmitter(OpBuilder &builder, Location loc, int64_t keyBlock, Value limit)
      : builder(builder), loc(loc), keyBlock(keyBlock), limit(limit), zero(constant(0)), one(constant(1)) {
    allBlocks = blockAfter(limit);
  }

  BandRuns emit(ArrayRef<tile::Band> bands);

private:
  Value constant(int64_t value) { return builder.create<arith::ConstantIntOp>(loc, value, 32); }
  template <class Op> Value make(Value a, Value b) { return builder.createOrFold<Op>(loc, a, b); }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return builder.createOrFold<arith::CmpIOp>(loc, predicate, a, b);
  }
  Value select(Value condition, Value yes, Value no) {
    return builder.createOrFold<arith::SelectOp>(loc, condition, yes, no);
  }
  static bool isZero(Value value) { return matchPattern(value, m_Zero()); }

  /// Whether it is seen to go from 0 to the limit, and so not to be empty.
  bool isWhole(const Span &span) const { return isZero(span.begin) && span.end == limit; }
  /// The first block past the one of position `end` - 1; `end` is at least 1.
  Value blockAfter(Value end) {
    return make<arith::AddIOp>(make<arith::DivUIOp>(make<arith::SubIOp>(end, one), constant(keyBlock)), one);
  }
  Span clip(Value begin, Value end);
  Span unite(const Span &a, const Span &b);
  void uniteNeighbours(SmallVectorImpl<Span> &all);
  BandBlocks blocksOf(const Span &some, const Span &all, Value &listed);

  OpBuilder &builder;
  Location loc;
  int64_t keyBlock;
  Value limit, zero, one, allBlocks;
};

} // namespace

/// The positions of the span from 0 to the limit. Its bounds are not negative.
Span BandEmitter::clip(Value begin, Value end) {
  APInt known;
  bool isPastAll = matchPattern(end, m_ConstantInt(&known)) && known.isMaxSignedValue();
  Value last = isPastAll ? limit : make<arith::MinSIOp>(end, limit);
  return {make<arith::MaxSIOp>(begin, zero), last == limit ? last : make<arith::MaxSIOp>(last, zero)};
}

/// Both spans as one where they overlap or touch and none is empty, else `a`.
Span BandEmitter::unite(const Span &a, const Span &b) {
  auto below = [&](Value low, Value high) { return compare(arith::CmpIPredicate::slt, low, high); };
  auto upTo = [&](Value low, Value high) { return compare(arith::CmpIPredicate::sle, low, high); };
  Value some = make<arith::AndIOp>(below(a.begin, a.end), below(b.begin, b.end));
  Value touch = make<arith::AndIOp>(upTo(a.begin, b.end), upTo(b.begin, a.end));
  Value both = make<arith::AndIOp>(some, touch);
  return {select(both, make<arith::MinSIOp>(a.begin, b.begin), a.begin),
          select(both, make<arith::MaxSIOp>(a.end, b.end), a.end)};
}

/// Forwards, then backwards: a chain of touching spans becomes one in all of them.
void BandEmitter::uniteNeighbours(SmallVectorImpl<Span> &all) {
  for (size_t band = 1; band < all.size(); ++band)
    all[band] = unite(all[band], all[band - 1]);
  for (size_t band = all.size(); band-- > 1;)
    all[band - 1] = unite(all[band - 1], all[band]);
}

/// `listed`: the end of the blocks that earlier bands list (null: none); moved on.
BandBlocks BandEmitter::blocksOf(const Span &some, const Span &all, Value &listed) {
  Value width = constant(keyBlock);
  Value end = isWhole(some)
                  ? allBlocks
                  : select(compare(arith::CmpIPredicate::slt, some.begin, some.end), blockAfter(some.end), zero);
  Value begin = make<arith::DivUIOp>(some.begin, width);
  if (listed)
    begin = make<arith::MaxSIOp>(begin, listed);
  listed = listed ? make<arith::MaxSIOp>(end, listed) : end;
  if (!isZero(begin))
    end = make<arith::MaxSIOp>(end, begin);

  // The first block that begins in `all` and the first after it that does not end there; the last block of all need
  // only reach the limit.
  Value first =
      isZero(all.begin) ? zero : make<arith::DivUIOp>(make<arith::AddIOp>(all.begin, constant(keyBlock - 1)), width);
  Value last =
      select(compare(arith::CmpIPredicate::sge, all.end, limit), allBlocks, make<arith::DivUIOp>(all.end, width));
  first = isZero(first) ? begin : make<arith::MinSIOp>(make<arith::MaxSIOp>(first, begin), end);
  last = make<arith::MinSIOp>(last, end);
  return {begin, end, {first, isZero(first) ? last : make<arith::MaxSIOp>(last, first)}};
}

BandRuns BandEmitter::emit(ArrayRef<tile::Band> bands) {
  SmallVector<Span> all;
  for (const tile::Band &band : bands)
    all.push_back(clip(band.allBegin, band.allEnd));
  uniteNeighbours(all);
  BandRuns result;
  SmallVector<Span> partial, full;
  Value listed;
  for (auto [band, whole] : llvm::zip(bands, all)) {
    Span some = clip(band.someBegin, band.someEnd);
    result.neverEmpty |= isWhole(some);
    BandBlocks blocks = blocksOf(some, whole, listed);
    partial.append({{blocks.begin, blocks.full.begin}, {blocks.full.end, blocks.end}});
    full.push_back(blocks.full);
  }
  Value count = zero;
  auto addRun = [&](const Span &run) {
    Value length = make<arith::SubIOp>(run.end, run.begin);
    if (isZero(length))
      return;
    Value offset = make<arith::SubIOp>(run.begin, count);
    count = make<arith::AddIOp>(count, length);
    result.runs.push_back({count, offset});
  };
  llvm::for_each(partial, addRun);
  result.partialBlocks = count;
  llvm::for_each(full, addRun);
  result.blocks = count;
  if (result.runs.empty())
    result.runs.push_back({zero, zero});
  return result;
}

size_t mostRuns(size_t bounds) {
  return 3 * bounds / 4;
}

BandRuns emitBandRuns(OpBuilder &builder, Location loc, ArrayRef<tile::Band> bands, int64_t keyBlock, Value limit) {
  return BandEmitter(builder, loc, keyBlock, limit).emit(bands);
}

Value emitBlockOf(OpBuilder &builder, Location loc, ArrayRef<EntryRun> runs, Value entry) {
  Value offset = runs.back().offset;
  for (const EntryRun &run : llvm::reverse(runs.drop_back())) {
    Value within = builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, entry, run.end);
    offset = builder.createOrFold<arith::SelectOp>(loc, within, run.offset, offset);
  }
  return builder.createOrFold<arith::AddIOp>(loc, entry, offset);
}

} // namespace lacuna
