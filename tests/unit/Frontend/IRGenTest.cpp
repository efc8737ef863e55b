#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/IRGen.h"
#include "lacuna/Compiler/Frontend/Lexer.h"

#include "mlir/IR/MLIRContext.h"

#include <algorithm>
#include <cctype>
#include <set>

using namespace lacuna;
using namespace lacuna::frontend;

static std::string tileText(const std::string &text, const Specialization &specialization = {}) {
  auto kernel = check(text, specialization);
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  mlir::MLIRContext context;
  auto module = generateTile(**kernel, context);
  REQUIRE_MESSAGE(module, module.error().message);
  std::string result;
  llvm::raw_string_ostream stream(result);
  (*module)->print(stream);
  return result;
}

TEST_CASE("every library kernel becomes verified IR, for odd head dimensions too") {
  for (const std::string &name : kKernelFiles) {
    auto module = parseModule(name, readKernelFile(name));
    REQUIRE(module);
    for (const std::string &kernelName : kernelNames(**module)) {
      for (const char *d : {"8", "72", "128", "256"}) {
        Specialization specialization;
        specialization.kernel = kernelName;
        if (name.find("matmul") == std::string::npos)
          specialization.params["D"] = d;
        CHECK(tileText(readKernelFile(name), specialization).find("tile.func @" + kernelName) != std::string::npos);
      }
    }
  }
}

/// The text with every name replaced by one made from its first occurrence; words that mean something stay.
static std::string renamed(const std::string &text, std::map<std::string, std::string> &originals) {
  static const std::set<std::string> kFixed = {
      "out",        "on",     "blocks",  "partial", "f32",           "i32",      "bool",     "bf16",      "f16",
      "exp",        "log",    "tanh",    "dot",     "load",          "rowmax",   "rowsum",   "rowmin",    "transpose",
      "max",        "min",    "ceildiv", "amax",    "amin",          "sum",      "abs",      "regs",      "auto",
      "ring",       "depth",  "overlap", "order",   "longest_first", "epilogue", "tma",      "producer",  "tune",
      "when",       "smem",   "exp2",    "sm_90a",  "sm_80",         "regs_fit", "pingpong", "consumers", "programs",
      "persistent", "single", "split",   "masked",  "none",          "natural",  "direct"};
  SourceFile file("t", text);
  DiagnosticSink sink;
  std::string result;
  uint32_t copied = 0;
  std::map<std::string, std::string> names;
  for (const Token &token : tokenize(file, sink)) {
    result += text.substr(copied, token.range.begin - copied);
    copied = token.range.end;
    std::string word(token.text());
    if (token.is(TokenKind::Identifier) && !kFixed.count(word)) {
      auto [name, isNew] = names.try_emplace(word, "zz" + std::to_string(997 - names.size()) + "_");
      originals[name->second] = word;
      word = name->second;
    }
    result += word;
  }
  return result;
}

TEST_CASE("identifiers carry no meaning") {
  for (const char *name :
       {"attention_forward", "sigmoid_attention", "two_product_attention", "matmul", "block_sparse_matmul"}) {
    for (const char *target : {"cpu", "sm_90a", "sm_80"}) {
      std::map<std::string, std::string> originals;
      Specialization specialization;
      specialization.target = target;
      std::string plain = tileText(readKernelFile(name), specialization);
      std::string changed = tileText(renamed(readKernelFile(name), originals), specialization), restored;
      for (size_t i = 0; i < changed.size();) {
        size_t end = i;
        while (end < changed.size() && (isalnum(static_cast<unsigned char>(changed[end])) || changed[end] == '_'))
          ++end;
        std::string word = changed.substr(i, std::max<size_t>(end - i, 1));
        auto original = originals.find(word);
        restored += original != originals.end() ? original->second : word;
        i += word.size();
      }
      CHECK(restored == plain);
    }
  }
}

TEST_CASE("loops carry the variables that they assign, conditions return them") {
  std::string text = tileText(kernelWith("var a: f32[BM] = 0\nvar n = 1\nvar c = 2\nfor j in 0..count by 3 {\n  a = a "
                                         "+ n\n  if j > 4 { n = n + c } else { var e = 1\ne = 2 }\n}\n"
                                         "store z[b, i*BM:+BM] = a * n"));
  checkContains(text, "iter_args(%arg9 = %cst, %arg10 = %c1_i32");
  checkContains(text, "-> (tensor<128x1xf32>, i32)");
  checkContains(text, "scf.if %");
  checkContains(text, "-> (i32)");
}

TEST_CASE("promotions and broadcasts are explicit") {
  std::string text = tileText(kernelWith("let t = load x[i*BM:+BM, 0:+BN]\nstore y[b, i*BM:+BM, 0:+BN] = t * count + "
                                         "rowsum(t) + transpose(rowsum(transpose(t)))"));
  checkContains(text, "arith.sitofp %arg7 : i32 to f32");
  checkContains(text, ": f32 -> tensor<128x64xf32>");
  checkContains(text, ": tensor<128x1xf32> -> tensor<128x64xf32>");
  checkContains(text, ": tensor<1x64xf32> -> tensor<128x64xf32>");
}

TEST_CASE("positions past a tile's true extent are out of reductions and contractions") {
  Specialization specialization;
  specialization.params = {{"D", "72"}};
  std::string text =
      tileText(kernelWith("let t = load q[b, i*BM:+BM, :]\nlet e = exp(t as f32)\nlet p = e as T\n"
                          "store z[b, i*BM:+BM] = rowmax(e) + rowsum(dot(p, transpose(load k[b, 0:+BN, :])))"),
               specialization);
  checkContains(text, "tile.iota : tensor<1x80xi32>");
  checkContains(text, "dense<72> : tensor<1x80xi32>");
  checkContains(text, "dense<0xFF800000> : tensor<128x80xf32>");
  checkContains(text, "dense<0.000000e+00> : tensor<128x80xbf16>");
  specialization.params = {{"D", "64"}};
  text =
      tileText(kernelWith("let t = load q[b, i*BM:+BM, :]\nstore z[b, i*BM:+BM] = rowmax(t as f32)"), specialization);
  CHECK(text.find("tile.iota") == std::string::npos);
}

TEST_CASE("an integer division by what may be zero is guarded") {
  std::string text = tileText(kernelWith("store z[b, i*BM:+BM] = i / count + i % 3 + i / M"));
  checkContains(text, "arith.cmpi ule");
  CHECK(text.find("arith.select") != std::string::npos);
  text = tileText(kernelWith("store z[b, i*BM:+BM] = i % 3 + i / M"));
  CHECK(text.find("arith.select") == std::string::npos);
}

TEST_CASE("every function, operator and conversion has an operation") {
  std::string text = tileText(
      kernelWith("let t = load x[i*BM:+BM, 0:+BN]\n"
                 "let a = exp(t) + exp2(t) + log(t) + log2(t) + tanh(t) + sqrt(t) + rsqrt(t) + floor(t) + abs(t) + "
                 "min(t, 2) + max(t, count)\n"
                 "let n = ceildiv(abs(-count), i + 1) + min(count, 3) + max(count, 4)\n"
                 "let c = !(t > 1 && t <= 2 || t != 3) == (a >= t)\n"
                 "let d = (((t as i32) % 7) as bf16) as f16\n"
                 "let e = (c as f32) + (c as i32) + ((d as f32) / n) + ((c as T) as f32)\n"
                 "store y[b, i*BM:+BM, 0:+BN] = e * (amin(a) - rowmin(a))"));
  for (const char *op :
       {"math.exp ",    "math.exp2 ",     "math.log ",      "math.log2 ",     "math.tanh ",     "math.sqrt ",
        "math.rsqrt ",  "math.floor ",    "math.absf ",     "math.absi ",     "arith.minnumf",  "arith.maxnumf",
        "arith.minsi",  "arith.maxsi",    "arith.divsi",    "arith.remsi",    "arith.andi",     "arith.ori",
        "arith.xori",   "arith.cmpf ogt", "arith.cmpf ole", "arith.cmpf une", "arith.cmpf oge", "arith.cmpi eq",
        "arith.fptosi", "arith.sitofp",   "arith.truncf",   "arith.extf",     "arith.extui",    "arith.uitofp",
        "arith.divf",   "arith.subi"})
    checkContains(text, op);
}

TEST_CASE("hooks get the scalars that they read") {
  Specialization specialization;
  specialization.hooks = {{"h", "v * scale + M"}};
  specialization.positiveScalars = {"scale"};
  std::string text =
      tileText(kernelWith("let t = load x[i*BM:+BM, 0:+BN]\nstore y[b, i*BM:+BM, 0:+BN] = map (e in t) => h(e)",
                          "hook h(v) -> f32 = v\n"),
               specialization);
  checkContains(text, "tile.hook @h(%arg0: f32, %arg1: f32) -> f32");
  checkContains(text, "tile.dim \"M\"");
  checkContains(text, "tile.call_hook @h(%arg8, %arg6)");
  checkContains(text, "%arg6: f32 {tile.name = \"scale\", tile.positive}");
}

TEST_CASE("a hook hands on what its callees read, and `partial` is read outside the elements") {
  std::string text = tileText(
      kernelWith("for t in rows[b, 0, i] by BN {\nlet s = dot(load q[b, i*BM:+BM, :], transpose(load k[b, t, :]))\n"
                 "store y[b, i*BM:+BM, 0:+BN] = map (e in s; r, j) => t.partial ? outer(e, t[j]) : e\n}",
                 "hook inner(v) -> f32 = v * scale\nhook outer(v, j) -> f32 = inner(v) + j\n"));
  checkContains(text, "tile.hook @inner(%arg0: f32, %arg1: f32) -> f32");
  checkContains(text, "tile.hook @outer(%arg0: f32, %arg1: i32, %arg2: f32) -> f32");
  checkContains(text, "tile.call_hook @inner(%arg0, %arg2)");
  CHECK(text.find("tile.is_partial") < text.find("tile.map"));
}

TEST_CASE("all scalars may be said to be positive") {
  Specialization specialization;
  specialization.allScalarsPositive = true;
  std::string text = tileText(kernelWith("store z[b, i*BM:+BM] = scale"), specialization);
  checkContains(text, "%arg6: f32 {tile.name = \"scale\", tile.positive}");
  checkContains(text, "%arg7: i32 {tile.name = \"count\"}");
}

TEST_CASE("a hook of the library and a hook of the file may share a name") {
  Specialization specialization;
  specialization.hooks = {{"keep", "sliding_window"}};
  std::string text =
      tileText(kernelWith("let t = load x[i*BM:+BM, 0:+BN]\nstore y[b, i*BM:+BM, 0:+BN] = map (e in t; r, c) => "
                          "keep(b, i, r, c) && causal(b, i, r, c) ? e : 0",
                          "hook keep(b, h, i, j) -> bool = true\nhook causal(b, h, i, j) -> bool = j < i\n"),
               specialization);
  checkContains(text, "tile.hook @causal(");
  checkContains(text, "tile.hook @causal_1(");
}

TEST_CASE("labels and schedules reach the IR") {
  Specialization specialization;
  specialization.target = "sm_90a";
  std::string text = tileText(readKernelFile("attention_forward"), specialization);
  checkContains(text, "{label = \"qk\"}");
  checkContains(text, "{ring = 0 : i64}");
  checkContains(text, "ring_depths = array<i64: 2>");
  specialization.target = "cpu";
  CHECK(tileText(readKernelFile("attention_forward"), specialization).find("schedule") == std::string::npos);
}

TEST_CASE("a store that two programs share is refused with its place") {
  auto kernel = check(kernelWith("store z[0, i*BM:+BM] = 0"));
  REQUIRE(kernel);
  mlir::MLIRContext context;
  auto module = generateTile(**kernel, context);
  REQUIRE(!module);
  CHECK(module.error().code == ErrorCode::VerifyError);
  checkContains(module.error().message, "test.tile:8:1: error:");
  checkContains(module.error().message, "would store to the same place");
}
