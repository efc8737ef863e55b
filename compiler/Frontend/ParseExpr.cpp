//===- ParseExpr.cpp - Parsing of expressions -----------------------------===//

#include "ParserImpl.h"

#include <cstdlib>

using namespace lacuna;
using namespace lacuna::frontend;

std::string_view lacuna::frontend::spelling(BinaryOp op) {
  constexpr std::string_view kSpellings[] = {"||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"};
  return kSpellings[static_cast<size_t>(op)];
}

int lacuna::frontend::precedence(BinaryOp op) {
  if (op <= BinaryOp::And)
    return op == BinaryOp::Or ? 1 : 2;
  if (op <= BinaryOp::GreaterEqual)
    return 3;
  return op <= BinaryOp::Sub ? 4 : 5;
}

static std::optional<BinaryOp> binaryOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::OrOr:
    return BinaryOp::Or;
  case TokenKind::AndAnd:
    return BinaryOp::And;
  case TokenKind::EqualEqual:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  case TokenKind::Plus:
    return BinaryOp::Add;
  case TokenKind::Minus:
    return BinaryOp::Sub;
  case TokenKind::Star:
    return BinaryOp::Mul;
  case TokenKind::Slash:
    return BinaryOp::Div;
  case TokenKind::Percent:
    return BinaryOp::Rem;
  default:
    return std::nullopt;
  }
}

ExprPtr Parser::finish(ExprPtr expr, std::initializer_list<const Expr *> operands) {
  for (const Expr *operand : operands)
    if (operand)
      expr->depth = std::max(expr->depth, operand->depth + 1);
  if (expr->depth <= kMaxDepth)
    return expr;
  giveUp();
  return nullptr;
}

ExprPtr Parser::parseWholeExpression() {
  ExprPtr expr = parseExpr();
  if (expr && !is(TokenKind::End)) {
    error(current().range, fmt::format("the expression ends before {}; give one expression only", found()));
    return nullptr;
  }
  return diagnostics.hasErrors() ? nullptr : std::move(expr);
}

ExprPtr Parser::parseExpr() {
  Nesting guard(*this);
  if (!guard)
    return nullptr;
  ExprPtr condition = parseBinary(1);
  if (!condition || !takeIf(TokenKind::Question))
    return condition;
  auto select = std::make_unique<SelectExpr>(condition->range);
  select->condition = std::move(condition);
  if (!(select->whenTrue = parseExpr()))
    return nullptr;
  if (!expect(TokenKind::Colon, "between the two values of `condition ? a : b`") || !(select->whenFalse = parseExpr()))
    return nullptr;
  select->range = select->range.to(select->whenFalse->range);
  const Expr *operands[] = {select->condition.get(), select->whenTrue.get(), select->whenFalse.get()};
  return finish(std::move(select), {operands[0], operands[1], operands[2]});
}

ExprPtr Parser::parseBinary(int minPrecedence) {
  ExprPtr lhs = parseCast();
  while (lhs) {
    std::optional<BinaryOp> op = binaryOp(current().kind);
    if (!op || precedence(*op) < minPrecedence)
      return lhs;
    Token opToken = take();
    ExprPtr rhs = parseBinary(precedence(*op) + 1);
    if (!rhs)
      return nullptr;
    if (isComparison(*op) && binaryOp(current().kind) && isComparison(*binaryOp(current().kind))) {
      error(current().range, fmt::format("comparisons do not chain; write `a {0} b && b {1} c`, or add parentheses",
                                         opToken.text(), current().text()));
      return nullptr;
    }
    auto binary = std::make_unique<BinaryExpr>(lhs->range.to(rhs->range));
    binary->op = *op;
    binary->opRange = opToken.range;
    const Expr *left = lhs.get(), *right = rhs.get();
    binary->lhs = std::move(lhs);
    binary->rhs = std::move(rhs);
    lhs = finish(std::move(binary), {left, right});
  }
  return nullptr;
}

ExprPtr Parser::parseCast() {
  ExprPtr expr = parseUnary();
  while (expr && takeIf(TokenKind::KwAs)) {
    auto cast = std::make_unique<CastExpr>(expr->range);
    cast->dtype = expectName("the type to convert to (f32, i32, bf16, f16 or a dtype param) after 'as'");
    if (!cast->dtype)
      return nullptr;
    cast->range = cast->range.to(cast->dtype.range);
    const Expr *operand = expr.get();
    cast->operand = std::move(expr);
    expr = finish(std::move(cast), {operand});
  }
  return expr;
}

ExprPtr Parser::parseUnary() {
  if (!is(TokenKind::Minus) && !is(TokenKind::Not))
    return parsePrimary();
  Nesting guard(*this);
  if (!guard)
    return nullptr;
  Token op = take();
  auto unary = std::make_unique<UnaryExpr>(op.range);
  unary->op = op.is(TokenKind::Minus) ? UnaryOp::Negate : UnaryOp::Not;
  if (!(unary->operand = parseUnary()))
    return nullptr;
  unary->range = op.range.to(unary->operand->range);
  const Expr *operand = unary->operand.get();
  return finish(std::move(unary), {operand});
}

ExprPtr Parser::parsePrimary() {
  SourceRange begin = current().range;
  switch (current().kind) {
  case TokenKind::Integer:
  case TokenKind::Float:
    return parseNumber();
  case TokenKind::KwTrue:
  case TokenKind::KwFalse: {
    auto literal = std::make_unique<BoolExpr>(begin);
    literal->value = take().is(TokenKind::KwTrue);
    return literal;
  }
  case TokenKind::KwInf:
    take();
    return std::make_unique<InfinityExpr>(begin);
  case TokenKind::Identifier:
    return parseNameExpr();
  case TokenKind::LParen: {
    take();
    ExprPtr inner = parseExpr();
    if (!inner || !expectClosing(TokenKind::RParen, begin))
      return nullptr;
    inner->range = rangeFrom(begin);
    return inner;
  }
  case TokenKind::KwLoad: {
    take();
    auto load = std::make_unique<LoadExpr>(begin);
    if (!parseAccess(load->access, "the view to load from"))
      return nullptr;
    load->range = rangeFrom(begin);
    std::vector<const Expr *> operands;
    for (const Subscript &subscript : load->access.subscripts) {
      load->depth = std::max({load->depth, subscript.index ? subscript.index->depth + 1 : 1,
                              subscript.length ? subscript.length->depth + 1 : 1});
    }
    return finish(std::move(load), {});
  }
  case TokenKind::KwMap:
    return parseMap();
  default:
    error(begin, fmt::format("expected a value, but found {}; a value is a number, a name, a call, `load`, `map` or an "
                             "expression in parentheses",
                             found()));
    return nullptr;
  }
}

ExprPtr Parser::parseNumber() {
  Token token = take();
  if (token.is(TokenKind::Integer)) {
    auto literal = std::make_unique<IntegerExpr>(token.range);
    literal->value = token.value;
    return literal;
  }
  auto literal = std::make_unique<FloatExpr>(token.range);
  std::string text(token.text());
  literal->value = std::strtod(text.c_str(), nullptr);
  if (literal->value > 3.4028235677973366e38) { // half a step past the largest float32
    error(token.range,
          fmt::format("{} is too large for f32, whose largest finite value is 3.4028235e38; write `inf` for "
                      "infinity",
                      text));
    return nullptr;
  }
  return literal;
}

ExprPtr Parser::parseNameExpr() {
  Token name = take();
  Identifier identifier{name.text(), name.range};
  if (is(TokenKind::LParen)) {
    auto call = std::make_unique<CallExpr>(name.range);
    call->callee = identifier;
    SourceRange opening = take().range;
    if (!parseArguments(call->arguments, opening))
      return nullptr;
    call->range = rangeFrom(name.range);
    for (const ExprPtr &argument : call->arguments)
      call->depth = std::max(call->depth, argument->depth + 1);
    return finish(std::move(call), {});
  }
  if (is(TokenKind::LBracket)) {
    --at;
    auto index = std::make_unique<IndexExpr>(name.range);
    if (!parseAccess(index->access, "a name"))
      return nullptr;
    index->range = index->access.range;
    for (const Subscript &subscript : index->access.subscripts)
      index->depth = std::max({index->depth, subscript.index ? subscript.index->depth + 1 : 1,
                               subscript.length ? subscript.length->depth + 1 : 1});
    return finish(std::move(index), {});
  }
  if (takeIf(TokenKind::Dot)) {
    auto member = std::make_unique<MemberExpr>(name.range);
    member->base = identifier;
    member->member = expectName("the member's name after '.'");
    if (!member->member)
      return nullptr;
    member->range = rangeFrom(name.range);
    return member;
  }
  auto expr = std::make_unique<NameExpr>(name.range);
  expr->name = identifier.name;
  return expr;
}

bool Parser::parseArguments(std::vector<ExprPtr> &arguments, SourceRange opening) {
  if (takeIf(TokenKind::RParen))
    return true;
  do {
    ExprPtr argument = parseExpr();
    if (!argument)
      return false;
    arguments.push_back(std::move(argument));
  } while (takeIf(TokenKind::Comma));
  return expectClosing(TokenKind::RParen, opening);
}

bool Parser::parseAccess(Access &access, std::string_view what) {
  access.base = expectName(what);
  if (!access.base)
    return false;
  SourceRange opening = current().range;
  if (!expect(TokenKind::LBracket, fmt::format("after '{}', with one entry an axis, as in `{}[b, i :+ BM, :]`",
                                               access.base.name, access.base.name)))
    return false;
  do {
    if (!parseSubscript(access.subscripts.emplace_back()))
      return false;
  } while (takeIf(TokenKind::Comma));
  if (!expectClosing(TokenKind::RBracket, opening))
    return false;
  access.range = rangeFrom(access.base.range);
  return true;
}

bool Parser::parseSubscript(Subscript &subscript) {
  subscript.range = current().range;
  if (takeIf(TokenKind::Colon)) {
    subscript.kind = Subscript::Kind::Whole;
    return true;
  }
  if (!(subscript.index = parseExpr()))
    return false;
  if (takeIf(TokenKind::ColonPlus)) {
    subscript.kind = Subscript::Kind::Slice;
    if (!(subscript.length = parseExpr()))
      return false;
  }
  subscript.range = rangeFrom(subscript.range);
  return true;
}

ExprPtr Parser::parseMap() {
  SourceRange begin = take().range;
  auto map = std::make_unique<MapExpr>(begin);
  SourceRange opening = current().range;
  if (!expect(TokenKind::LParen, "after `map`, as in `map (x in s; i, j) => x + i`"))
    return nullptr;
  do {
    MapExpr::Input &input = map->inputs.emplace_back();
    input.name = expectName("the name of an element, as in `map (x in s; i, j) => x + i`");
    if (!input.name || !expect(TokenKind::KwIn, "between the element's name and its tile") ||
        !(input.tile = parseExpr()))
      return nullptr;
    map->depth = std::max(map->depth, input.tile->depth + 1);
  } while (takeIf(TokenKind::Comma));
  if (!parseMapIndices(*map) || !expectClosing(TokenKind::RParen, opening))
    return nullptr;
  if (!expect(TokenKind::FatArrow, "before the body of the map") || !(map->body = parseExpr()))
    return nullptr;
  map->range = begin.to(map->body->range);
  const Expr *body = map->body.get();
  return finish(std::move(map), {body});
}

bool Parser::parseMapIndices(MapExpr &map) {
  if (!takeIf(TokenKind::Semicolon))
    return true;
  map.row = expectName("the name of the row index, as in `map (x in s; i, j) => x + i`");
  if (!map.row || !expect(TokenKind::Comma, "between the names of the row and the column index"))
    return false;
  map.column = expectName("the name of the column index");
  return static_cast<bool>(map.column);
}
