#include "FrontendTestSupport.h"

using namespace lacuna;
using namespace lacuna::frontend;

namespace {
struct Case {
  std::string body, message;
};
} // namespace

static void checkBodies(const std::vector<Case> &cases) {
  for (const Case &c : cases)
    checkContains(refusal(kernelWith(c.body)), c.message);
}

TEST_CASE("the library kernels are accepted") {
  for (const std::string &name : kKernelFiles) {
    auto module = parseModule(name, readKernelFile(name));
    REQUIRE(module);
    for (const std::string &kernelName : kernelNames(**module)) {
      for (const char *target : {"", "cpu", "sm_90a", "sm_80"}) {
        Specialization specialization;
        specialization.kernel = kernelName;
        specialization.target = target;
        auto kernel = analyze(*module, specialization);
        CHECK_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
      }
    }
  }
}

TEST_CASE("what a body may hold") {
  for (const char *body : {"store z[b, i*BM :+ BM] = 0",
                           "let t = load q[b, i*BM :+ BM, :]\nlet u = transpose(t)\nstore y[b, i*BM:+BM, 0:+BN] = "
                           "dot(t, transpose(load k[b, 0:+BN, :]))",
                           "var a: f32[BM] = 1\nif count > 3 && scale < 2 { a = a + 1 } else if count == 0 { a = 0 "
                           "}\nstore z[b, i*BM :+ BM] = a",
                           "var a = 0\nfor j in 0..count by 2 { a = a + j }\nstore z[b, i] = a",
                           "let t = load x[i*BM:+BM, 0:+BN]\nlet u = map (e in t, f in rowsum(t); r, c) => (r < c ? e "
                           ": f) + D\nstore z[b, i*BM:+BM] = rowmax(u)",
                           "let t = load x[i*BM:+BM, 0:+BN]\nstore z[b, i] = sum(t) + amax(t) - amin(t)",
                           "let e = exp(1) + 2 * count\nlet n = -e as i32\nstore z[b, i] = abs(n) % 3 / ceildiv(n, 4)",
                           "let t: T[BM, D] = load q[b, i*BM :+ BM, :]\nlet w = (t as f32) * 2\nlet f = w > 1 && !(w "
                           "== 3)\nlet g = f as i32\n"
                           "store z[b, i*BM:+BM] = rowsum(g)",
                           "for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nif !t.partial { } }"}) {
    auto kernel = check(kernelWith(body));
    CHECK_MESSAGE(kernel, body << "\n" << (kernel ? "" : kernel.error().message));
  }
}

TEST_CASE("names") {
  checkBodies({{"let a = scael", "undefined name 'scael'; did you mean 'scale'?"},
               {"let a = q", "'q' is a view; read a tile of it with `load q[...]`"},
               {"let a = rows", "'rows' is a block list; run over it with"},
               {"let a = T", "'T' is a type, not a value; use it as in `x as T`"},
               {"let a = exp", "'exp' is a function; call it as exp(...)"},
               {"let a = q[1, 2, 3]", "'q' is a view; read a tile of it with `load q[...]`"},
               {"let a = scale[1]", "the scalar argument 'scale' has no elements to index; use `map"},
               {"let a = scale.partial", "the scalar argument 'scale' has no members"},
               {"let q = 1", "'q' is declared already; choose another name"},
               {"let a = 1\nif count > 0 { let a = 2 }", "'a' is declared already"},
               {"let f32 = 1", "'f32' is a built-in type"},
               {"if count > 0 { let a = 2 }\nlet b2 = a", "undefined name 'a'"},
               {"let a = 1\na = 2", "'a' cannot be assigned, because it is declared with `let`; declare it with `var`"},
               {"scale = 2", "the scalar argument 'scale' cannot be assigned; only what is declared with `var` can"},
               {"nothing = 2", "undefined name 'nothing'"},
               {"let a = foo(1)", "undefined function 'foo'; the functions are the built-in ones and the hooks"},
               {"let a = exq(1)", "undefined function 'exq'; did you mean 'exp'?"},
               {"let a = scale(1)", "'scale' is a value, not a function"},
               {"l: let a = 1\nl: let c = 2", "the label 'l' is used twice; rename one of them"},
               {"let a: f33 = 1", "'f33' is not a type; the types are"}});
}

TEST_CASE("operators") {
  checkBodies(
      {{"let a = load q[b, 0:+BM, :]\nlet c = a + 1",
        "`+` works on f32 and i32, but this is T[BM, D]; convert it with `as f32`"},
       {"let a = true + 1", "`+` works on f32 and i32, but this is bool; choose numbers with `condition ? a : b`"},
       {"let a = -true", "`-` works on f32 and i32, but this is bool"},
       {"let a = !1", "`!` works on bool, but this is i32; compare it"},
       {"let a = 1 && true", "`&&` works on bool, but this is i32"},
       {"let a = 1.5 % 2", "`%` works on i32, but this is f32; write `x - floor(x / y) * y`"},
       {"let a = 1 ? 2 : 3", "the condition of `?:` is bool, but this is i32"},
       {"let a = true ? 2 : false", "the two values of `?:` have types i32 and bool; convert one of them"},
       {"let a = 3 as bool", "i32 does not convert to bool; compare it"},
       {"let a = 3000000000", "3000000000 does not fit in i32, whose largest value is 2147483647"},
       {"let a = (load x[0:+BM, 0:+BN]) + (load x[0:+BM, 0:+D])",
        "`+` joins f32[BM, BN] and f32[BM, D], whose columns BN and D differ; they are equal with these params, but "
        "extents are "
        "compared as written"},
       {"let a = (load x[0:+BM, 0:+BN]) + (load x[0:+BN, 0:+BN])",
        "whose rows BM and BN differ; extents must be the same, or 1"},
       {"let a = (load x[0:+BM, 0:+BN]) * (load x[0:+BN, 0:+BM])", "transpose one of them"}});
}

TEST_CASE("calls of built-in functions") {
  checkBodies(
      {{"let a = exp(1, 2)", "'exp' is called with 2 arguments; call it as exp(x)"},
       {"let a = exp(true)", "'exp' works on f32 and i32, but this is bool"},
       {"let a = abs(true)", "'abs' works on f32 and i32, but this is bool"},
       {"let a = max(1, true)", "'max' works on f32 and i32, but this is bool"},
       {"let a = ceildiv(1.5, 2)", "'ceildiv' works on i32, but this is f32"},
       {"let a = transpose(1)", "'transpose' takes a tile, but this is i32"},
       {"let a = rowmax(1)", "'rowmax' reduces a tile, but this is i32"},
       {"let a = rowmax(load q[b, 0:+BM, :])", "'rowmax' works on f32 and i32, but this is T[BM, D]"},
       {"let a = rowmax(rowmax(load x[0:+BM, 0:+BN]))",
        "'rowmax' gives one value a row of a tile of two axes, but this is f32[BM]"},
       {"let a = dot(1, 2)", "'dot' multiplies two tiles of two axes, but this is i32"},
       {"let a = load x[0:+BM, 0:+BN]\nlet c = dot(a, a)",
        "'dot' multiplies bf16 or f16 tiles, but this is f32[BM, BN]"},
       {"let a = load q[b, 0:+BM, :]\nlet c = dot(a, a)", "write dot(a, transpose(a))"},
       {"let a = load q[b, 0:+BM, :]\nlet c = dot(a, load k[b, 0:+BN, :])",
        "write dot(a, transpose(load k[b, 0 :+ BN, :]))"},
       {"let a = load q[b, 0:+BM, :]\nlet c = dot(a, transpose(a) as f16)", "'dot' multiplies tiles of one dtype"},
       {"let a = load q[b, 0:+BM, :]\nlet c = dot(a, transpose(a), load x[0:+BM, 0:+BN])",
        "the accumulator of 'dot' has type f32[BM, BM], but the value has type f32[BM, BN]"}});
}

TEST_CASE("loads and stores") {
  checkBodies(
      {{"let a = load scale[1]", "cannot load from the scalar argument 'scale'; only a view has elements in memory"},
       {"let a = load y[b, 0:+BM, 0:+BN]", "'y' is an output and cannot be loaded; keep the value in a `var`"},
       {"store q[b, 0, 0] = 1", "'q' is an input; write `q: out ...` in the kernel's head"},
       {"let a = load q[b, 0]", "'q' has 3 axes, but 2 indices are given; give one an axis"},
       {"let a = load q[b, 0, 0]", "a load takes one or two axes as slices"},
       {"let a = load q[0:+BM, 0:+BM, 0:+BM]",
        "two slices make the rows of this tile together; their number is a multiple of 16 and at most 1024, but "
        "`BM * BM` is 16384 with these params"},
       {"let a = load q[b, :, 0]",
        "`:` takes a whole axis, whose length must be known when the kernel is compiled, but M is a "
        "run-time dimension; write `start :+ length`"},
       {"let a = load q[b, 0.5, :]", "an index of a view is an i32, but `0.5` has type f32"},
       {"let a = load q[b, 0.5:+BM, :]", "the start of a slice is an i32, but `0.5` has type f32"},
       {"let a = load q[b, 0:+count, :]",
        "'count' is not a param; the length of a slice is made of params and integers"},
       {"let a = load q[b, 0:+BM+4, :]",
        "the length of a slice is a multiple of 16, but `BM + 4` is 132 with these params"},
       {"let a = load q[b, 0:+BM*16, :]", "the length of a slice is at most 1024, but `BM * 16` is 2048"},
       {"let a = load q[b, 0:+BM-128, :]", "the length of a slice is from 1 to 2147483647, but `BM - 128` is 0"},
       {"store y[b, 0:+BM, 0:+BN] = load q[b, 0:+BM, :]",
        "this part of 'y' has type f32[BM, BN], but the value has type T[BM, D]; "
        "convert it with `as f32`"},
       {"store z[b, 0:+BM] = load x[0:+BM, 0:+BN]",
        "this part of 'z' has type f32[BM], but the value has type f32[BM, BN]; extents "
        "must be the same as written, or 1"},
       {"store z[b, 0] = load x[0:+BM, 0:+BN]", "reduce it to a scalar with sum, amax or amin"},
       {"store y[b, 0:+BM, 0:+BN] = load x[0:+BN, 0:+BM]", "transpose it"}});
}

TEST_CASE("two axes that make the rows together") {
  auto grouped = [](const std::string &body) {
    return "param R in 1..192 = 8   L in 1..192 = 16\n"
           "kernel test(q: bf16[B, H, M, 64], w: bf16[B, H, K, M, 64], four: bf16[B, 4, M, 64],\n"
           "            rows: blocks<64, 64>[1, 1], y: out bf16[B, H, M, 64], z: out f32[B, H, M])\n"
           "  grid (i: ceildiv(M, L), g: ceildiv(H, R), b: B)\n{\n" +
           body + "\n}\n";
  };
  for (const char *body : {"store y[b, g*R:+R, i*L:+L, :] = load q[b, g*R:+R, i*L:+L, :]",
                           "let t = load q[b, g*R:+R, i*L:+L, :]\nstore z[b, g*R:+R, i*L:+L] = rowsum(t as f32)",
                           "let t: bf16[L * R, 64] = load q[b, g*R:+R, i*L:+L, :]\nstore y[b, g*R:+R, i*L:+L, :] = t",
                           "store y[b, g*R:+R, i*L:+L, 0:+16] = load q[b, g*R:+R, i*L:+L, 0:+16]",
                           // Two slices of a value that is no row of R * L elements: rows by columns.
                           "let column = load q[b, g*R:+16, i*L, 0] as f32\nstore z[b, g*R:+16, i*L:+32] = column"}) {
    auto kernel = check(grouped(body));
    CHECK_MESSAGE(kernel, body << "\n" << (kernel ? "" : kernel.error().message));
  }
  for (const auto &[body, message] : std::vector<Case>{
           {"let t = load q[b, g*R:+R, i*L:+L-1, :]",
            "their number is a multiple of 16 and at most 1024, but `R * (L - 1)` is 120 with these params"},
           {"let t = load q[b, g*R:+R, i*L:+L*16, :]",
            "their number is a multiple of 16 and at most 1024, but `R * (L * 16)` is 2048 with these params"},
           {"let t = load four[b, :, i*L:+L, :]", "write each as `start :+ length`, with a length made of params"},
           {"for t in rows[0, 0, i] by 64 { let k = load q[b, g*R:+R, t, :] }",
            "write each as `start :+ length`, with a length made of params"},
           {"let t = load w[b, g*R:+R, 0, i*L:+L, :]",
            "they must be neighbouring axes, as in `q[b, h :+ R, i :+ L, :]`"},
           {"let t = load w[b, g*R:+R, 0:+2, i*L:+L, :]", "or three, of which the first two make the rows, and one "
                                                          "position of each other, but 4 are slices here"},
           {"let t = load q[b, g*R:+B, i*L:+L, :]",
            "'B' is not a param; the length of a slice is made of params and integers"},
           {"store z[b, g*R:+R, i*L:+L] = rowsum(load q[b, g, i*16:+16, :] as f32)",
            "the length of a slice is a multiple of 16, but `R` is 8 with these params"}})
    checkContains(refusal(grouped(body)), message);
}

TEST_CASE("a whole axis is at most a tile's extent") {
  checkContains(
      refusal("param D in {2048} = 2048\nkernel k(x: f32[M, D], y: out f32[M]) grid (i: M) { store y[i:+16] = "
              "rowsum(load x[i:+16, :]) }"),
      "`:` makes a tile of extent D = 2048, and a tile's extent is at most 1024; write `start :+ length`");
}

TEST_CASE("statements") {
  checkBodies(
      {{"let a: f32[BM, BN, D] = 0", "a value is a scalar (f32), one value a row (f32[BM]), or a tile (f32[BM, BN])"},
       {"let a: f32[BM|1] = 0", "`|1` belongs to the axes of a block list"},
       {"let a: f32[M] = 0", "'M' is not a param; a tile's extent is made of params and integers"},
       {"let a: i32 = 1.5", "'a' has type i32, but the value has type f32; convert it with `as i32`"},
       {"let a: bool = 1", "'a' has type bool, but the value has type i32; compare it"},
       {"var a: f32[BM] = 0\na = load x[0:+BM, 0:+BN]", "'a' has type f32[BM], but the value has type f32[BM, BN]"},
       {"if 1 { }", "the condition of `if` is a bool, but this is i32; compare it"},
       {"if (load x[0:+BM, 0:+BN]) > 0 { }",
        "the condition of `if` is one bool for the whole tile, but this is bool[BM, BN]"},
       {"for j in 0..1.5 { }", "the end of a loop is an i32, but `1.5` has type f32"},
       {"for j in 0.5..2 { }", "the begin of a loop is an i32"},
       {"for j in 0..4 by count { }", "'count' is not a param; the step of a loop is made of params and integers"},
       {"for j in 0..4 by 0 { }", "the step of a loop is from 1 to 2147483647, but `0` is 0"},
       {"for j in -2000000000..2000000000 by 1000000000 { }",
        "the bounds of a loop are at most 2147483647 apart, but `-2000000000` is -2000000000 and `2000000000` is "
        "2000000000; count from 0, and add the begin"}});
}

TEST_CASE("sparse loops") {
  checkBodies({{"for t in q[b, 0, i] by BN { }", "a sparse loop runs over a block list, but the view 'q' is none"},
               {"for t in rows[b, 0] by BN { let a = load k[b, t, :] }",
                "a block list is indexed by batch, head and block row"},
               {"for t in rows[b, 0, 0:+BM] by BN { let a = load k[b, t, :] }",
                "a block list is indexed by batch, head and block row"},
               {"for t in rows[b, 0.5, i] by BN { let a = load k[b, t, :] }", "an index of a block list is an i32"},
               {"for t in rows[b, 0, i] by 48 { let a = load k[b, t, :] }",
                "the step must divide the list's key block or be a multiple of "
                "it, but the step is 48 and the block BN = 64"},
               {"for t in rows[b, 0, i] by 8 { }", "the step of a sparse loop is a multiple of 16, but `8` is 8"},
               {"for t in rows[b, 0, i] by BN { }", "nothing is loaded at 't', so the end of the keys is unknown"},
               {"for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nlet c = load q[b, t, :] }",
                "'t' indexes an axis of length M here and one of length N elsewhere"},
               {"for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nlet c = t }",
                "'t' stands for several positions; write `t[j]`"},
               {"for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nlet c = t[0] }",
                "the positions of 't' can be read in a map only"},
               {"for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nlet c = t.parital }",
                "'t' has no member 'parital'; it has "
                "`t.partial`; did you mean 'partial'?"},
               {"for t in rows[b, 0, i] by BN { let a = load k[b, t, :]\nlet c = map (e in a; r, j) => t[j, r] }",
                "a position has one index, as in `t[j]`"}});
}

TEST_CASE("maps") {
  checkBodies({{"let a = map (e in 3) => e", "a map runs over the elements of tiles, but this is i32"},
               {"let t = load x[0:+BM, 0:+BN]\nlet a = map (e in t) => t",
                "the body of a map works on elements, but 't' is f32[BM, BN]; give "
                "it to the map"},
               {"let t = load x[0:+BM, 0:+BN]\nlet a = map (e in t) => load x[0, 0:+BN]",
                "the body of a map works on elements and cannot load"},
               {"let t = load x[0:+BM, 0:+BN]\nlet a = map (e in t) => (map (f in t) => f)",
                "the body of a map works on elements and cannot "
                "hold a map"},
               {"let t = load x[0:+BM, 0:+BN]\nlet a = map (e in t, f in load x[0:+BM, 0:+D]) => e",
                "a map joins f32[BM, BN] and f32[BM, D]"},
               {"let t = load x[0:+BM, 0:+BN]\nlet a = map (t in t) => 1", "'t' is declared already"},
               {"let t = load q[b, 0:+BM, :]\nlet a = map (e in t) => e * 2",
                "`*` works on f32 and i32, but this is T; convert it"}});
}

TEST_CASE("a kernel's head") {
  struct HeadCase {
    std::string text, message;
  };
  const std::string body = " grid (i: M) { store y[i] = 0 }";
  for (const HeadCase &c : std::vector<HeadCase>{
           {"kernel k(y: out f32[M]) { store y[0] = 0 }", "a kernel has a grid of one to three axes"},
           {"kernel k(y: out f32[M]) grid (a: 1, b: 1, c: 1, d: 1) { }", "but 'k' has 4"},
           {"kernel k(y: out f32[M]) grid (i: Z) { }", "a grid axis is computed from params and run-time dimensions"},
           {"kernel k(y: out f32[M], n: i32) grid (i: n) { }", "and 'n' is none of them"},
           {"kernel k(y: out f32[M]) grid (i: M * 1.5) { }",
            "a grid axis is made of params, run-time dimensions, integers, operators"},
           {"kernel k(y: out f32[M]) where exp(M) == 1" + body, "a kernel's constraint is made of params"},
           {"kernel k(y: out f32[M], y: f32)" + body, "'y' is declared already"},
           {"kernel k(y: out f32[M], s: out f32)" + body, "'s' is a scalar and cannot be an output"},
           {"kernel k(y: out f32[M], s: bf16)" + body, "a scalar argument is f32 or i32, not bf16"},
           {"kernel k(y: out f32[M], s: bool[M])" + body,
            "a view's elements are bf16, f16, f32, i32 or a dtype param, not bool"},
           {"kernel k(y: out f32[M], s: f32[A, B, C, D, E, F])" + body, "a view has one to five axes, but 's' has 6"},
           {"kernel k(y: out f32[M], s: f32[M|1])" + body,
            "`|1` says that a block list may be shared; it has no meaning for a view"},
           {"kernel k(y: out f32[M], s: f32[y])" + body, "'y' is not a length"},
           {"kernel k(y: out f32[M], s: f32[M / 2])" + body,
            "'M' is not a param; a view's extent is made of params and integers"},
           {"kernel k(y: out f32[M], s: f32[0])" + body, "a view's extent is from 1 to 2147483647, but `0` is 0"},
           {"kernel k(y: out f32[M], s: blocks<16, 16>[B])" + body, "a block list has the two axes batch and head"},
           {"kernel k(y: out f32[M], s: blocks<16, 16>[B, H|1])" + body,
            "one list may always serve all of an axis; write B|1"},
           {"kernel k(y: out f32[M], s: out blocks<16, 16>[B|1, H|1])" + body, "a block list cannot be an output"},
           {"kernel k(y: out f32[M])" + body + "\nkernel k(y: out f32[M])" + body, "'k' is declared twice"},
           {"kernel exp(y: out f32[M])" + body, "'exp' is a built-in function"}})
    checkContains(refusal(c.text), c.message);
}

TEST_CASE("positive scalars must be scalar arguments") {
  Specialization specialization;
  specialization.positiveScalars = {"scael"};
  checkContains(refusal(kernelWith("store z[b, i*BM:+BM] = 0"), specialization),
                "'scael' was said to be positive, but 'test' has no such scalar argument; it has 'scale' and 'count'; "
                "did you mean 'scale'?");
}

TEST_CASE("one mistake gives one message") {
  std::string message = refusal(
      kernelWith("let a = undefined_thing\nlet c = a + 1\nlet e = exp(c) * rowsum(a)\nstore z[b, i*BM:+BM] = e"));
  CHECK(message.find("error:") == message.rfind("error:"));
}
