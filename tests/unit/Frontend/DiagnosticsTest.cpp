#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/Diagnostics.h"

using namespace lacuna;
using namespace lacuna::frontend;

TEST_CASE("a diagnostic shows place, line and caret, and its notes") {
  SourceFile file("f.tile", "first\n\tlet a = b\nlast");
  DiagnosticSink sink;
  sink.error(ErrorCode::VerifyError, {&file, 11, 16}, "wrong").note({&file, 0, 5}, "here").note("and more");
  CHECK(sink.render() ==
        "f.tile:2:6: error: wrong\n\tlet a = b\n\t    ^~~~~\nf.tile:1:1: note: here\nfirst\n^~~~~\nnote: and more");
  Error error = sink.toError();
  CHECK(error.code == ErrorCode::VerifyError);
  CHECK(error.message == sink.render());
}

TEST_CASE("long and binary lines are cut and made printable") {
  std::string text(100000, 'x');
  text[50000] = '\x01';
  SourceFile file("f", text);
  DiagnosticSink sink;
  sink.error(ErrorCode::ParseError, {&file, 50000, 60000}, "m");
  std::string shown = sink.render();
  CHECK(shown.size() < 500);
  checkContains(shown, "f:1:50001: error: m");
  checkContains(shown, "x?x");
}

TEST_CASE("characters of several bytes take one column") {
  SourceFile file("f", "\xc3\xa9\xc3\xa9 y");
  DiagnosticSink sink;
  sink.error(ErrorCode::ParseError, {&file, 5, 6}, "m");
  CHECK(sink.render() == "f:1:6: error: m\n\xc3\xa9\xc3\xa9 y\n   ^");
}

TEST_CASE("a sink takes twenty errors and says that there are more") {
  SourceFile file("f", "x");
  DiagnosticSink sink;
  for (int i = 0; i < 30; ++i)
    sink.error(ErrorCode::ParseError, {&file, 0, 1}, "m").note("n");
  CHECK(sink.size() == DiagnosticSink::kMaxErrors);
  checkContains(sink.render(), "more errors follow; only the first 20 are shown");
}

TEST_CASE("suggestions and lists of names") {
  CHECK(didYouMean("casual", {"full", "causal"}) == "; did you mean 'causal'?");
  CHECK(didYouMean("xyz", {"full", "causal"}).empty());
  CHECK(didYouMean("axc", {"acc"}) == "; did you mean 'acc'?");
  CHECK(didYouMean("ax", {"ac"}).empty());
  CHECK(quotedList({}) == "none");
  CHECK(quotedList({"a", "b", "c"}) == "'a', 'b' and 'c'");
  CHECK(quotedList({"a", "b", "c"}, 2) == "'a', 'b' and 1 more");
}
