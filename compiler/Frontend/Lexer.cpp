//===- Lexer.cpp - From text to tokens ------------------------------------===//

#include "lacuna/Compiler/Frontend/Lexer.h"

#include <fmt/format.h>

#include <optional>

using namespace lacuna;
using namespace lacuna::frontend;

namespace {

struct Spelling {
  TokenKind kind;
  std::string_view text;
};
constexpr Spelling kKeywords[] = {
#define LACUNA_KEYWORD(NAME, TEXT) {TokenKind::NAME, TEXT},
#include "lacuna/Compiler/Frontend/Tokens.def"
};
constexpr Spelling kPunctuation[] = {
#define LACUNA_PUNCTUATION(NAME, TEXT) {TokenKind::NAME, TEXT},
#include "lacuna/Compiler/Frontend/Tokens.def"
};

bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

class Lexer {
public:
  Lexer(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin)
      : file(file), text(file.text()), diagnostics(diagnostics), at(begin) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      skipSpaceAndComments();
      if (std::optional<Token> token = next()) {
        token->comment = comment;
        tokens.push_back(*token);
        comment = {};
      }
    } while (tokens.empty() || !tokens.back().is(TokenKind::End));
    return tokens;
  }

private:
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  SourceRange rangeFrom(size_t begin) const { return {&file, static_cast<uint32_t>(begin), static_cast<uint32_t>(at)}; }
  Token token(TokenKind kind, size_t begin, int64_t value = 0) const { return {kind, rangeFrom(begin), value}; }

  void skipSpaceAndComments() {
    unsigned newlines = at == 0 ? 1 : 0;
    while (at < text.size()) {
      if (isSpace(peek())) {
        if (peek() == '\n' && ++newlines > 1)
          comment = {}; // an empty line separates a comment from what follows
        ++at;
        continue;
      }
      if (peek() != '/' || peek(1) != '/')
        return;
      size_t begin = at;
      while (at < text.size() && peek() != '\n')
        ++at;
      bool ownLine = begin == 0 || newlines > 0;
      if (ownLine)
        comment = comment.isValid() ? comment.to(rangeFrom(begin)) : rangeFrom(begin);
      newlines = 0;
    }
  }

  std::optional<Token> next() {
    size_t begin = at;
    if (at == text.size())
      return token(TokenKind::End, begin);
    if (isLetter(peek()))
      return word();
    if (isDigit(peek()))
      return number();
    for (const Spelling &spelling : kPunctuation) {
      if (text.substr(at, spelling.text.size()) == spelling.text) {
        at += spelling.text.size();
        return token(spelling.kind, begin);
      }
    }
    return invalidBytes();
  }

  Token word() {
    size_t begin = at;
    while (isLetter(peek()) || isDigit(peek()))
      ++at;
    for (const Spelling &keyword : kKeywords)
      if (text.substr(begin, at - begin) == keyword.text)
        return token(keyword.kind, begin);
    return token(TokenKind::Identifier, begin);
  }

  std::optional<Token> invalidBytes() {
    size_t begin = at;
    while (at < text.size() && !isSpace(peek()) && !isLetter(peek()) && !isDigit(peek()) && !startsPunctuation())
      ++at;
    auto first = static_cast<unsigned char>(text[begin]);
    std::string shown =
        first >= 0x20 && first < 0x7f ? fmt::format("'{}'", text[begin]) : fmt::format("byte 0x{:02x}", first);
    diagnostics.error(ErrorCode::ParseError, rangeFrom(begin),
                      fmt::format("{} has no meaning in a .tile text; names, numbers, operators and `//` comments are "
                                  "allowed, so remove it",
                                  shown));
    return std::nullopt;
  }
  bool startsPunctuation() const {
    for (const Spelling &spelling : kPunctuation)
      if (text.substr(at, spelling.text.size()) == spelling.text)
        return true;
    return false;
  }

  Token number() {
    size_t begin = at;
    int base = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') ? 16 : 10;
    if (base == 16)
      at += 2;
    int64_t value = 0;
    bool overflow = false;
    for (;; ++at) {
      int digit = isDigit(peek())                                                   ? peek() - '0'
                  : base == 16 && std::isxdigit(static_cast<unsigned char>(peek())) ? (peek() | 0x20) - 'a' + 10
                                                                                    : -1;
      if (digit < 0)
        break;
      overflow |= __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value);
    }
    if (base == 10 && ((peek() == '.' && isDigit(peek(1))) || exponentFollows(0)))
      return floatNumber(begin);
    size_t suffix = at;
    while (isLetter(peek()) || isDigit(peek()))
      ++at;
    std::string_view unit = text.substr(suffix, at - suffix);
    if (unit == "KiB" || unit == "MiB")
      overflow |= __builtin_mul_overflow(value, unit == "KiB" ? int64_t(1) << 10 : int64_t(1) << 20, &value);
    else if (!unit.empty() || (base == 16 && suffix == begin + 2))
      error(begin, fmt::format("'{}' is not a number; digits may be followed by KiB or MiB only", shortened(begin)));
    if (overflow)
      error(begin, fmt::format("the number {} is too large; integers go up to 2^63-1", shortened(begin)));
    return token(TokenKind::Integer, begin, overflow ? 0 : value);
  }

  /// Whether an exponent such as `e-3` stands `ahead` bytes from here.
  bool exponentFollows(size_t ahead) const {
    if (peek(ahead) != 'e' && peek(ahead) != 'E')
      return false;
    bool hasSign = peek(ahead + 1) == '+' || peek(ahead + 1) == '-';
    return isDigit(peek(ahead + (hasSign ? 2 : 1)));
  }

  Token floatNumber(size_t begin) {
    if (peek() == '.')
      for (++at; isDigit(peek());)
        ++at;
    if (exponentFollows(0))
      for (at += 2; isDigit(peek());)
        ++at;
    if (isLetter(peek())) {
      while (isLetter(peek()) || isDigit(peek()))
        ++at;
      error(begin,
            fmt::format("'{}' is not a number; write a float as 1.5 or 2e-3, without a suffix", shortened(begin)));
    }
    return token(TokenKind::Float, begin);
  }

  std::string shortened(size_t begin) const {
    return at - begin <= 40 ? std::string(text.substr(begin, at - begin)) : std::string(text.substr(begin, 40)) + "...";
  }
  void error(size_t begin, std::string message) {
    diagnostics.error(ErrorCode::ParseError, rangeFrom(begin), std::move(message));
  }

  const SourceFile &file;
  std::string_view text;
  DiagnosticSink &diagnostics;
  size_t at;
  SourceRange comment;
};

} // namespace

std::vector<Token> lacuna::frontend::tokenize(const SourceFile &file, DiagnosticSink &diagnostics, uint32_t begin) {
  return Lexer(file, diagnostics, begin).run();
}

bool lacuna::frontend::isIdentifier(std::string_view text) {
  if (text.empty() || !isLetter(text[0]))
    return false;
  for (char c : text)
    if (!isLetter(c) && !isDigit(c))
      return false;
  for (const Spelling &keyword : kKeywords)
    if (text == keyword.text)
      return false;
  return true;
}

std::string_view lacuna::frontend::tokenKindName(TokenKind kind) {
  switch (kind) {
  case TokenKind::End:
    return "the end of the file";
  case TokenKind::Identifier:
    return "a name";
  case TokenKind::Integer:
  case TokenKind::Float:
    return "a number";
#define LACUNA_KEYWORD(NAME, TEXT)                                                                                     \
  case TokenKind::NAME:                                                                                                \
    return "'" TEXT "'";
#define LACUNA_PUNCTUATION(NAME, TEXT)                                                                                 \
  case TokenKind::NAME:                                                                                                \
    return "'" TEXT "'";
#include "lacuna/Compiler/Frontend/Tokens.def"
  }
  return "";
}
