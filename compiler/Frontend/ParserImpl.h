//===- ParserImpl.h - The recursive-descent parser --------------*- C++ -*-===//
//
// One function a construct; each returns null (or false) where it has reported an error, and its caller passes that on
// until a statement or a declaration, where synchronize*() skips to the next one. Two guards keep any input harmless:
// Nesting bounds the recursion, and finish() the depth of the trees that loops build (`a + a + a + …` leans left
// without recursion).
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_PARSERIMPL_H
#define LACUNA_COMPILER_FRONTEND_PARSERIMPL_H

#include "lacuna/Compiler/Frontend/Lexer.h"
#include "lacuna/Compiler/Frontend/Parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace lacuna::frontend {

class Parser {
public:
  Parser(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin = 0)
      : file(file), diagnostics(diagnostics), tokens(tokenize(file, diagnostics, begin)) {}

  void parseModule(Module &module);
  /// An expression and then the end of the text.
  ExprPtr parseWholeExpression();
  /// The bands of a pattern and then the end of the text.
  std::unique_ptr<PatternDecl> parseWholePattern();

private:
  /// Counts the recursion; false where it is too deep, which ends the parse.
  class Nesting {
  public:
    explicit Nesting(Parser &parser) : parser(parser) { ++parser.nesting; }
    ~Nesting() { --parser.nesting; }
    explicit operator bool() const {
      if (parser.nesting > kMaxDepth)
        parser.giveUp();
      return parser.nesting <= kMaxDepth;
    }

  private:
    Parser &parser;
  };

  // Tokens.
  const Token &current() const { return tokens[at]; }
  const Token &peek(size_t ahead = 1) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  bool is(TokenKind kind) const { return current().is(kind); }
  bool isWord(std::string_view word) const { return is(TokenKind::Identifier) && current().text() == word; }
  Token take() { return is(TokenKind::End) ? current() : tokens[at++]; }
  bool takeIf(TokenKind kind) { return is(kind) ? (take(), true) : false; }
  bool takeWord(std::string_view word) { return isWord(word) ? (take(), true) : false; }
  bool startsLine(size_t index) const;
  /// Whether a declaration begins here: one of its keywords, first on its line.
  bool atDecl() const;
  SourceRange rangeFrom(SourceRange begin) const { return begin.to(tokens[at ? at - 1 : 0].range); }

  // Errors.
  Diagnostic &error(SourceRange range, std::string message) {
    return diagnostics.error(ErrorCode::ParseError, range, std::move(message));
  }
  std::string found() const;
  /// Takes a token of `kind`, or reports that it was expected `where`, e.g. "after the kernel's name".
  bool expect(TokenKind kind, std::string_view where);
  bool expectClosing(TokenKind kind, SourceRange opening);
  /// Takes a name, or reports that `what` was expected.
  Identifier expectName(std::string_view what);
  bool expectWord(std::string_view word, std::string_view where);
  /// Reports too deep a nesting, once, and goes to the end of the text.
  void giveUp();
  /// Skips to the next declaration, but not to the one at `begin`, which failed.
  void synchronizeDecl(size_t begin);
  /// Skips to the end of the block or to what looks like a statement, but not to the one at `begin`, which failed.
  void synchronizeStmt(size_t begin);

  // Declarations (ParseDecl.cpp).
  std::vector<std::string_view> docLines(SourceRange comment) const;
  std::vector<std::string_view> fileDoc() const;
  bool parseDecl(Module &module);
  bool parseParams(Module &module);
  std::optional<Domain> parseDomain();
  std::unique_ptr<Decl> parseWhere();
  std::unique_ptr<Decl> parseHook();
  /// `(a, b, …)`, after `what`.
  bool parseParameters(std::vector<Identifier> &parameters, std::string_view what);
  std::unique_ptr<Decl> parsePattern();
  bool parseBands(PatternDecl &pattern);
  bool parseSpan(ExprPtr &begin, ExprPtr &end);
  std::unique_ptr<Decl> parseKernel();
  bool parseArgument(KernelDecl &kernel);
  bool parseGrid(KernelDecl &kernel);
  std::optional<TypeSyntax> parseType();

  // Schedules (ParseSchedule.cpp).
  std::unique_ptr<Decl> parseSchedule();
  std::optional<ScheduleItem> parseScheduleItem();
  bool parseScheduleBody(ScheduleItem &item);
  bool parseKnobs(ScheduleItem &item);

  // Statements (ParseStmt.cpp).
  bool parseBlock(Block &block);
  std::unique_ptr<Stmt> parseStmt();
  std::unique_ptr<Stmt> parseUnlabelled();
  std::unique_ptr<Stmt> parseDeclare();
  std::unique_ptr<Stmt> parseAssign();
  std::unique_ptr<Stmt> parseIf();
  std::unique_ptr<Stmt> parseFor();
  std::unique_ptr<Stmt> parseStore();

  // Expressions (ParseExpr.cpp).
  ExprPtr parseExpr();
  ExprPtr parseBinary(int minPrecedence);
  ExprPtr parseCast();
  ExprPtr parseUnary();
  ExprPtr parsePrimary();
  ExprPtr parseNumber();
  ExprPtr parseNameExpr();
  ExprPtr parseMap();
  bool parseMapIndices(MapExpr &map);
  /// `(a, b, …)`, without the opening parenthesis.
  bool parseArguments(std::vector<ExprPtr> &arguments, SourceRange opening);
  bool parseAccess(Access &access, std::string_view what);
  bool parseSubscript(Subscript &subscript);
  /// Sets the depth from the operands and refuses too deep a tree.
  ExprPtr finish(ExprPtr expr, std::initializer_list<const Expr *> operands);

  const SourceFile &file;
  DiagnosticSink &diagnostics;
  std::vector<Token> tokens;
  size_t at = 0;
  size_t unclosedAt = SIZE_MAX; ///< where a missing bracket was reported last
  unsigned nesting = 0;
  bool gaveUp = false;
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_PARSERIMPL_H
