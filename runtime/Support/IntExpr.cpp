#include "lacuna/Runtime/IntExpr.h"

#include <array>
#include <cassert>
#include <cctype>
#include <limits>

namespace lacuna::runtime {

/// Recursive descent; each level appends its code and tells how deep the operand stack gets. A negative `failure`
/// column means success so far; the first failure stands and stops every level.
class IntExpr::Parser {
public:
  Parser(std::string_view text, std::span<const std::string> names, IntExpr &result)
      : text(text), names(names), code(result.code) {}

  Expected<void> run() {
    parseOr();
    skipSpace();
    if (!failed && position != text.size())
      fail("an operator or the end");
    if (failed)
      return makeError(ErrorCode::ParseError, "in '{}', column {}: {}", text, failureColumn + 1, failure);
    return {};
  }

private:
  void fail(std::string expected) {
    if (failed)
      return;
    std::string found = position < text.size() ? fmt::format("'{}'", text[position]) : "the end";
    failWith(fmt::format("found {}, expected {}", found, expected), position);
  }
  void failWith(std::string message, size_t column) {
    if (failed)
      return;
    failed = true;
    failureColumn = column;
    failure = std::move(message);
  }

  void skipSpace() {
    while (position < text.size() && std::isspace(static_cast<unsigned char>(text[position])))
      ++position;
  }

  bool consume(std::string_view token) {
    skipSpace();
    if (failed || text.substr(position, token.size()) != token)
      return false;
    position += token.size();
    return true;
  }

  void require(std::string_view token) {
    if (!consume(token))
      fail(fmt::format("'{}'", token));
  }

  void push(Op op, int64_t operand = 0) {
    code.push_back({op, operand});
    if (op == Op::Constant || op == Op::Name) {
      if (++depth > kMaxDepth)
        failWith(fmt::format("the expression nests deeper than {} operands; simplify it", kMaxDepth), position);
    } else if (op != Op::Negate && op != Op::Not && op != Op::Bool) {
      --depth;
    }
  }

  /// a || b  becomes  a; OrJump end; b; Bool; end:   (&& likewise)
  void parseShortCircuit(std::string_view token, Op jump, void (Parser::*operand)()) {
    (this->*operand)();
    while (consume(token)) {
      size_t at = code.size();
      push(jump);
      (this->*operand)();
      push(Op::Bool);
      code[at].operand = static_cast<int64_t>(code.size());
    }
  }
  void parseOr() { parseShortCircuit("||", Op::OrJump, &Parser::parseAnd); }
  void parseAnd() { parseShortCircuit("&&", Op::AndJump, &Parser::parseCompare); }

  void parseCompare() {
    parseSum();
    static constexpr std::pair<std::string_view, Op> kTable[] = {{"==", Op::Eq}, {"!=", Op::Ne}, {"<=", Op::Le},
                                                                 {">=", Op::Ge}, {"<", Op::Lt},  {">", Op::Gt}};
    for (auto [token, op] : kTable)
      if (consume(token)) {
        parseSum();
        return push(op);
      }
  }

  void parseSum() {
    parseProduct();
    while (!failed) {
      Op op = consume("+") ? Op::Add : consume("-") ? Op::Sub : Op::Constant;
      if (op == Op::Constant)
        return;
      parseProduct();
      push(op);
    }
  }

  void parseProduct() {
    parseUnary();
    while (!failed) {
      Op op = consume("*") ? Op::Mul : consume("/") ? Op::Div : consume("%") ? Op::Mod : Op::Constant;
      if (op == Op::Constant)
        return;
      parseUnary();
      push(op);
    }
  }

  void parseUnary() {
    if (++nesting > kMaxDepth)
      failWith(fmt::format("the expression nests deeper than {} levels; simplify it", kMaxDepth), position);
    if (failed)
      return;
    skipSpace();
    bool notEqual = text.substr(position, 2) == "!=";
    if (consume("-")) {
      parseUnary();
      push(Op::Negate);
    } else if (!notEqual && consume("!")) {
      parseUnary();
      push(Op::Not);
    } else if (consume("(")) {
      parseOr();
      require(")");
    } else {
      parseAtom();
    }
    --nesting;
  }

  void parseAtom() {
    skipSpace();
    size_t start = position;
    if (position < text.size() && std::isdigit(static_cast<unsigned char>(text[position])))
      return parseNumber();
    while (position < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[position])) || text[position] == '_'))
      ++position;
    std::string_view name = text.substr(start, position - start);
    if (name.empty())
      return fail("a number, a name, '-', '!' or '('");
    static constexpr std::pair<std::string_view, Op> kCalls[] = {
        {"ceildiv", Op::CeilDiv}, {"min", Op::Min}, {"max", Op::Max}};
    for (auto [call, op] : kCalls)
      if (name == call && consume("(")) {
        parseOr();
        require(",");
        parseOr();
        require(")");
        return push(op);
      }
    for (size_t index = 0; index < names.size(); ++index)
      if (names[index] == name)
        return push(Op::Name, static_cast<int64_t>(index));
    std::string known;
    for (const std::string &each : names)
      known += (known.empty() ? "" : ", ") + each;
    failWith(fmt::format("'{}' is unknown; known names: {}", name, known.empty() ? "none" : known), start);
  }

  void parseNumber() {
    size_t start = position;
    int64_t value = 0;
    bool overflow = false;
    for (; position < text.size() && std::isdigit(static_cast<unsigned char>(text[position])); ++position)
      overflow |= __builtin_mul_overflow(value, int64_t(10), &value) ||
                  __builtin_add_overflow(value, int64_t(text[position] - '0'), &value);
    if (overflow)
      return failWith("the number does not fit 64 bits", start);
    push(Op::Constant, value);
  }

  std::string_view text;
  std::span<const std::string> names;
  std::vector<Instruction> &code;
  size_t position = 0;
  int depth = 0, nesting = 0;
  bool failed = false;
  size_t failureColumn = 0;
  std::string failure;
};

Expected<IntExpr> IntExpr::parse(std::string_view text, std::span<const std::string> names) {
  IntExpr result;
  result.source = text;
  result.numNames = names.size();
  Expected<void> parsed = Parser(text, names, result).run();
  if (!parsed)
    return takeError(parsed);
  return result;
}

/// Puts `lhs op rhs` into `result`; returns what went wrong, or null.
const char *IntExpr::apply(Op op, int64_t lhs, int64_t rhs, int64_t &result) {
  constexpr const char *kOverflow = "overflows 64 bits";
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  switch (op) {
  case Op::Add:
    return __builtin_add_overflow(lhs, rhs, &result) ? kOverflow : nullptr;
  case Op::Sub:
    return __builtin_sub_overflow(lhs, rhs, &result) ? kOverflow : nullptr;
  case Op::Mul:
    return __builtin_mul_overflow(lhs, rhs, &result) ? kOverflow : nullptr;
  case Op::Div:
  case Op::Mod:
  case Op::CeilDiv:
    if (rhs == 0)
      return "divides by zero";
    if (lhs == kLowest && rhs == -1)
      return kOverflow;
    result = op == Op::Mod ? lhs % rhs : lhs / rhs;
    if (op == Op::CeilDiv && lhs % rhs != 0 && (lhs < 0) == (rhs < 0))
      ++result;
    return nullptr;
  case Op::Min:
    result = lhs < rhs ? lhs : rhs;
    return nullptr;
  case Op::Max:
    result = lhs > rhs ? lhs : rhs;
    return nullptr;
  case Op::Eq:
    result = lhs == rhs;
    return nullptr;
  case Op::Ne:
    result = lhs != rhs;
    return nullptr;
  case Op::Lt:
    result = lhs < rhs;
    return nullptr;
  case Op::Le:
    result = lhs <= rhs;
    return nullptr;
  case Op::Gt:
    result = lhs > rhs;
    return nullptr;
  case Op::Ge:
    result = lhs >= rhs;
    return nullptr;
  default:
    assert(false && "not a binary operation");
    return nullptr;
  }
}

Expected<int64_t> IntExpr::evaluate(std::span<const int64_t> values) const {
  assert(values.size() >= numNames && "one value a name");
  std::array<int64_t, kMaxDepth> stack;
  size_t size = 0;
  for (size_t at = 0; at < code.size(); ++at) {
    const auto [op, operand] = code[at];
    switch (op) {
    case Op::Constant:
      stack[size++] = operand;
      break;
    case Op::Name:
      stack[size++] = values[static_cast<size_t>(operand)];
      break;
    case Op::Negate:
      if (__builtin_sub_overflow(int64_t(0), stack[size - 1], &stack[size - 1]))
        return makeError(ErrorCode::InvalidArgument, "'{}' overflows 64 bits", source);
      break;
    case Op::Not:
      stack[size - 1] = stack[size - 1] == 0;
      break;
    case Op::Bool:
      stack[size - 1] = stack[size - 1] != 0;
      break;
    case Op::AndJump:
    case Op::OrJump:
      if ((stack[size - 1] != 0) == (op == Op::OrJump)) {
        stack[size - 1] = op == Op::OrJump;
        at = static_cast<size_t>(operand) - 1;
      } else {
        --size;
      }
      break;
    default: {
      --size;
      int64_t result = 0;
      if (const char *problem = apply(op, stack[size - 1], stack[size], result))
        return makeError(ErrorCode::InvalidArgument, "'{}' {}", source, problem);
      stack[size - 1] = result;
    }
    }
  }
  return stack[0];
}

} // namespace lacuna::runtime
