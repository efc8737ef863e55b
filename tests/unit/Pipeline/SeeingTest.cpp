// What the environment asks of every compilation: dumps, overrides, times and reports.

#include "Runtime/ScratchDirectory.h"

#include "lacuna/Compiler/Pipeline/Compiler.h"
#include "lacuna/Compiler/Pipeline/Seeing.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

using namespace lacuna;
using runtime::readFile;
using runtime::ScratchDirectory;
using runtime::writeFileAt;

namespace {

constexpr const char *kScale = R"(
param D in {16, 32} = 16
kernel scale(x: f32[M, D], y: out f32[M, D], factor: f32)
  grid (i: ceildiv(M, 64))
{
  store y[i * 64 :+ 64, :] = (load x[i * 64 :+ 64, :]) * factor
}
)";

CompileRequest scale(Target target = Target::Sm90a) {
  CompileRequest request;
  request.fileName = "scale.tile";
  request.source = kScale;
  request.target = target;
  if (target == Target::Sm90a)
    request.stopAfter = Stage::Ptx;
  return request;
}

std::set<std::string> namesIn(const std::string &directory) {
  std::set<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(directory))
    names.insert(entry.path().filename());
  return names;
}

CompileResult compiled(const runtime::Knobs &knobs, const CompileRequest &request) {
  auto result = Compiler(knobs).compile(request);
  REQUIRE_MESSAGE(result, result.error().render());
  return std::move(*result);
}

} // namespace

TEST_CASE("LACUNA_DUMP writes each compilation into a directory of its own, threads beside each other") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.dump = scratch / "made/deep";
  const std::string symbol = compiled(knobs, scale()).metadata.symbol;
  CHECK(namesIn(knobs.dump + "/" + symbol) ==
        std::set<std::string>{"00-source.tile", "01-ast.tile", "02-tile.mlir", "03-tile.opt.mlir", "04-warp.mlir",
                              "05-warp.opt.mlir", "06-llvm.ll", "07-llvm.opt.ll", "08-ptx.ptx"});
  writeFileAt(knobs.dump + "/" + symbol + "/08-ptx.ptx", "mine");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 3; ++k)
        (void)Compiler(knobs).compile(scale(Target::Cpu));
      (void)Compiler(knobs).compile(scale());
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(readFile(knobs.dump + "/" + symbol + "/08-ptx.ptx") == "mine");
  CHECK(namesIn(knobs.dump).size() == 1 + 16);
  CHECK(namesIn(knobs.dump).contains(symbol + ".5"));
  for (const std::string &name : namesIn(knobs.dump))
    CHECK(readFile(knobs.dump + "/" + name + "/00-source.tile") == kScale);
}

TEST_CASE("a text at fault leaves what there was of it; a probe leaves nothing") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.dump = scratch / "dump";
  CompileRequest request = scale();
  request.probe = true;
  (void)compiled(knobs, request);
  CHECK(!std::filesystem::exists(knobs.dump));
  request = scale();
  request.source += "kernel";
  REQUIRE(!Compiler(knobs).compile(request));
  REQUIRE(namesIn(knobs.dump).size() == 1);
  const std::string name = *namesIn(knobs.dump).begin();
  CHECK(name.starts_with("scale_"));
  CHECK(namesIn(knobs.dump + "/" + name) == std::set<std::string>{"00-source.tile"});
}

TEST_CASE("what the request asks for itself comes before the environment") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.dump = scratch / "dump";
  CompileRequest request = scale();
  request.dumpDirectory = scratch / "own";
  (void)compiled(knobs, request);
  CHECK(!std::filesystem::exists(knobs.dump));
  CHECK(namesIn(request.dumpDirectory).size() == 9);
}

TEST_CASE("LACUNA_OVERRIDE takes stages from the kernel's directory, and from no other's") {
  ScratchDirectory scratch;
  runtime::Knobs dump, knobs;
  dump.dump = scratch / "dump";
  knobs.overrides = scratch / "edited";
  const std::string symbol = compiled(dump, scale()).metadata.symbol;
  std::string ptx = readFile(dump.dump + "/" + symbol + "/08-ptx.ptx");
  std::filesystem::create_directories(knobs.overrides + "/" + symbol);
  writeFileAt(knobs.overrides + "/" + symbol + "/08-ptx.ptx", "// edited\n" + ptx);
  CompileRequest request = scale();
  request.keep = {Stage::Ptx};
  CHECK(compiled(knobs, request).texts[Stage::Ptx] == "// edited\n" + ptx);
  request.params["D"] = "32";
  CHECK(compiled(knobs, request).texts[Stage::Ptx].find("edited") == std::string::npos);
}

TEST_CASE("directories that are none are refused by the variable's name") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.overrides = scratch / "none";
  auto result = Compiler(knobs).compile(scale());
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::InvalidArgument);
  CHECK(result.error().message.starts_with("LACUNA_OVERRIDE=" + knobs.overrides + ": there is no such directory"));
  knobs = {};
  knobs.dump = "/proc/none";
  result = Compiler(knobs).compile(scale());
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::Unavailable);
  CHECK(result.error().message.starts_with("LACUNA_DUMP=/proc/none: no directory can be made in it"));
}

TEST_CASE("LACUNA_REPORT writes a report a kernel, and one that cannot be written costs no kernel") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.report = scratch / "reports";
  const std::string symbol = compiled(knobs, scale()).metadata.symbol;
  CHECK(namesIn(knobs.report) == std::set<std::string>{symbol + ".json"});
  CHECK(readFile(knobs.report + "/" + symbol + ".json").find("\"kernel\": \"scale\"") != std::string::npos);
  knobs.report = "/proc/none";
  (void)compiled(knobs, scale());
}

TEST_CASE("a knob that cannot be read is told") {
  runtime::ScopedVariable time("LACUNA_TIME", "often");
  auto result = Compiler().compile(scale());
  REQUIRE(!result);
  CHECK(result.error().message == "LACUNA_TIME=often: give a whole number from 0 to 2147483647");
}

TEST_CASE("of the compiler's failures the last 16 are kept") {
  ScratchDirectory scratch;
  runtime::Knobs knobs;
  knobs.reproducers = scratch / "repros";
  CompileRequest plain = scale();
  plain.keep = {Stage::Tile};
  const std::string tile = compiled({}, plain).texts[Stage::Tile];
  std::string last;
  for (int number = 0; number < 20; ++number) {
    CompileRequest request = scale();
    request.source += fmt::format("// {}\n", number);
    request.overrides[Stage::Warp] = tile; // which a later pass cannot take
    auto result = Compiler(knobs).compile(request);
    REQUIRE(!result);
    REQUIRE_MESSAGE(!result.error().notes.empty(), result.error().render());
    last = result.error().notes.back();
  }
  CHECK(namesIn(knobs.reproducers).size() == 16);
  REQUIRE(last.starts_with("a reproducer was written; run: sh " + knobs.reproducers + "/repro-"));
  CHECK(readFile(last.substr(last.rfind(' ') + 1)).find("lacuna compile kernel.tile") != std::string::npos);

  knobs.reproducers = "/proc/none";
  CompileRequest request = scale();
  request.overrides[Stage::Warp] = tile;
  auto result = Compiler(knobs).compile(request);
  REQUIRE(!result);
  CHECK(result.error().notes.empty());
}
