#include "FrontendTestSupport.h"

using namespace lacuna;
using namespace lacuna::frontend;

static const std::string kText =
    "param A in {2, 4} = 2   B in 1..9 by 2 = A + 1   T in {bf16, f32} = bf16   C in 0..A*10\n"
    "where A * B <= 20\n"
    "kernel k(x: out f32[M]) grid (i: M) { store x[i] = C as f32 }\n";

static Specialization set(std::map<std::string, std::string> params) {
  Specialization specialization;
  specialization.params = std::move(params);
  return specialization;
}

static int64_t valueOf(const CheckedKernel &kernel, std::string_view name) {
  for (const auto &[param, value] : kernel.params)
    if (param->name.name == name)
      return value.value;
  return -1;
}

TEST_CASE("defaults may follow from other params, and settings replace them") {
  auto kernel = check(kText, set({{"C", "20"}}));
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  CHECK(valueOf(**kernel, "A") == 2);
  CHECK(valueOf(**kernel, "B") == 3);
  kernel = check(kText, set({{"C", "40"}, {"A", "4"}, {"T", "f32"}}));
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  CHECK(valueOf(**kernel, "B") == 5);
}

TEST_CASE("settings that are refused") {
  struct Case {
    std::map<std::string, std::string> params;
    ErrorCode code;
    std::string message;
  };
  for (const Case &c : std::vector<Case>{
           {{}, ErrorCode::InvalidArgument, "the param 'C' has no default and was not set; give it one of 0 to 20"},
           {{{"C", "21"}}, ErrorCode::InvalidArgument, "21 is not in the domain of C; it may be 0 to 20"},
           {{{"C", "0"}, {"A", "3"}}, ErrorCode::InvalidArgument, "3 is not in the domain of A; it may be 2, 4"},
           {{{"C", "0"}, {"B", "2"}},
            ErrorCode::InvalidArgument,
            "2 is not in the domain of B; it may be 1 to 9 in steps of 2"},
           {{{"C", "x"}}, ErrorCode::InvalidArgument, "'x' is not an integer; C may be 0 to 20"},
           {{{"C", ""}}, ErrorCode::InvalidArgument, "'' is not an integer"},
           {{{"C", "-"}}, ErrorCode::InvalidArgument, "'-' is not an integer"},
           {{{"C", "99999999999999999999"}},
            ErrorCode::InvalidArgument,
            "99999999999999999999 does not fit in 64 bits"},
           {{{"C", "0"}, {"T", "f64"}}, ErrorCode::InvalidArgument, "'f64' is not a type; T may be bf16, f32"},
           {{{"C", "0"}, {"T", "f16"}},
            ErrorCode::InvalidArgument,
            "f16 is not in the domain of T; it may be bf16, f32"},
           {{{"C", "0"}, {"A", "4"}, {"B", "9"}},
            ErrorCode::InvalidArgument,
            "the params A = 4, B = 9 break this constraint"},
           {{{"C", "0"}, {"AA", "4"}},
            ErrorCode::NotFound,
            "'test.tile' has no param 'AA'; its params are 'A', 'B', 'T' and 'C'"}}) {
    auto kernel = check(kText, set(c.params));
    REQUIRE(!kernel);
    CHECK(kernel.error().code == c.code);
    checkContains(kernel.error().message, c.message);
  }
}

TEST_CASE("declarations that are refused") {
  const std::string kernel = "\nkernel k(x: out f32[M]) grid (i: M) { store x[i] = 0 }\n";
  struct Case {
    std::string text, message;
  };
  for (const Case &c : std::vector<Case>{
           {"param A in {1} = 1  A in {2} = 2", "'A' is declared twice; rename one of them"},
           {"param f32 in {1} = 1", "'f32' is a built-in type"},
           {"param A in {1} = 2", "the default of 'A' is 2, which is not in its domain, 1"},
           {"param A in {1} = B  B in {1} = 1",
            "'B' has no value here; a default may name params that are declared before it"},
           {"param A in {1} = AA", "'AA' is not a param; a default is made of params and integers"},
           {"param A in 4..1 = 1", "the domain 4..1 by 1 is empty"},
           {"param A in 1..4 by 0 = 1", "the domain 1..4 by 0 is empty; it needs first <= last and a positive step"},
           {"param A in 0..4 = 1/0", "`1 / 0` divides by zero with these params"},
           {"param A in 0..4 = 9223372036854775807 + 1", "does not fit in 64 bits with these params"},
           {"param A in 0..4 = -(-9223372036854775807 - 1)", "does not fit in 64 bits with these params"},
           {"param A in 0..4 = 1.5", "a default is made of params, integers and + - * / % ( ) ceildiv min max"},
           {"param A in 0..4 = exp(1)", "a default may call ceildiv(a, b), min(a, b) and max(a, b) only"},
           {"param A in {bf16, 3} = bf16", "expected a type (bf16, f16, f32 or i32) in a domain, but found `3`"},
           {"param A in {bf16} = bf16  B in 0..4 = A", "'A' is a type, and a default needs an integer"},
           {"param A in 0..4294967296 = 4294967296", "A = 4294967296 does not fit in i32"},
           {"param A in 0..9223372036854775807 by 9223372036854775807 = 5", "which is not in its domain"},
           {"where Z == 1", "'Z' is not a param; a constraint is made of params and integers"}})
    checkContains(refusal(c.text + kernel), c.message);
}

TEST_CASE("constraints evaluate only what they need") {
  CHECK(check("param A in 0..4 = 0\nwhere A == 0 || 8 % A == 0\nkernel k(x: out f32[M]) grid (i: M) { store x[i] = 0 }")
            .has_value());
  CHECK(check("param A in 0..4 = max(min(3, 2), ceildiv(5, 4) - 1)\nwhere (A > 2 ? A / 0 : 1) != 0 && !(A != 2)\n"
              "kernel k(x: out f32[M]) grid (i: M) { store x[i] = 0 }")
            .has_value());
}

TEST_CASE("a violated constraint names the params in it") {
  const std::string kernel = "\nkernel k(x: out f32[M]) grid (i: M) { store x[i] = 0 }";
  checkContains(
      refusal("param A in 0..4 = 1  B in 0..4 = 2  C in 0..4 = 3\nwhere !(A == 1 ? max(B, 2) < 3 : C == C)" + kernel),
      "the params A = 1, B = 2, C = 3 break this constraint");
  CHECK(check("param T in {bf16, f16} = f16  U in {bf16, f16} = T" + kernel).has_value());
}

TEST_CASE("kernels are chosen by name") {
  const std::string two =
      "kernel a(x: out f32[M]) grid (i: M) { store x[i] = 0 }\nkernel b(x: out f32[M]) grid (i: M) { store x[i] = 0 }";
  Specialization specialization;
  checkContains(refusal(two), "test.tile has several kernels: 'a' and 'b'; name one");
  specialization.kernel = "c";
  checkContains(refusal(two, specialization), "test.tile has no kernel 'c', but has 'a' and 'b'");
  checkContains(refusal("hook h(x) -> f32 = x"), "test.tile has no kernel; write one");
  specialization.kernel = "b";
  CHECK(check(two, specialization).has_value());
}

TEST_CASE("a constraint without params") {
  CHECK(check("where 1 == 1\nkernel k(x: f32[M]) grid (i: M) { let a = 5 }\n"));
  checkContains(refusal("where 1 == 2\nkernel k(x: f32[M]) grid (i: M) { let a = 5 }\n"),
                "this constraint names no param and never holds; take it out, or name one");
}
