//===- ParseStmt.cpp - Parsing of statements ------------------------------===//

#include "ParserImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

bool Parser::parseBlock(Block &block) {
  Nesting guard(*this);
  if (!guard)
    return false;
  SourceRange opening = current().range;
  if (!expect(TokenKind::LBrace, "at the beginning of the body"))
    return false;
  while (!is(TokenKind::RBrace) && !is(TokenKind::End) && !atDecl()) {
    if (takeIf(TokenKind::Semicolon))
      continue;
    size_t begin = at;
    if (std::unique_ptr<Stmt> stmt = parseStmt())
      block.push_back(std::move(stmt));
    else
      synchronizeStmt(begin);
  }
  return expectClosing(TokenKind::RBrace, opening);
}

std::unique_ptr<Stmt> Parser::parseStmt() {
  Identifier label;
  if (is(TokenKind::Identifier) && peek().is(TokenKind::Colon)) {
    Token name = take();
    label = {name.text(), name.range};
    take();
  }
  std::unique_ptr<Stmt> stmt = parseUnlabelled();
  if (stmt)
    stmt->label = label;
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseUnlabelled() {
  switch (current().kind) {
  case TokenKind::KwLet:
  case TokenKind::KwVar:
    return parseDeclare();
  case TokenKind::KwIf:
    return parseIf();
  case TokenKind::KwFor:
    return parseFor();
  case TokenKind::KwStore:
    return parseStore();
  case TokenKind::Identifier:
    if (peek().is(TokenKind::Equal))
      return parseAssign();
    if (peek().is(TokenKind::LBracket)) {
      error(current().range,
            fmt::format("an element of a tile cannot be assigned; write `store {0}[...] = value` if '{0}' is a "
                        "view, or `map` to compute a tile",
                        current().text()));
      return nullptr;
    }
    [[fallthrough]];
  default:
    error(current().range,
          fmt::format("expected a statement, but found {}; a statement begins with let, var, if, for, store, or "
                      "`name =`",
                      found()));
    return nullptr;
  }
}

std::unique_ptr<Stmt> Parser::parseDeclare() {
  Token keyword = take();
  auto stmt = std::make_unique<DeclareStmt>(keyword.range);
  stmt->isVar = keyword.is(TokenKind::KwVar);
  stmt->name = expectName(fmt::format("a name after `{}`", keyword.text()));
  if (!stmt->name)
    return nullptr;
  if (takeIf(TokenKind::Colon)) {
    stmt->type = parseType();
    if (!stmt->type)
      return nullptr;
  }
  if (!expect(TokenKind::Equal, fmt::format("and a first value for '{}'", stmt->name.name)) ||
      !(stmt->value = parseExpr()))
    return nullptr;
  stmt->range = rangeFrom(stmt->range);
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseAssign() {
  Token name = take();
  take(); // '='
  auto stmt = std::make_unique<AssignStmt>(name.range);
  stmt->name = {name.text(), name.range};
  if (!(stmt->value = parseExpr()))
    return nullptr;
  stmt->range = rangeFrom(stmt->range);
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseIf() {
  Nesting guard(*this); // `else if` recurses without a block of its own
  if (!guard)
    return nullptr;
  auto stmt = std::make_unique<IfStmt>(take().range);
  if (!(stmt->condition = parseExpr()))
    return nullptr;
  stmt->range = rangeFrom(stmt->range);
  if (!parseBlock(stmt->thenBlock))
    return nullptr;
  if (!takeIf(TokenKind::KwElse))
    return stmt;
  stmt->hasElse = true;
  if (!is(TokenKind::KwIf))
    return parseBlock(stmt->elseBlock) ? std::move(stmt) : nullptr;
  std::unique_ptr<Stmt> nested = parseIf();
  if (!nested)
    return nullptr;
  stmt->elseBlock.push_back(std::move(nested));
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseFor() {
  SourceRange begin = take().range;
  Identifier variable = expectName("the loop's variable after `for`");
  if (!variable || !expect(TokenKind::KwIn, "after the loop's variable"))
    return nullptr;
  ExprPtr domain = parseBinary(4);
  if (!domain)
    return nullptr;
  if (takeIf(TokenKind::DotDot)) {
    auto loop = std::make_unique<ForRangeStmt>(begin);
    loop->variable = variable;
    loop->begin = std::move(domain);
    if (!(loop->end = parseBinary(4)) || (takeIf(TokenKind::KwBy) && !(loop->step = parseBinary(4))))
      return nullptr;
    loop->range = rangeFrom(begin);
    return parseBlock(loop->body) ? std::move(loop) : nullptr;
  }
  auto *index = llvm::dyn_cast<IndexExpr>(domain.get());
  if (!index) {
    error(domain->range, "a loop runs over a range or over a block list; write `for i in a..b by step` or "
                         "`for t in rows[b, h, r] by BN`");
    return nullptr;
  }
  auto loop = std::make_unique<ForBlocksStmt>(begin);
  loop->variable = variable;
  loop->list = std::move(index->access);
  if (!expect(TokenKind::KwBy, "and the step after a block list, as in `for t in rows[b, h, r] by BN`") ||
      !(loop->step = parseBinary(4)))
    return nullptr;
  loop->range = rangeFrom(begin);
  return parseBlock(loop->body) ? std::move(loop) : nullptr;
}

std::unique_ptr<Stmt> Parser::parseStore() {
  auto stmt = std::make_unique<StoreStmt>(take().range);
  if (!parseAccess(stmt->target, "the view to store to") || !expect(TokenKind::Equal, "and the value to store") ||
      !(stmt->value = parseExpr()))
    return nullptr;
  stmt->range = rangeFrom(stmt->range);
  return stmt;
}
