#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/AstPrinter.h"

using namespace lacuna;
using namespace lacuna::frontend;

static std::string parseError(const std::string &text) {
  auto module = parseModule("test.tile", text);
  REQUIRE_MESSAGE(!module, "accepted, but should be refused:\n" << text);
  CHECK(module.error().code == ErrorCode::ParseError);
  return module.error().message;
}

TEST_CASE("the printed tree parses back to the same text") {
  std::vector<std::string> files = kKernelFiles;
  files.push_back("hooks");
  for (const std::string &name : files) {
    auto first = parseModule(name, readKernelFile(name));
    REQUIRE(first);
    std::string text = printModule(**first);
    auto second = parseModule(name, text);
    REQUIRE_MESSAGE(second, second.error().message);
    CHECK(printModule(**second) == text);
  }
}

TEST_CASE("expressions print with the parentheses that they need and no others") {
  struct Case {
    std::string text, printed;
  };
  for (const Case &c : std::vector<Case>{{"((a+b))*c", "(a + b) * c"},
                                         {"a-(b-c)", "a - (b - c)"},
                                         {"(a-b)-c", "a - b - c"},
                                         {"a/(b*c)", "a / (b * c)"},
                                         {"-(a+b)", "-(a + b)"},
                                         {"-a as f32", "-a as f32"},
                                         {"-(a as f32)", "-(a as f32)"},
                                         {"(a*b) as f32", "(a * b) as f32"},
                                         {"a*(b as f32)", "a * b as f32"},
                                         {"a?b:(c?d:e)", "a ? b : c ? d : e"},
                                         {"(a?b:c)?d:e", "(a ? b : c) ? d : e"},
                                         {"(a&&b)||(c&&d)", "a && b || c && d"},
                                         {"(a||b)&&c", "(a || b) && c"},
                                         {"(a<b)==(c<d)", "(a < b) == (c < d)"},
                                         {"map(x in s;i,j)=>x+i", "map (x in s; i, j) => x + i"},
                                         {"(map(x in s)=>x)+1", "(map (x in s) => x) + 1"},
                                         {"a?(map(x in s)=>x):b", "a ? (map (x in s) => x) : b"},
                                         {"load q[b,i:+BM,:]", "load q[b, i :+ BM, :]"},
                                         {"max(1.0,0x10)-inf", "max(1.0, 16) - inf"},
                                         {"1e30+0.1", "1e+30 + 0.1"},
                                         {"!t.partial||t[j]<3", "!t.partial || t[j] < 3"}}) {
    SourceFile file("e", c.text);
    DiagnosticSink sink;
    ExprPtr expr = parseExpression(file, sink);
    REQUIRE_MESSAGE(expr, sink.render());
    CHECK(printExpr(*expr) == c.printed);
  }
}

TEST_CASE("doc comments belong to the file or to what follows them") {
  auto module = parseModule("t", "// of the file\n// still\n\n// of the hook\nhook h(x) -> f32 = x\n");
  REQUIRE(module);
  CHECK((*module)->doc == std::vector<std::string_view>{"// of the file", "// still"});
  CHECK((*module)->decls[0]->doc == std::vector<std::string_view>{"// of the hook"});
}

TEST_CASE("several mistakes are shown in one run") {
  std::string message = parseError(
      "kernel k(x: f32[M]) grid (i: 1) {\n  let = 3\n  let a = 1 +\n  let b = 2\n  foo bar\n}\nhook h = 3\n");
  checkContains(message, "test.tile:2:7: error: expected a name after `let`, but found '='");
  checkContains(message, "test.tile:4:3: error: expected a value, but found 'let'");
  checkContains(message, "test.tile:5:3: error: expected a statement, but found 'foo'");
  checkContains(message, "test.tile:7:8: error: expected '(' after the hook's name");
}

TEST_CASE("what the parser refuses, and how") {
  struct Case {
    std::string text, message;
  };
  const std::string head = "kernel k(x: f32[M]) grid (i: 1) ";
  for (const Case &c : std::vector<Case>{
           {"kernal k() {}",
            "a declaration begins with param, where, hook, pattern, kernel or schedule; did you mean 'kernel'?"},
           {"param in in {1}", "'in' is a reserved word; choose another name"},
           {"param A = 3", "expected 'in' and a domain after the param's name"},
           {"param A in {1, 2", "expected '}', but found the end of the text"},
           {"param A in 1 to 4", "expected '..' between the ends of a domain"},
           {"hook h(x: f32) -> f32 = x", "a hook's parameters have no written types"},
           {"hook h(x) = x", "expected '->' and the hook's result type"},
           {"hook h(x) -> f32 = a < b < c", "comparisons do not chain; write `a < b && b < c`"},
           {"hook h(x) -> f32 = 1e60", "1e60 is too large for f32"},
           {"hook h(x) -> f32 = (x", "to close this '('"},
           {"kernel k(x) {}", "expected ':' and a type after the argument's name"},
           {"kernel k(x: blocks<1, 2>[B|2, H|1]) {}", "expected 1 after '|', but found '2'"},
           {"kernel k(x: blocks<1 2>[B|1, H|1]) {}", "expected ',' between the block's two extents"},
           {"kernel k() grid (i: 1) grid (j: 1) {}", "the kernel has a grid already"},
           {"kernel k() grid (i) {}", "expected ':' and the axis's size"},
           {head + "{", "to close this '{'"},
           {head + "{ let a }", "expected '=' and a first value for 'a'"},
           {head + "{ let a = x[ }", "expected a value"},
           {head + "{ let a = load x }", "expected '[' after 'x', with one entry an axis"},
           {head + "{ a[1] = 3 }", "an element of a tile cannot be assigned; write `store a[...] = value`"},
           {head + "{ for i in 3 {} }", "a loop runs over a range or over a block list"},
           {head + "{ for t in r[1, 2, 3] {} }", "expected 'by' and the step after a block list"},
           {head + "{ let a = map x in s => x }", "expected '(' after `map`"},
           {head + "{ let a = map (x in s; i) => x }",
            "expected ',' between the names of the row and the column index"},
           {head + "{ let a = t. }", "expected the member's name after '.'"},
           {head + "{ let a = 3 as 4 }", "expected the type to convert to"},
           {head + "{ store x = 3 }", "expected '[' after 'x'"},
           {head + "{ let a = c ? 1 }", "expected ':' between the two values of `condition ? a : b`"},
           {"schedule k sm_90a {}", "expected `on` before the schedule's target"},
           {"schedule k on sm_90a { rings a depth 2 }",
            "the entries are 'producer', 'consumers', 'ring', 'overlap', 'pingpong', 'programs', 'split', "
            "'order', 'epilogue' and 'tune'; did you mean 'ring'?"},
           {"schedule k on sm_90a { ring a 2 }", "expected `depth` after the ring's values"},
           {"schedule k on sm_90a { producer 24 }", "expected `regs` after `producer`"},
           {"schedule k on sm_90a { order x }", "expected 'grid' after `order`"}})
    checkContains(parseError(c.text), c.message);
}

TEST_CASE("nesting is limited") {
  const std::string deep = "this nests more than 200 levels deep";
  auto repeat = [](const std::string &part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += part;
    return text;
  };
  const std::string head = "kernel k() grid (i: 1) { ";
  checkContains(parseError("hook h(x) -> f32 = " + repeat("(", 100000)), deep);
  checkContains(parseError("hook h(x) -> f32 = " + repeat("-", 100000) + "x"), deep);
  checkContains(parseError("hook h(x) -> f32 = x" + repeat(" + x", 100000)), deep);
  checkContains(parseError("hook h(x) -> f32 = x" + repeat(" as f32", 100000)), deep);
  checkContains(parseError("hook h(x) -> f32 = " + repeat("x ? x : ", 100000) + "x"), deep);
  checkContains(parseError("hook h(x) -> f32 = " + repeat("f(", 100000)), deep);
  checkContains(parseError("hook h(x) -> f32 = " + repeat("load a[", 100000)), deep);
  checkContains(parseError(head + repeat("if c {", 100000)), deep);
  checkContains(parseError(head + repeat("if c {} else ", 100000)), deep);
  checkContains(parseError(head + repeat("for i in 1..2 {", 100000)), deep);
  CHECK(parseModule("t", "hook h(x) -> f32 = " + repeat("(", 150) + "x" + repeat(")", 150)).has_value());
}

TEST_CASE("texts of no sense, and too large ones") {
  CHECK(parseModule("t", "").has_value());
  CHECK(parseModule("t", "// only a comment").has_value());
  checkContains(parseError(std::string("ab\0c", 4)),
                "test.tile is no text: it has a zero byte at offset 2; give a .tile file in UTF-8");
  parseError("\xff\xd8\xff\xe0 binary");
  checkContains(parseError(std::string(SourceFile::kMaxBytes + 1, ' ')),
                "a .tile text may have at most 4194304, so split it");
}

TEST_CASE("an option's expression fills its text") {
  SourceFile file("--hook", "keep=j <= i i");
  DiagnosticSink sink;
  CHECK(parseExpression(file, sink, 5) == nullptr);
  checkContains(sink.render(), "--hook:1:13: error: the expression ends before 'i'; give one expression only");
}
