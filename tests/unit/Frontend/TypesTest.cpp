#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/Types.h"

using namespace lacuna;
using namespace lacuna::frontend;

static std::string canonical(const std::string &text) {
  SourceFile file("e", text);
  DiagnosticSink sink;
  ExprPtr expr = parseExpression(file, sink);
  REQUIRE_MESSAGE(expr, sink.render());
  return canonicalText(*expr);
}

TEST_CASE("extents are compared as polynomials") {
  CHECK(canonical("2*BM - BM") == canonical("BM"));
  CHECK(canonical("(a + b) * (a - b)") == canonical("a*a - b*b"));
  CHECK(canonical("BM/2*2") == canonical("2*(BM/2)"));
  CHECK(canonical("a - a") == canonical("0"));
  CHECK(canonical("-(-a)") == canonical("a"));
  CHECK(canonical("ceildiv(a+b, c)") == canonical("ceildiv(b+a, c)"));
  CHECK(canonical("BM/2*2") != canonical("BM"));
  CHECK(canonical("BM") != canonical("BN"));
  CHECK(canonical("a*(b+1)") == canonical("a + b*a"));
  CHECK(canonical("9223372036854775807 + 1") == canonical("9223372036854775807 + 1"));
  CHECK(canonical("a?b:c") == canonical("a ? b : c"));
}

TEST_CASE("large products stay small") {
  std::string sum = "(a+b+c+d+e+f+g+h)", product = sum;
  for (int i = 0; i < 60; ++i)
    product += "*" + sum;
  CHECK(canonical(product).size() < 100000);
}

TEST_CASE("padding: multiples of 16, and 1 stays 1") {
  CHECK(Extent{"D", "D", 72}.padded() == 80);
  CHECK(Extent{"D", "D", 128}.padded() == 128);
  CHECK(Extent{"D", "D", 1}.padded() == 16);
  CHECK(Extent{}.padded() == 1);
}

TEST_CASE("joining and assigning") {
  Extent bm{"BM", "BM", 128}, bn{"BN", "BN", 128}, one;
  ElementType f32{ScalarKind::F32}, i32{ScalarKind::I32}, bf16{ScalarKind::BF16};
  Type tile = Type::tile(f32, bm, bn), rows = Type::tile(f32, bm, one), columns = Type::tile(f32, one, bn);
  CHECK(joinShapes(rows, columns, f32)->str() == "f32[BM, BN]");
  CHECK(joinShapes(tile, rows, f32)->str() == "f32[BM, BN]");
  CHECK(!joinShapes(tile, Type::tile(f32, bm, bm), f32)); // equal values, different names
  CHECK(joinElements(f32, i32) == f32);
  CHECK(!joinElements(f32, bf16));
  CHECK(isAssignable(rows, tile));
  CHECK(!isAssignable(tile, rows));
  CHECK(isAssignable(Type::scalar(i32), tile));
  CHECK(!isAssignable(Type::scalar(f32), Type::scalar(i32)));
  CHECK(rows.str() == "f32[BM]");
  CHECK(columns.str() == "f32[1, BN]");
}
