// The compiler as a library: stages kept, stopped after, dumped and overridden; equal code from equal requests; wrong
// requests.

#include "Runtime/ScratchDirectory.h"

#include "lacuna/Compiler/Pipeline/Compiler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>

using namespace lacuna;
using runtime::readFile;
using runtime::ScratchDirectory;

namespace {

constexpr const char *kScaledProduct = R"(
param D in 8..256 by 8 = 64   T in {bf16, f16} = bf16

hook after(x, i, j) -> f32 = x

kernel product(a: T[M, D], b: T[N, D], c: out f32[M, N], scale: f32)
  grid (i: ceildiv(M, 64), j: ceildiv(N, 64))
{
  let at = load a[i * 64 :+ 64, :]
  let bt = load b[j * 64 :+ 64, :]
  let s = dot(at, transpose(bt))
  let m = rowmax(s * scale)
  store c[i * 64 :+ 64, j * 64 :+ 64] = map (x in exp(s * scale - m); r, k) => after(x, i * 64 + r, j * 64 + k)
}
)";

CompileRequest product(Target target = Target::Sm90a) {
  CompileRequest request;
  request.fileName = "product.tile";
  request.source = kScaledProduct;
  request.target = target;
  return request;
}

Expected<CompileResult> compile(const CompileRequest &request) {
  Compiler compiler;
  return compiler.compile(request);
}

std::string ptxOf(Compiler &compiler, CompileRequest request) {
  request.stopAfter = Stage::Ptx;
  request.keep = {Stage::Ptx};
  auto result = compiler.compile(request);
  REQUIRE_MESSAGE(result, result.error().render());
  return result->texts.at(Stage::Ptx);
}

} // namespace

TEST_CASE("stopAfter ends with its stage, and keep returns the texts asked for") {
  for (Target target : kAllTargets)
    for (Stage stage : kAllStages) {
      if (!hasStage(target, stage) || stage >= Stage::Cubin)
        continue;
      CAPTURE(stageName(stage));
      CompileRequest request = product(target);
      request.stopAfter = stage;
      request.keep = {Stage::Source, stage};
      auto result = compile(request);
      REQUIRE_MESSAGE(result, result.error().render());
      CHECK(result->texts.at(Stage::Source) == kScaledProduct);
      CHECK(!result->texts.at(stage).empty());
      CHECK(result->times.back().stage == stage);
      CHECK(result->metadata.target == targetName(target));
      CHECK(result->metadata.kernel == (stage < Stage::Tile ? "" : "product"));
    }
}

TEST_CASE("a stage that the target has not, and one that cannot be overridden, are refused") {
  CompileRequest request = product(Target::Cpu);
  request.stopAfter = Stage::Ptx;
  auto stopped = compile(request);
  REQUIRE(!stopped);
  CHECK(stopped.error().code == ErrorCode::InvalidArgument);
  CHECK(stopped.error().message == "target cpu has no stage 'ptx'");
  for (auto [target, stage] : {std::pair(Target::Cpu, Stage::Warp), std::pair(Target::Sm90a, Stage::Sass)}) {
    CompileRequest overridden = product(target);
    overridden.overrides[stage] = "text";
    auto result = compile(overridden);
    REQUIRE(!result);
    CHECK(result.error().code == ErrorCode::InvalidArgument);
    CHECK(result.error().message.find("cannot be overridden for target") != std::string::npos);
  }
}

TEST_CASE("equal requests give equal PTX, from one compiler and from another") {
  Compiler first, second;
  std::string ptx = ptxOf(first, product());
  CHECK(ptxOf(first, product()) == ptx);
  CHECK(ptxOf(second, product()) == ptx);
  CompileRequest other = product();
  other.params["D"] = "128";
  CHECK(ptxOf(first, other) != ptx);
  CHECK(ptxOf(first, product()) == ptx);
}

TEST_CASE("a scalar known to be positive gives other code, by name or for all") {
  Compiler compiler;
  std::string general = ptxOf(compiler, product());
  CompileRequest named = product(), all = product();
  named.positiveScalars = {"scale"};
  all.allScalarsPositive = true;
  CHECK(ptxOf(compiler, named) != general);
  CHECK(ptxOf(compiler, all) == ptxOf(compiler, named));
  named.stopAfter = Stage::TileOpt;
  auto result = compiler.compile(named);
  REQUIRE(result);
  CHECK(result->metadata.positiveScalars == std::vector<std::string>{"scale"});
  named.positiveScalars = {"a"};
  CHECK(!compiler.compile(named));
}

TEST_CASE("every dumped stage fed back gives the same PTX") {
  ScratchDirectory scratch;
  Compiler compiler;
  CompileRequest request = product();
  request.dumpDirectory = scratch.path + "/made/deep";
  std::string ptx = ptxOf(compiler, request);
  size_t files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(request.dumpDirectory)) {
    ++files;
    const auto *stage = std::find_if(std::begin(kAllStages), std::end(kAllStages), [&](Stage each) {
      return stageFileName(each) == entry.path().filename().string();
    });
    REQUIRE(stage != std::end(kAllStages));
    CompileRequest again = product();
    again.overrides[*stage] = readFile(entry.path().string());
    CAPTURE(stageName(*stage));
    CHECK(ptxOf(compiler, again) == ptx);
  }
  CHECK(files == 9);
}

TEST_CASE("a dump that cannot be written is told") {
  CompileRequest request = product();
  request.dumpDirectory = "/proc/none";
  auto result = compile(request);
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::Unavailable);
  ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path + "/02-tile.mlir");
  request.dumpDirectory = scratch.path;
  result = compile(request);
  REQUIRE(!result);
  CHECK(result.error().message.find("cannot write " + scratch.path + "/02-tile.mlir") == 0);
}

TEST_CASE("an edited module describes the launch") {
  Compiler compiler;
  CompileRequest request = product();
  request.stopAfter = Stage::TileOpt;
  request.keep = {Stage::TileOpt};
  auto made = compiler.compile(request);
  REQUIRE(made);
  std::string text = made->texts.at(Stage::TileOpt), before = "@product";
  text.replace(text.find(before), before.size(), "@edited");
  request.overrides[Stage::TileOpt] = text;
  auto edited = compiler.compile(request);
  REQUIRE_MESSAGE(edited, edited.error().render());
  CHECK(edited->metadata.symbol.starts_with("edited_D64_bf16_"));
  request.overrides[Stage::TileOpt] = std::string("module {\0}", 10);
  auto binary = compiler.compile(request);
  REQUIRE(!binary);
  CHECK(binary.error().message.find("is no text: it has a zero byte at offset 8") != std::string::npos);
}

TEST_CASE("what went wrong decides the code") {
  auto codeOf = [](auto change) {
    CompileRequest request = product();
    change(request);
    request.stopAfter = Stage::TileOpt;
    auto result = compile(request);
    REQUIRE(!result);
    CHECK(result.error().message.find("current operation") == std::string::npos);
    return result.error().code;
  };
  CHECK(codeOf([](CompileRequest &request) { request.source = "kernel"; }) == ErrorCode::ParseError);
  CHECK(codeOf([](CompileRequest &request) { request.source = ""; }) == ErrorCode::VerifyError);
  CHECK(codeOf([](CompileRequest &request) { request.kernel = "none"; }) == ErrorCode::NotFound);
  CHECK(codeOf([](CompileRequest &request) { request.params["D"] = "12"; }) == ErrorCode::InvalidArgument);
  CHECK(codeOf([](CompileRequest &request) { request.hooks["after"] = "x +"; }) == ErrorCode::InvalidArgument);
  CHECK(codeOf([](CompileRequest &request) { request.hooks["before"] = "x"; }) == ErrorCode::NotFound);
}

TEST_CASE("without an assembler there is PTX, unless a cubin is asked for") {
  runtime::ScopedVariable absent("LACUNA_PTXAS", "/none/ptxas");
  auto named = compile(product());
  REQUIRE(!named);
  CHECK(named.error().code == ErrorCode::Unavailable);
  CHECK(named.error().message.find("LACUNA_PTXAS names '/none/ptxas'") == 0);
}

TEST_CASE("mutated texts are compiled or refused, and nothing worse") {
  std::mt19937 random(20);
  const std::string_view pieces[] = {"(",   ")",  "[",  "]",   "{",           "}",   ",", "=", "*",   ":+",
                                     "64",  "0",  "-1", "dot", "load",        "map", "x", "s", "f32", "as",
                                     "for", "in", "\"", "\n",  "99999999999", "inf", "D", "M", "%",   "/"};
  Compiler compiler;
  size_t compiled = 0;
  for (int round = 0; round < 400; ++round) {
    CompileRequest request = product(round % 2 ? Target::Cpu : Target::Sm90a);
    request.stopAfter = Stage::TileOpt;
    for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
      size_t at = random() % request.source.size(), length = random() % 6;
      request.source.replace(at, length, pieces[random() % std::size(pieces)]);
    }
    CAPTURE(request.source);
    auto result = compiler.compile(request);
    compiled += result.has_value();
    if (!result) {
      CHECK(!result.error().message.empty());
      CHECK_MESSAGE(result.error().code != ErrorCode::Internal, result.error().message);
    }
  }
  CHECK(compiled > 0);
}
