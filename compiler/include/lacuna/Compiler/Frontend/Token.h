//===- Token.h - Words of the language --------------------------*- C++ -*-===//
//
// The reserved words are those that begin or end something wherever they stand. Words that mean something in one place
// only
// (`out`, `on`, `blocks`, all of a schedule's) are identifiers to the lexer.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_COMPILER_FRONTEND_TOKEN_H
#define LACUNA_COMPILER_FRONTEND_TOKEN_H

#include "lacuna/Compiler/Frontend/Source.h"

namespace lacuna::frontend {

enum class TokenKind : uint8_t {
  End,
  Identifier,
  Integer,
  Float,
#define LACUNA_KEYWORD(NAME, TEXT) NAME,
#define LACUNA_PUNCTUATION(NAME, TEXT) NAME,
#include "lacuna/Compiler/Frontend/Tokens.def"
};

/// How messages name a token of this kind: "'('", "a name", "the end of the file".
std::string_view tokenKindName(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::End;
  SourceRange range;
  /// Integer: its value. Float: nothing; the parser reads the text.
  int64_t value = 0;
  /// The `//` lines directly above this token, if it starts a line: the range from the first to the last.
  SourceRange comment = {};

  bool is(TokenKind other) const { return kind == other; }
  std::string_view text() const { return range.text(); }
};

} // namespace lacuna::frontend

#endif // LACUNA_COMPILER_FRONTEND_TOKEN_H
