//===- Parser.cpp - Tokens, errors and recovery of the parser ---------------===//

#include "ParserImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

static bool startsDecl(TokenKind kind) {
  return kind == TokenKind::KwParam || kind == TokenKind::KwHook || kind == TokenKind::KwPattern ||
         kind == TokenKind::KwKernel || kind == TokenKind::KwSchedule;
}

//===----------------------------------------------------------------------===//
// Tokens and errors
//===----------------------------------------------------------------------===//

bool Parser::startsLine(size_t index) const {
  if (index == 0)
    return true;
  uint32_t previous = tokens[index - 1].range.end, next = tokens[index].range.begin;
  return file.text().substr(previous, next - previous).find('\n') != std::string_view::npos;
}

bool Parser::atDecl() const {
  return startsDecl(current().kind) && startsLine(at);
}

std::string Parser::found() const {
  if (is(TokenKind::End))
    return "the end of the text";
  std::string_view text = current().text();
  return text.size() <= 40 ? fmt::format("'{}'", text) : fmt::format("'{}...'", text.substr(0, 40));
}

bool Parser::expect(TokenKind kind, std::string_view where) {
  if (takeIf(kind))
    return true;
  error(current().range, fmt::format("expected {} {}, but found {}", tokenKindName(kind), where, found()));
  return false;
}

bool Parser::expectClosing(TokenKind kind, SourceRange opening) {
  if (takeIf(kind))
    return true;
  if (!gaveUp && unclosedAt != at) // once where several brackets are open
    error(current().range, fmt::format("expected {}, but found {}", tokenKindName(kind), found()))
        .note(opening, fmt::format("to close this '{}'", opening.text()));
  unclosedAt = at;
  return false;
}

Identifier Parser::expectName(std::string_view what) {
  if (is(TokenKind::Identifier)) {
    Token token = take();
    return {token.text(), token.range};
  }
  Diagnostic &diagnostic = error(current().range, fmt::format("expected {}, but found {}", what, found()));
  if (current().kind > TokenKind::Float && isalpha(static_cast<unsigned char>(current().text().substr(0, 1).front())))
    diagnostic.note(fmt::format("'{}' is a reserved word; choose another name", current().text()));
  return {};
}

bool Parser::expectWord(std::string_view word, std::string_view where) {
  if (takeWord(word))
    return true;
  error(current().range, fmt::format("expected `{}` {}, but found {}", word, where, found()));
  return false;
}

void Parser::giveUp() {
  if (!gaveUp)
    error(current().range, fmt::format("this nests more than {} levels deep; split it with `let`", kMaxDepth));
  gaveUp = true;
  at = tokens.size() - 1;
}

void Parser::synchronizeDecl(size_t begin) {
  if (diagnostics.full())
    at = tokens.size() - 1;
  while (!is(TokenKind::End) && !(at != begin && atDecl()))
    take();
}

void Parser::synchronizeStmt(size_t begin) {
  if (diagnostics.full())
    at = tokens.size() - 1;
  for (unsigned depth = 0; !is(TokenKind::End); take()) {
    if (atDecl())
      return;
    if (is(TokenKind::LBrace))
      ++depth;
    if (is(TokenKind::RBrace) && depth-- == 0)
      return;
    if (depth != 0 || at == begin)
      continue;
    bool keyword = is(TokenKind::KwLet) || is(TokenKind::KwVar) || is(TokenKind::KwIf) || is(TokenKind::KwFor) ||
                   is(TokenKind::KwStore);
    bool nameFirst = is(TokenKind::Identifier) && (peek().is(TokenKind::Equal) || peek().is(TokenKind::Colon));
    if (startsLine(at) && (keyword || nameFirst))
      return;
  }
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

Expected<std::shared_ptr<const Module>> lacuna::frontend::parseModule(std::string fileName, std::string text) {
  if (text.size() > SourceFile::kMaxBytes)
    return makeError(ErrorCode::ParseError, "{} has {} bytes; a .tile text may have at most {}, so split it", fileName,
                     text.size(), SourceFile::kMaxBytes);
  if (size_t zero = text.find('\0'); zero != std::string::npos)
    return makeError(ErrorCode::ParseError,
                     "{} is no text: it has a zero byte at offset {}; give a .tile file in UTF-8", fileName, zero);
  auto source = std::make_shared<const SourceFile>(std::move(fileName), std::move(text));
  auto module = std::make_shared<Module>();
  module->source = source;
  DiagnosticSink diagnostics;
  Parser(*source, diagnostics).parseModule(*module);
  if (diagnostics.hasErrors())
    return tl::unexpected(diagnostics.toError());
  return module;
}

std::unique_ptr<PatternDecl> lacuna::frontend::parsePattern(const SourceFile &file, DiagnosticSink &diagnostics,
                                                            uint32_t begin) {
  return Parser(file, diagnostics, begin).parseWholePattern();
}

ExprPtr lacuna::frontend::parseExpression(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin) {
  return Parser(file, diagnostics, begin).parseWholeExpression();
}
