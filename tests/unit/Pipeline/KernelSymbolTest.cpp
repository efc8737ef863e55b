// The symbol of a kernel in its image: readable, a valid identifier everywhere, the same for equal requests only.

#include "lacuna/Compiler/Pipeline/Compiler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>

using namespace lacuna;

namespace {

constexpr const char *kScale = R"(
param D in {16, 32} = 16   T in {bf16, f16} = bf16   SHIFT in -4..4 by 1 = -2
hook after(v) -> f32 = v
kernel scale(x: T[M, D], y: out f32[M, D], factor: f32)
  grid (i: ceildiv(M, 64))
{
  store y[i * 64 :+ 64, :] = map (v in (load x[i * 64 :+ 64, :] as f32) * factor) => after(v) + SHIFT
}
)";

CompileRequest scale() {
  CompileRequest request;
  request.fileName = "scale.tile";
  request.source = kScale;
  request.stopAfter = Stage::Ptx;
  request.keep = {Stage::Ptx};
  return request;
}

CompileResult compiled(const CompileRequest &request) {
  auto result = Compiler().compile(request);
  REQUIRE_MESSAGE(result, result.error().render());
  return std::move(*result);
}

std::string symbol(const CompileRequest &request) {
  return compiled(request).metadata.symbol;
}

} // namespace

TEST_CASE("a symbol is the kernel's name, its params and a hash, and the entry of the code") {
  CompileResult result = compiled(scale());
  const std::string &symbol = result.metadata.symbol;
  CHECK(result.metadata.kernel == "scale");
  CHECK(symbol.starts_with("scale_D16_bf16_SHIFTm2_"));
  CHECK(symbol.size() == std::string("scale_D16_bf16_SHIFTm2_").size() + 8);
  CHECK(result.texts.at(Stage::Ptx).find(".entry " + symbol + "(") != std::string::npos);
}

TEST_CASE("what changes the code changes the symbol, and nothing else does") {
  std::set<std::string> seen = {symbol(scale())};
  auto differs = [&](auto change) {
    CompileRequest request = scale();
    change(request);
    return seen.insert(symbol(request)).second;
  };
  CHECK(!differs([](CompileRequest &request) { request.fileName = "/elsewhere/other.tile"; }));
  CHECK(!differs([](CompileRequest &request) { request.kernel = "scale"; }));
  CHECK(!differs([](CompileRequest &request) { request.params["D"] = "16"; }));
  CHECK(differs([](CompileRequest &request) { request.params["D"] = "32"; }));
  CHECK(differs([](CompileRequest &request) { request.params["T"] = "f16"; }));
  CHECK(differs([](CompileRequest &request) { request.hooks["after"] = "v + 1"; }));
  CHECK(differs([](CompileRequest &request) { request.positiveScalars = {"factor"}; }));
  CHECK(differs([](CompileRequest &request) { request.source += "// a remark\n"; }));
}

TEST_CASE("long names and many params give a symbol of at most 120 characters, still its own") {
  CompileRequest request = scale();
  const std::string longName(200, 'k');
  request.source = "param ";
  for (int i = 0; i < 30; ++i)
    request.source += fmt::format("PARAMETER{} in 1..100 by 1 = 50\n", i);
  request.source += "kernel " + longName + "(y: out f32[M, 16]) grid (i: 1) { store y[0 :+ 64, :] = PARAMETER29 }\n";
  std::string first = symbol(request);
  request.params["PARAMETER29"] = "51"; // not among those that fit
  std::string second = symbol(request);
  for (const std::string &each : {first, second}) {
    CHECK(each.size() <= 120);
    CHECK(each.size() > 100);
    CHECK(each.starts_with(std::string(40, 'k')));
    CHECK(std::all_of(each.begin(), each.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; }));
  }
  CHECK(first != second);
  CHECK(first.substr(0, first.size() - 8) == second.substr(0, second.size() - 8));
}
