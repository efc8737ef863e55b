#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/Lexer.h"

using namespace lacuna;
using namespace lacuna::frontend;

static std::vector<Token> lex(const SourceFile &file, DiagnosticSink &sink) {
  return tokenize(file, sink);
}

TEST_CASE("tokens: numbers, ranges and operators") {
  SourceFile file("t", "0..16 1.5 2e-3 227KiB 0x1f a:+b => t.partial");
  DiagnosticSink sink;
  std::vector<Token> tokens = lex(file, sink);
  std::vector<std::string> texts;
  for (const Token &token : tokens)
    texts.emplace_back(token.text());
  CHECK(texts == std::vector<std::string>{"0", "..", "16", "1.5", "2e-3", "227KiB", "0x1f", "a", ":+", "b", "=>", "t",
                                          ".", "partial", ""});
  CHECK(tokens[5].value == 227 * 1024);
  CHECK(tokens[6].value == 31);
  CHECK(tokens.back().is(TokenKind::End));
  CHECK(!sink.hasErrors());
}

TEST_CASE("tokens: a doc comment is the block of lines directly above") {
  SourceFile file("t", "// far\n\n// one\n// two\nparam x // beside\n// of y\ny");
  DiagnosticSink sink;
  std::vector<Token> tokens = lex(file, sink);
  CHECK(tokens[0].comment.text() == "// one\n// two");
  CHECK(!tokens[1].comment.isValid());
  CHECK(tokens[2].comment.text() == "// of y");
}

TEST_CASE("tokens: what is not in the language") {
  struct Case {
    std::string text, message;
  };
  for (const Case &c :
       std::vector<Case>{{"a $ b", "'$' has no meaning in a .tile text"},
                         {std::string("a \x01\x02 b"), "byte 0x01 has no meaning"},
                         {"\xff\xfe", "byte 0xff has no meaning"},
                         {"12abc", "'12abc' is not a number; digits may be followed by KiB or MiB only"},
                         {"0x", "'0x' is not a number"},
                         {"1.5f", "'1.5f' is not a number; write a float as 1.5 or 2e-3"},
                         {"99999999999999999999", "is too large; integers go up to 2^63-1"},
                         {"9223372036854775807MiB", "is too large"}}) {
    SourceFile file("t", c.text);
    DiagnosticSink sink;
    lex(file, sink);
    checkContains(sink.render(), c.message);
  }
}

TEST_CASE("identifiers") {
  CHECK(isIdentifier("abc_1"));
  CHECK(!isIdentifier(""));
  CHECK(!isIdentifier("1a"));
  CHECK(!isIdentifier("param"));
  CHECK(!isIdentifier("a b"));
}
