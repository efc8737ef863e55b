#include "FrontendTestSupport.h"
#include "lacuna/Compiler/Frontend/AstPrinter.h"

using namespace lacuna;
using namespace lacuna::frontend;

static const std::string kBody = "var s: f32[BM] = 0\n"
                                 "for t in rows[b, 0, i] by BN {\n"
                                 "  s = s + rowsum(load x[i*BM:+BM, t])\n"
                                 "}\n"
                                 "store z[b, i*BM:+BM] = s";

static Specialization rows(const std::string &text) {
  Specialization specialization;
  specialization.hooks = {{"rows", text}};
  return specialization;
}

TEST_CASE("a pattern takes the place of the list's argument") {
  for (const char *text :
       {"dense", "causal", "sliding_window", "symmetric_window", "chunked", "own", "some first .. last",
        "some 0 .. count all h .. b, some count .. BM * N all 0 .. next(first)"}) {
    auto kernel = check(kernelWith(kBody, "pattern own(b, h, first, last) = some 0 .. next(last)\n"
                                          "hook next(i) -> i32 = i + count\n"),
                        rows(text));
    REQUIRE_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
    CHECK((*kernel)->arguments.size() == 7);
    for (const Symbol *argument : (*kernel)->arguments)
      CHECK(argument->kind != Symbol::Kind::BlockList);
    CHECK((*kernel)->patterns.size() == 1);
  }
  auto listed = check(kernelWith(kBody));
  REQUIRE(listed.has_value());
  CHECK((*listed)->arguments.size() == 8);
}

TEST_CASE("one pattern for two lists, and two patterns") {
  const std::string text =
      "kernel k(x: f32[M, N], rows: blocks<64, 64>[1, 1], others: blocks<32, 128>[1, 1], z: out f32[M])\n"
      "  grid (i: ceildiv(M, 64))\n"
      "{\n"
      "  var s: f32[64] = 0\n"
      "  for t in rows[0, 0, i] by 64 { s = s + rowsum(load x[i*64:+64, t]) }\n"
      "  for t in others[0, 0, 2*i] by 64 { s = s + rowsum(load x[i*64:+64, t]) }\n"
      "  store z[i*64:+64] = s\n"
      "}\n";
  Specialization both;
  both.hooks = {{"rows", "causal"}, {"others", "causal"}};
  auto same = check(text, both);
  REQUIRE_MESSAGE(same, (same ? "" : same.error().message));
  CHECK((*same)->patterns.size() == 1);
  both.hooks["others"] = "dense";
  auto different = check(text, both);
  REQUIRE(different.has_value());
  CHECK((*different)->patterns.size() == 2);
  CHECK((*different)->arguments.size() == 2);
}

TEST_CASE("a dimension that only the list named is gone with it") {
  const std::string text = "kernel k(rows: blocks<64, 64>[Q|1, 1], x: f32[M, N], z: out f32[M])\n"
                           "  grid (i: ceildiv(M, 64))\n"
                           "{\n"
                           "  var s: f32[64] = 0\n"
                           "  for t in rows[0, 0, i] by 64 { s = s + rowsum(load x[i*64:+64, t]) }\n"
                           "  store z[i*64:+64] = s\n"
                           "}\n";
  CHECK(check(text).has_value());
  auto kernel = check(text, rows("causal"));
  REQUIRE_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
  CHECK((*kernel)->dims.size() == 2);
  checkContains(refusal(text, rows("some 0 .. Q")), "undefined name 'Q'");
}

TEST_CASE("patterns that are refused") {
  const std::pair<const char *, const char *> cases[] = {
      {"casual", "'casual' is no pattern of test.tile or of the library; the patterns are"},
      {"alibi", "'alibi' is no pattern of test.tile or of the library, but a hook, and 'rows' is a block list"},
      {"", "expected `some` at the beginning of a band"},
      {"some 0", "expected '..' between the ends of a span"},
      {"some 0 .. N all 0", "expected '..' between the ends of a span"},
      {"some 0 .. N some 0 .. N", "expected the end of the pattern, but found 'some'"},
      {"some 0 .. scale", "the bound of a band is an i32, but `scale` has type f32"},
      {"some 0 .. q",
       "a pattern sees its parameters, the kernel's run-time dimensions and scalar arguments, and params"},
      {"some 0 .. i", "undefined name 'i'"},
      {"some 0 .. (load x[0, 0])", "a pattern works on elements and cannot load"},
      {"some 0 .. T", "'T' is a type, not a value"}};
  for (const auto &[text, message] : cases) {
    CAPTURE(text);
    checkContains(refusal(kernelWith(kBody), rows(text)), message);
  }
  checkContains(refusal("pattern p(b, h, first, last) = some 0 .. 1\npattern p(b, h, first, last) = some 0 .. 2\n" +
                        kernelWith(kBody)),
                "'p' is declared twice");
}

TEST_CASE("a mask and its pattern may have one name, and a pattern none of a kernel's") {
  const std::string text = kernelWith(kBody, "hook near(b, h, i, j) -> bool = i == j\n"
                                             "pattern near(b, h, first, last) = some first .. last + 1\n"
                                             "pattern test(b, h, first, last) = some 0 .. N\n");
  auto kernel = check(text, rows("near"));
  CHECK_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
}

TEST_CASE("patterns are printed as they are read") {
  const std::string text =
      "pattern p(b, h, r0, r1) = some 0 .. (b == 0 ? 1 : r0), some r0 + 1 .. r1 all -r0 .. max(r0, 2)\n";
  auto module = parseModule("test.tile", text);
  REQUIRE(module.has_value());
  const std::string printed = printModule(**module);
  CHECK(printed == "pattern p(b, h, r0, r1) = some 0 .. (b == 0 ? 1 : r0),\n"
                   "  some r0 + 1 .. r1 all -r0 .. max(r0, 2)\n");
  auto again = parseModule("test.tile", printed);
  REQUIRE(again.has_value());
  CHECK(printModule(**again) == printed);
}
