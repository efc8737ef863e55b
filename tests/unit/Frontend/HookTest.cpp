#include "FrontendTestSupport.h"

using namespace lacuna;
using namespace lacuna::frontend;

static const std::string kBody =
    "let t = load x[i*BM:+BM, 0:+BN]\n"
    "store y[b, i*BM:+BM, 0:+BN] = map (e in t; r, c) => keep(b, i, r, c) ? score(e, b, i, r, c) : 0";
static const std::string kHooks = "hook score(s, b, h, i, j) -> f32 = s\nhook keep(b, h, i, j) -> bool = true\n";

static Specialization hooks(std::map<std::string, std::string> settings) {
  Specialization specialization;
  specialization.hooks = std::move(settings);
  return specialization;
}

TEST_CASE("replacing hooks: by a library hook, by an expression") {
  for (auto settings :
       std::vector<std::map<std::string, std::string>>{{},
                                                       {{"keep", "causal"}},
                                                       {{"keep", "sliding_window"}, {"score", "alibi"}},
                                                       {{"keep", "j <= i + N - M && causal(b, h, i, j)"}},
                                                       {{"score", "s"}},
                                                       {{"score", "softcap(s, b, h, i, j) * scale + BM"}},
                                                       {{"score", "j"}},
                                                       {{"keep", "true"}}}) {
    auto kernel = check(kernelWith(kBody, kHooks), hooks(settings));
    CHECK_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
  }
  Specialization window = hooks({{"keep", "sliding_window"}});
  window.params = {{"WINDOW", "256"}, {"SINK", "4"}};
  CHECK(check(kernelWith(kBody, kHooks), window).has_value());
}

TEST_CASE("replacements that are refused") {
  struct Case {
    std::map<std::string, std::string> settings;
    ErrorCode code;
    std::string message;
  };
  for (const Case &c : std::vector<Case>{
           {{{"kep", "true"}},
            ErrorCode::NotFound,
            "test.tile has no hook 'kep'; its hooks are 'score' and 'keep', and its block lists 'rows'; did you mean "
            "'keep'?"},
           {{{"keep", "casual"}},
            ErrorCode::NotFound,
            "'casual' is neither a parameter of 'keep' nor a hook of test.tile or of the library"},
           {{{"keep", "alibi"}},
            ErrorCode::InvalidArgument,
            "the hook 'alibi' has 5 parameters and gives f32, but 'keep' has 4 and gives bool"},
           {{{"keep", "j <= (i"}},
            ErrorCode::ParseError,
            "--hook:1:13: error: expected ')', but found the end of the text"},
           {{{"keep", ""}}, ErrorCode::ParseError, "--hook:1:6: error: expected a value"},
           {{{"keep", "j <= i j"}}, ErrorCode::ParseError, "the expression ends before 'j'"},
           {{{"keep", "j"}}, ErrorCode::VerifyError, "the hook 'keep' gives bool, but its body has type i32"},
           {{{"score", "s < 1"}}, ErrorCode::VerifyError, "the hook 'score' gives f32, but its body has type bool"},
           {{{"keep", "q == 1"}},
            ErrorCode::VerifyError,
            "a hook sees its parameters, the kernel's run-time dimensions and scalar arguments, "
            "and params, but not the view 'q'"},
           {{{"keep", "t == 1"}}, ErrorCode::VerifyError, "--hook:1:6: error: undefined name 't'"},
           {{{"keep", "keep(b, h, i, j)"}},
            ErrorCode::VerifyError,
            "the hook 'keep' calls itself, directly or through another hook"},
           {{{"score", "load x[i, 0:+BN]"}}, ErrorCode::VerifyError, "a hook works on elements and cannot load"},
           {{{"score", "sum(map (e in s) => e)"}},
            ErrorCode::VerifyError,
            "a hook works on elements and cannot hold a map"}}) {
    auto kernel = check(kernelWith(kBody, kHooks), hooks(c.settings));
    REQUIRE(!kernel);
    CHECK(kernel.error().code == c.code);
    checkContains(kernel.error().message, c.message);
  }
}

TEST_CASE("calls of hooks that are refused") {
  struct Case {
    std::string hooks, body, message;
  };
  const std::string tile = "let t = load x[i*BM:+BM, 0:+BN]\n";
  for (const Case &c : std::vector<Case>{
           {"hook h(x) -> f32 = x", tile + "let a = h(t)",
            "the hook 'h' works on scalars, but this is f32[BM, BN]; call it in a map"},
           {"hook h(x) -> f32 = x", "let a = h(1, 2)", "the hook 'h' has 1 parameters, but is called with 2 arguments"},
           {"hook h(x) -> f32 = x", "let a = h(load q[b, 0:+BM, :])", "works on scalars"},
           {"hook h(x) -> f32 = x", "let t = load q[b, 0:+BM, :]\nlet a = map (e in t) => h(e)",
            "a hook's parameters are f32, i32 or bool, "
            "but this is T; convert it"},
           {"hook h(x) -> f32 = x", "let a = h(1)\nlet c = h(1.5)",
            "'x' is i32 since the first call of 'h', but this is f32"},
           {"hook h(x) -> T = x", "let a = h(1)", "a hook gives f32, i32 or bool, not T"},
           {"hook h(x) -> f32 = i", "let a = h(1)", "but not the grid axis 'i'"},
           {"hook h(x) -> f32 = g(x)\nhook g(x) -> f32 = h(x)", "let a = h(1)",
            "the hook 'h' calls itself, directly or through another"},
           {"hook h(x, x) -> f32 = 1", "let a = h(1, 2)", "'x' is declared already"},
           {"hook exp(x) -> f32 = 1", "let a = 1", "'exp' is a built-in function"}})
    checkContains(refusal(kernelWith(c.body, c.hooks)), c.message);
}

TEST_CASE("hooks see the kernel's scalars, dims and params, whatever their own parameters are called") {
  const std::string hook = "hook h(M, q) -> f32 = M + q * scale + N * count + D\n";
  auto kernel = check(kernelWith("store z[b, i*BM:+BM] = h(1, 2.5)", hook));
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  REQUIRE((*kernel)->hooks.size() == 1);
  CHECK((*kernel)->hooks[0]->captures.size() == 2);
}

/// `count` hooks named h0, h1, …, each of which gives `body` with %d for the number of the next.
static std::string chainOfHooks(int count, const std::string &body, const std::string &last) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    std::string inner = i + 1 < count ? body : last;
    for (size_t at; (at = inner.find("%d")) != std::string::npos;)
      inner.replace(at, 2, std::to_string(i + 1));
    text += "hook h" + std::to_string(i) + "(x) -> f32 = " + inner + "\n";
  }
  return text;
}

TEST_CASE("hooks that call one another are bounded in depth and in number") {
  const std::string call = "let a = h0(1.5)";
  CHECK(check(kernelWith(call, chainOfHooks(300, "h%d(x)", "x"))));
  checkContains(refusal(kernelWith(call, chainOfHooks(4000, "h%d(x)", "x"))),
                "nest more than 1000 levels deep, with the expressions of their bodies; join some of them");
  // 2^9 - 1 calls, and 2^60 - 1.
  CHECK(check(kernelWith(call, chainOfHooks(9, "h%d(x) + h%d(x)", "x"))));
  checkContains(
      refusal(kernelWith(call, chainOfHooks(60, "h%d(x) + h%d(x)", "x"))),
      "has more than 1000 calls of hooks, counting those in the hooks that are called; write fewer, or give a "
      "hook the result of another");
  std::string body;
  for (int i = 0; i < 1001; ++i)
    body += "let a" + std::to_string(i) + " = h0(1.5)\n";
  checkContains(refusal(kernelWith(body, "hook h0(x) -> f32 = x\n")),
                "with this call of 'h0' the kernel has more than 1000 calls of hooks");
}

TEST_CASE("nothing is looked for behind the errors that are shown") {
  // Each undefined name is compared with all that are declared: were all of them, this would take minutes.
  std::string body;
  for (int i = 0; i < 30000; ++i)
    body += "let value" + std::to_string(i) + " = unknown" + std::to_string(i) + "\n";
  std::string message = refusal(kernelWith(body));
  checkContains(message, "undefined name 'unknown19'");
  checkContains(message, "more errors follow; only the first 20 are shown");
}
