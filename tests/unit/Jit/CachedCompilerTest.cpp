// Memory, then disk, then the compiler; what is part of the key; what is not cached.
#include "CacheTestSupport.h"

#include <set>
#include <thread>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {
void change(std::string &text) {
  text += "x";
}
void change(int &number) {
  ++number;
}
} // namespace

TEST_CASE("compiled once: then from memory, and by another object from disk, without starting the assembler") {
  CacheFixture fixture;
  CachedCompiler first(fixture.knobs), second(fixture.knobs);
  CachedCompilation compiled = fixture.compile(first);
  CHECK(compiled.source == CacheSource::None);
  CHECK(compiled.result->image == "\177ELF made by 13.0.88");
  CHECK(fixture.calls("assemble") == 1);
  CHECK(fixture.calls("version") == 1);

  CachedCompilation again = fixture.compile(first);
  CHECK(again.source == CacheSource::Memory);
  CHECK(again.result == compiled.result);

  CachedCompilation fromDisk = fixture.compile(second);
  CHECK(fromDisk.source == CacheSource::Disk);
  CHECK(fromDisk.result->metadata == compiled.result->metadata);
  CHECK(fromDisk.result->image == compiled.result->image);
  CHECK(fromDisk.result->isCubin);
  CHECK(fromDisk.result->times.empty());
  CHECK(fromDisk.result->assembler == compiled.result->assembler);
  CHECK(fromDisk.result->report.has_value());
  CHECK(fromDisk.result->kernel.decisions == compiled.result->kernel.decisions);
  CHECK(fromDisk.result->kernel.occupancy->limitedBy == compiled.result->kernel.occupancy->limitedBy);
  CHECK(fromDisk.result->kernel.structure.has_value() == compiled.result->kernel.structure.has_value());
  CHECK(fixture.compile(second).source == CacheSource::Memory);
  CHECK(fixture.calls("assemble") == 1);
  CHECK(fixture.calls("version") == 1);
}

TEST_CASE("a default that is written out, and a file's other name, ask for the same kernel") {
  CacheFixture fixture;
  CachedCompiler compiler(fixture.knobs);
  CompileRequest request = scaleRequest();
  fixture.compile(compiler);
  request.fileName = "elsewhere/other.tile";
  request.params = {{"D", "16"}, {"E", "1"}};
  request.kernel = "scale";
  CHECK(fixture.compile(compiler, request).source == CacheSource::Memory);
  request.allScalarsPositive = false;
  request.positiveScalars = {"factor"};
  CHECK(fixture.compile(compiler, request).source == CacheSource::Memory);
  CHECK(fixture.calls("assemble") == 1);
}

TEST_CASE("each field that changes the code changes the key, and nothing else does") {
  const ToolVersions tools{"c", "l", "p", "a", "h"};
  auto keyOf = [&](const CompileRequest &request, const ToolVersions &tools = {"c", "l", "p", "a", "h"},
                   const Knobs &knobs = {}) {
    auto key = cacheKeyOf(request, tools, knobs);
    REQUIRE_MESSAGE(key, key.error().render());
    return key->hex();
  };
  const std::string base = keyOf(scaleRequest());
  std::set<std::string> seen = {base};
  auto changed = [&](auto change) {
    CompileRequest request = scaleRequest();
    change(request);
    CHECK(seen.insert(keyOf(request)).second);
  };
  changed([](CompileRequest &request) { request.source += "// a remark\n"; });
  changed([](CompileRequest &request) { request.params["D"] = "32"; });
  changed([](CompileRequest &request) { request.params["E"] = "2"; });
  changed([](CompileRequest &request) { request.hooks["after"] = "v + 1"; });
  changed([](CompileRequest &request) { request.hooks["after"] = "v + 2"; });
  changed([](CompileRequest &request) { request.allScalarsPositive = false; });
  changed([](CompileRequest &request) { request.target = Target::Cpu; });
  changed([](CompileRequest &request) { request.target = Target::Sm80; });
  for (const char *processor : {"sm_86", "sm_120"})
    changed([&](CompileRequest &request) { request.target = Target::Sm80, request.processor = processor; });
  changed([](CompileRequest &request) { request.target = Target::Sm80, request.driverAssembles = true; });
  for (std::string ToolVersions::*field : {&ToolVersions::compiler, &ToolVersions::llvm, &ToolVersions::ptx,
                                           &ToolVersions::assembler, &ToolVersions::hookLibrary}) {
    ToolVersions other = tools;
    other.*field += "x";
    CHECK(seen.insert(keyOf(scaleRequest(), other)).second);
  }
  // What only the schedule knows, and a value of it that is the default written out.
  CompileRequest open = scaleRequest();
  open.source += "schedule scale on sm_90a { programs persistent when stay == 1\n tune stay in {0, 1} = 0 }\n";
  const std::string preset = keyOf(open);
  CHECK(seen.insert(preset).second);
  open.params["stay"] = "0";
  CHECK(keyOf(open) == preset);
  open.params["stay"] = "1";
  CHECK(seen.insert(keyOf(open)).second);
  // Two kernels of one text.
  CompileRequest two = scaleRequest();
  two.source += "kernel twice(y: out f32[M, D]) grid (i: 1) { store y[0 :+ 64, :] = 2 }\n";
  two.kernel = "scale";
  CHECK(seen.insert(keyOf(two)).second);
  two.kernel = "twice";
  CHECK(seen.insert(keyOf(two)).second);

  auto unchanged = [&](auto change) {
    CompileRequest request = scaleRequest();
    change(request);
    CHECK(keyOf(request) == base);
  };
  unchanged([](CompileRequest &request) { request.fileName = "other"; });
  unchanged([](CompileRequest &request) { request.kernel = "scale"; });
  unchanged([](CompileRequest &request) { request.params["D"] = "16"; });
  unchanged([](CompileRequest &request) { request.positiveScalars = {"factor"}; });
  // Every knob, by what Knobs.def says of it.
#define LACUNA_KNOB(member, environment, type, fallback, effect, help)                                                 \
  {                                                                                                                    \
    Knobs other;                                                                                                       \
    change(other.member);                                                                                              \
    CAPTURE(environment);                                                                                              \
    CHECK((keyOf(scaleRequest(), tools, other) == base) == (KnobInfo::Effect::effect == KnobInfo::Effect::Neutral));   \
  }
#include "lacuna/Runtime/Knobs.def"
}

TEST_CASE("another version of the assembler is another key; the version is asked for once a file") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  fixture.setAssembler("13.1.1");
  CachedCompiler compiler(fixture.knobs);
  CachedCompilation compiled = fixture.compile(compiler);
  CHECK(compiled.source == CacheSource::None);
  CHECK(compiled.result->image == "\177ELF made by 13.1.1");
  CHECK(fixture.calls("version") == 2);
  // In the same process too.
  fixture.setAssembler("13.1.22");
  CHECK(fixture.compile(compiler).source == CacheSource::None);
  CHECK(fixture.calls("version") == 3);
  CHECK(fixture.calls("assemble") == 3);
}

TEST_CASE("an assembler that is none is told, whatever the cache holds") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  ScopedVariable none("LACUNA_PTXAS", (fixture.scratch / "nothing").c_str());
  auto compiled = CachedCompiler(fixture.knobs).compile(scaleRequest());
  REQUIRE(!compiled);
  CHECK(compiled.error().code == ErrorCode::Unavailable);
  CHECK(compiled.error().message.find("LACUNA_PTXAS names") == 0);
}

TEST_CASE("code for the CPU stays in memory") {
  CacheFixture fixture;
  CompileRequest request = scaleRequest();
  request.target = Target::Cpu;
  CachedCompiler compiler(fixture.knobs);
  CachedCompilation compiled = fixture.compile(compiler, request);
  CHECK(compiled.result->cpu.owner != nullptr);
  CHECK(fixture.compile(compiler, request).source == CacheSource::Memory);
  CHECK(fixture.compile(CachedCompiler(fixture.knobs), request).source == CacheSource::None);
  CHECK(!std::filesystem::exists(fixture.knobs.cacheDirectory));
}

TEST_CASE("LACUNA_CACHE: memory keeps nothing on disk, off keeps nothing, another word is refused") {
  CacheFixture fixture;
  fixture.knobs.cache = "memory";
  CachedCompiler memory(fixture.knobs);
  CHECK(fixture.compile(memory).source == CacheSource::None);
  CHECK(fixture.compile(memory).source == CacheSource::Memory);
  CHECK(memory.disk() == nullptr);
  fixture.knobs.cache = "off";
  CachedCompiler off(fixture.knobs);
  CHECK(fixture.compile(off).source == CacheSource::None);
  CHECK(fixture.compile(off).source == CacheSource::None);
  CHECK(fixture.calls("assemble") == 3);
  CHECK(!std::filesystem::exists(fixture.knobs.cacheDirectory));
  fixture.knobs.cache = "on";
  auto refused = CachedCompiler(fixture.knobs).compile(scaleRequest());
  REQUIRE(!refused);
  CHECK(refused.error().message == "LACUNA_CACHE=on: give disk, memory or off");
}

TEST_CASE("a directory that is not fit costs the disk, not the kernel") {
  CacheFixture fixture;
  fixture.knobs.cacheDirectory = "relative";
  CachedCompiler compiler(fixture.knobs);
  CHECK(fixture.compile(compiler).source == CacheSource::None);
  CHECK(fixture.compile(compiler).source == CacheSource::Memory);
  CHECK(compiler.disk() == nullptr);
  CHECK(!std::filesystem::exists("relative"));
}

TEST_CASE("a damaged entry is compiled again and replaced; so is what is asked for anew") {
  CacheFixture fixture;
  CachedCompiler first(fixture.knobs);
  fixture.compile(first);
  std::string hex = first.disk()->list().at(0).hex;
  std::string path = fixture.knobs.cacheDirectory + "/v1/" + hex.substr(0, 2) + "/" + hex + ".lac";
  std::string good = readFile(path), bad = good;
  bad[bad.size() / 2] ^= 1;
  writeFileAt(path, bad);
  CachedCompiler second(fixture.knobs);
  CHECK(fixture.compile(second).source == CacheSource::None);
  CHECK(second.disk()->stats().missesFor(MissReason::Damaged) == 1);
  CHECK(readFile(path) == good);
  CHECK(fixture.calls("assemble") == 2);
  auto anew = second.compileAnew(scaleRequest());
  REQUIRE(anew);
  CHECK(anew->source == CacheSource::None);
  CHECK(fixture.calls("assemble") == 3);
  CHECK(readFile(path) == good); // The same request gives the same bytes.
}

TEST_CASE("what stops early or keeps a stage is compiled every time") {
  CacheFixture fixture;
  CachedCompiler compiler(fixture.knobs);
  CompileRequest request = scaleRequest();
  request.stopAfter = Stage::Ptx;
  request.keep = {Stage::Ptx};
  for (int time = 0; time < 2; ++time) {
    CachedCompilation compiled = fixture.compile(compiler, request);
    CHECK(compiled.source == CacheSource::None);
    CHECK(compiled.result->texts.count(Stage::Ptx) == 1);
  }
  CHECK(compiler.disk()->list().empty());
}

TEST_CASE("of threads that ask at once one compiles, within an object and between objects") {
  CacheFixture fixture;
  CachedCompiler shared(fixture.knobs);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&, thread] {
      CachedCompiler own(fixture.knobs);
      auto compiled = (thread % 2 ? shared : own).compile(scaleRequest());
      right += compiled && compiled->result->image == "\177ELF made by 13.0.88";
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(right == 8);
  CHECK(fixture.calls("assemble") == 1);
}

TEST_CASE("a mistake in the text is told as by the compiler, and nothing is stored") {
  CacheFixture fixture;
  CachedCompiler compiler(fixture.knobs);
  CompileRequest request = scaleRequest();
  request.params["D"] = "64";
  auto refused = compiler.compile(request),
       direct = Compiler().compile(request).map([](auto &&) { return CachedCompilation(); });
  REQUIRE(!refused);
  REQUIRE(!direct);
  CHECK(refused.error().message == direct.error().message);
  CHECK(refused.error().code == direct.error().code);
  CHECK(compiler.disk()->list().empty());
}
