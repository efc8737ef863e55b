#include "Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <bit>
#include <cmath>
#include <limits>

using namespace mlir;

namespace lacuna::interpreter {
namespace {

//===--------------------------------------------------------------------------------------------------------------===//
// Loops over values
//===--------------------------------------------------------------------------------------------------------------===//

template <class T> const std::vector<T> &valuesOf(const Tile &tile) {
  if constexpr (std::is_same_v<T, float>)
    return tile.floats;
  else
    return tile.ints;
}
template <class T> std::vector<T> &valuesOf(Tile &tile) {
  return const_cast<std::vector<T> &>(valuesOf<T>(static_cast<const Tile &>(tile)));
}

/// Operand values by index; a scalar stands still.
template <class T> struct Reader {
  const T *values;
  size_t stride;
  explicit Reader(const Tile &tile) : values(valuesOf<T>(tile).data()), stride(tile.type.form != Form::Scalar) {}
  T operator[](size_t index) const { return values[index * stride]; }
};

class Evaluator {
public:
  Evaluator(std::span<const TilePtr> operands, TileType type) : operands(operands), type(type) {}

  template <class Out, class In, class Body> Expected<Tile> unary(Body &&body) {
    if (Expected<void> fits = check<In>(1); !fits)
      return takeError(fits);
    Tile result(type);
    Reader<In> x(*operands[0]);
    std::vector<Out> &out = valuesOf<Out>(result);
    for (size_t index = 0; index < out.size(); ++index)
      out[index] = body(x[index]);
    return rounded(std::move(result));
  }

  template <class Out, class In, class Body> Expected<Tile> binary(Body &&body) {
    if (Expected<void> fits = check<In>(2); !fits)
      return takeError(fits);
    Tile result(type);
    Reader<In> x(*operands[0]), y(*operands[1]);
    std::vector<Out> &out = valuesOf<Out>(result);
    for (size_t index = 0; index < out.size(); ++index)
      out[index] = body(x[index], y[index]);
    return rounded(std::move(result));
  }

  Expected<Tile> fusedMultiplyAdd() {
    if (Expected<void> fits = check<float>(3); !fits)
      return takeError(fits);
    Tile result(type);
    Reader<float> x(*operands[0]), y(*operands[1]), z(*operands[2]);
    for (size_t index = 0; index < result.floats.size(); ++index)
      result.floats[index] = std::fma(x[index], y[index], z[index]);
    return rounded(std::move(result));
  }

  Expected<Tile> select() {
    Tile result(type);
    Reader<int32_t> condition(*operands[0]);
    auto choose = [&]<class T>(T) {
      Reader<T> yes(*operands[1]), no(*operands[2]);
      std::vector<T> &out = valuesOf<T>(result);
      for (size_t index = 0; index < out.size(); ++index)
        out[index] = condition[index] ? yes[index] : no[index];
    };
    isFloat(type.element) ? choose(float()) : choose(int32_t());
    return result;
  }

  /// An integer division: `body` is not called for a zero divisor.
  template <class Body> Expected<Tile> division(Body &&body) {
    for (int32_t divisor : operands[1]->ints)
      if (divisor == 0)
        return makeError(ErrorCode::VerifyError, "divides by zero");
    return binary<int32_t, int32_t>(body);
  }

  template <class Body> Expected<Tile> unsignedOf(Body &&body) {
    return binary<int32_t, int32_t>([&](int32_t x, int32_t y) {
      return static_cast<int32_t>(body(static_cast<uint32_t>(x), static_cast<uint32_t>(y)));
    });
  }

  Expected<Tile> compareInts(arith::CmpIPredicate predicate);
  Expected<Tile> compareFloats(arith::CmpFPredicate predicate);

private:
  template <class In> Expected<void> check(size_t count) {
    bool fits = operands.size() == count;
    for (const TilePtr &operand : operands)
      fits = fits && operand && isFloat(operand->type.element) == std::is_same_v<In, float> &&
             (operand->type.form == Form::Scalar || operand->size() == type.size());
    if (fits)
      return {};
    return makeError(ErrorCode::Unsupported, "has operands that the interpreter cannot combine");
  }
  Expected<Tile> rounded(Tile tile) {
    if (type.element == Element::BF16 || type.element == Element::F16)
      for (float &value : tile.floats)
        value = roundTo(type.element, value);
    if (type.element == Element::I1)
      for (int32_t &value : tile.ints)
        value &= 1;
    return tile;
  }

  std::span<const TilePtr> operands;
  TileType type;
};

Expected<Tile> Evaluator::compareInts(arith::CmpIPredicate predicate) {
  auto compare = [&](auto body) { return binary<int32_t, int32_t>(body); };
  auto compareUnsigned = [&](auto body) { return unsignedOf(body); };
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return compare([](int32_t x, int32_t y) { return x == y; });
  case arith::CmpIPredicate::ne:
    return compare([](int32_t x, int32_t y) { return x != y; });
  case arith::CmpIPredicate::slt:
    return compare([](int32_t x, int32_t y) { return x < y; });
  case arith::CmpIPredicate::sle:
    return compare([](int32_t x, int32_t y) { return x <= y; });
  case arith::CmpIPredicate::sgt:
    return compare([](int32_t x, int32_t y) { return x > y; });
  case arith::CmpIPredicate::sge:
    return compare([](int32_t x, int32_t y) { return x >= y; });
  case arith::CmpIPredicate::ult:
    return compareUnsigned([](uint32_t x, uint32_t y) { return x < y; });
  case arith::CmpIPredicate::ule:
    return compareUnsigned([](uint32_t x, uint32_t y) { return x <= y; });
  case arith::CmpIPredicate::ugt:
    return compareUnsigned([](uint32_t x, uint32_t y) { return x > y; });
  case arith::CmpIPredicate::uge:
    return compareUnsigned([](uint32_t x, uint32_t y) { return x >= y; });
  }
  llvm_unreachable("unknown predicate");
}

Expected<Tile> Evaluator::compareFloats(arith::CmpFPredicate predicate) {
  using Predicate = arith::CmpFPredicate;
  auto compare = [&](auto body) { return binary<int32_t, float>(body); };
  auto unordered = [](float x, float y) { return std::isunordered(x, y); };
  switch (predicate) {
  case Predicate::AlwaysFalse:
    return compare([](float, float) { return false; });
  case Predicate::AlwaysTrue:
    return compare([](float, float) { return true; });
  case Predicate::OEQ:
    return compare([](float x, float y) { return x == y; });
  case Predicate::OGT:
    return compare([](float x, float y) { return x > y; });
  case Predicate::OGE:
    return compare([](float x, float y) { return x >= y; });
  case Predicate::OLT:
    return compare([](float x, float y) { return x < y; });
  case Predicate::OLE:
    return compare([](float x, float y) { return x <= y; });
  case Predicate::ONE:
    return compare([](float x, float y) { return x < y || x > y; });
  case Predicate::ORD:
    return compare([&](float x, float y) { return !unordered(x, y); });
  case Predicate::UEQ:
    return compare([](float x, float y) { return !(x < y || x > y); });
  case Predicate::UGT:
    return compare([](float x, float y) { return !(x <= y); });
  case Predicate::UGE:
    return compare([](float x, float y) { return !(x < y); });
  case Predicate::ULT:
    return compare([](float x, float y) { return !(x >= y); });
  case Predicate::ULE:
    return compare([](float x, float y) { return !(x > y); });
  case Predicate::UNE:
    return compare([](float x, float y) { return x != y; });
  case Predicate::UNO:
    return compare(unordered);
  }
  llvm_unreachable("unknown predicate");
}

//===--------------------------------------------------------------------------------------------------------------===//
// The ops
//===--------------------------------------------------------------------------------------------------------------===//

int32_t divideSigned(int32_t x, int32_t y) {
  return y == -1 ? static_cast<int32_t>(0u - static_cast<uint32_t>(x)) : x / y;
}
int32_t remainderSigned(int32_t x, int32_t y) {
  return y == -1 ? 0 : x % y;
}
/// A shift by 32 or more gives what a shift of a wider integer would.
template <class T> int32_t shiftRight(T x, uint32_t by) {
  return static_cast<int32_t>(static_cast<int64_t>(x) >> std::min(by, 63u));
}

Expected<Tile> evaluateConstant(arith::ConstantOp op, TileType type) {
  TypedAttr value = op.getValue();
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    value = cast<TypedAttr>(splat.getSplatValue<Attribute>());
  Tile result(type);
  if (auto real = dyn_cast<FloatAttr>(value))
    std::fill(result.floats.begin(), result.floats.end(), static_cast<float>(real.getValueAsDouble()));
  else if (auto integer = dyn_cast<IntegerAttr>(value))
    std::fill(result.ints.begin(), result.ints.end(),
              static_cast<int32_t>(type.element == Element::I1 ? integer.getValue().getZExtValue()
                                                               : integer.getValue().getSExtValue()));
  else
    return makeError(ErrorCode::Unsupported, "is a constant that is neither a scalar nor the same everywhere");
  return result;
}

Expected<Tile> evaluateInteger(Operation *op, Evaluator &on) {
  using I = int32_t;
  using U = uint32_t;
  return llvm::TypeSwitch<Operation *, Expected<Tile>>(op)
      .Case([&](arith::CmpIOp op) { return on.compareInts(op.getPredicate()); })
      .Case([&](arith::AddIOp) { return on.unsignedOf([](U x, U y) { return x + y; }); })
      .Case([&](arith::SubIOp) { return on.unsignedOf([](U x, U y) { return x - y; }); })
      .Case([&](arith::MulIOp) { return on.unsignedOf([](U x, U y) { return x * y; }); })
      .Case([&](arith::AndIOp) { return on.unsignedOf([](U x, U y) { return x & y; }); })
      .Case([&](arith::OrIOp) { return on.unsignedOf([](U x, U y) { return x | y; }); })
      .Case([&](arith::XOrIOp) { return on.unsignedOf([](U x, U y) { return x ^ y; }); })
      .Case([&](arith::ShLIOp) { return on.unsignedOf([](U x, U y) { return y < 32 ? x << y : 0; }); })
      .Case([&](arith::ShRUIOp) { return on.unsignedOf([](U x, U y) { return shiftRight(x, y); }); })
      .Case([&](arith::ShRSIOp) { return on.binary<I, I>([](I x, I y) { return shiftRight(x, U(y)); }); })
      .Case([&](arith::MaxSIOp) { return on.binary<I, I>([](I x, I y) { return std::max(x, y); }); })
      .Case([&](arith::MinSIOp) { return on.binary<I, I>([](I x, I y) { return std::min(x, y); }); })
      .Case([&](arith::MaxUIOp) { return on.unsignedOf([](U x, U y) { return std::max(x, y); }); })
      .Case([&](arith::MinUIOp) { return on.unsignedOf([](U x, U y) { return std::min(x, y); }); })
      .Case([&](arith::DivSIOp) { return on.division(divideSigned); })
      .Case([&](arith::RemSIOp) { return on.division(remainderSigned); })
      .Case([&](arith::DivUIOp) { return on.division([](I x, I y) { return I(U(x) / U(y)); }); })
      .Case([&](arith::RemUIOp) { return on.division([](I x, I y) { return I(U(x) % U(y)); }); })
      .Case([&](arith::FloorDivSIOp) {
        return on.division([](I x, I y) { return divideSigned(x, y) - (remainderSigned(x, y) && (x < 0) != (y < 0)); });
      })
      .Case([&](arith::CeilDivSIOp) {
        return on.division([](I x, I y) { return divideSigned(x, y) + (remainderSigned(x, y) && (x < 0) == (y < 0)); });
      })
      .Case([&](math::AbsIOp) { return on.unary<I, I>([](I x) { return x < 0 ? I(0u - U(x)) : x; }); })
      .Case<arith::ExtUIOp, arith::TruncIOp>([&](auto) { return on.unary<I, I>([](I x) { return x; }); })
      .Case([&](arith::ExtSIOp) { return on.unary<I, I>([](I x) { return -x; }); }) // of an i1
      .Default([](Operation *) { return makeError(ErrorCode::Unsupported, "is not known to the interpreter"); });
}

Expected<Tile> evaluateConversion(Operation *op, Evaluator &on) {
  using I = int32_t;
  using F = float;
  return llvm::TypeSwitch<Operation *, Expected<Tile>>(op)
      .Case([&](arith::SelectOp) { return on.select(); })
      .Case([&](arith::CmpFOp op) { return on.compareFloats(op.getPredicate()); })
      .Case<arith::TruncFOp, arith::ExtFOp>([&](auto) { return on.unary<F, F>([](F x) { return x; }); })
      .Case([&](arith::SIToFPOp op) {
        const bool isBit = getElementTypeOrSelf(op.getIn().getType()).isInteger(1);
        return on.unary<F, I>([isBit](I x) { return static_cast<F>(isBit ? -x : x); });
      })
      .Case([&](arith::UIToFPOp) { return on.unary<F, I>([](I x) { return static_cast<F>(uint32_t(x)); }); })
      .Case([&](arith::FPToSIOp) { // saturates, as cvt does; NaN gives 0
        return on.unary<I, F>([](F x) {
          return std::isnan(x)   ? 0
                 : x >= 0x1p31f  ? std::numeric_limits<I>::max()
                 : x <= -0x1p31f ? std::numeric_limits<I>::min()
                                 : static_cast<I>(x);
        });
      })
      .Case([&](arith::BitcastOp op) -> Expected<Tile> {
        const bool from = getElementTypeOrSelf(op.getIn().getType()).isF32(),
                   to = getElementTypeOrSelf(op.getType()).isF32();
        if (from && !to)
          return on.unary<I, F>([](F x) { return std::bit_cast<I>(x); });
        if (!from && to)
          return on.unary<F, I>([](I x) { return std::bit_cast<F>(x); });
        return makeError(ErrorCode::Unsupported, "is a bitcast that the interpreter does not know");
      })
      .Default([&](Operation *op) { return evaluateInteger(op, on); });
}

} // namespace

Expected<Tile> evaluateElementwise(Operation *op, std::span<const TilePtr> operands) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0)
    return makeError(ErrorCode::Unsupported, "is not known to the interpreter");
  Expected<TileType> type = tileTypeOf(op->getResult(0).getType());
  if (!type)
    return takeError(type);
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return evaluateConstant(constant, *type);
  using F = float;
  Evaluator on(operands, *type);
  return llvm::TypeSwitch<Operation *, Expected<Tile>>(op)
      .Case([&](arith::AddFOp) { return on.binary<F, F>([](F x, F y) { return x + y; }); })
      .Case([&](arith::SubFOp) { return on.binary<F, F>([](F x, F y) { return x - y; }); })
      .Case([&](arith::MulFOp) { return on.binary<F, F>([](F x, F y) { return x * y; }); })
      .Case([&](arith::DivFOp) { return on.binary<F, F>([](F x, F y) { return x * (1 / y); }); })
      .Case([&](arith::RemFOp) { return on.binary<F, F>([](F x, F y) { return std::fmod(x, y); }); })
      .Case([&](arith::NegFOp) { return on.unary<F, F>([](F x) { return -x; }); })
      .Case([&](arith::MaxNumFOp) { return on.binary<F, F>([](F x, F y) { return std::fmax(x, y); }); })
      .Case([&](arith::MinNumFOp) { return on.binary<F, F>([](F x, F y) { return std::fmin(x, y); }); })
      .Case([&](arith::MaximumFOp) {
        return on.binary<F, F>([](F x, F y) { return std::isunordered(x, y) ? x + y : std::fmax(x, y); });
      })
      .Case([&](arith::MinimumFOp) {
        return on.binary<F, F>([](F x, F y) { return std::isunordered(x, y) ? x + y : std::fmin(x, y); });
      })
      .Case([&](math::FmaOp) { return on.fusedMultiplyAdd(); })
      .Case([&](math::Exp2Op) { return on.unary<F, F>([](F x) { return std::exp2(x); }); })
      .Case([&](math::ExpOp) { return on.unary<F, F>([](F x) { return std::exp(x); }); })
      .Case([&](math::Log2Op) { return on.unary<F, F>([](F x) { return std::log2(x); }); })
      .Case([&](math::LogOp) { return on.unary<F, F>([](F x) { return std::log(x); }); })
      .Case([&](math::TanhOp) { return on.unary<F, F>([](F x) { return std::tanh(x); }); })
      .Case([&](math::SqrtOp) { return on.unary<F, F>([](F x) { return std::sqrt(x); }); })
      .Case([&](math::RsqrtOp) { return on.unary<F, F>([](F x) { return 1 / std::sqrt(x); }); })
      .Case([&](math::AbsFOp) { return on.unary<F, F>([](F x) { return std::fabs(x); }); })
      .Case([&](math::FloorOp) { return on.unary<F, F>([](F x) { return std::floor(x); }); })
      .Case([&](math::CeilOp) { return on.unary<F, F>([](F x) { return std::ceil(x); }); })
      .Case([&](math::SinOp) { return on.unary<F, F>([](F x) { return std::sin(x); }); })
      .Case([&](math::CosOp) { return on.unary<F, F>([](F x) { return std::cos(x); }); })
      .Case([&](math::PowFOp) { return on.binary<F, F>([](F x, F y) { return std::pow(x, y); }); })
      .Default([&](Operation *op) { return evaluateConversion(op, on); });
}

} // namespace lacuna::interpreter
