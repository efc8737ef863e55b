// LACUNA_JIT=off, warming, and caches that were filled elsewhere.
#include "JitEnvironment.h"
#include "TwiceKernel.h"

#include "lacuna/Jit/Attention.h"
#include "lacuna/Jit/KernelLibrary.h"
#include "lacuna/Jit/Warm.h"

#include <set>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// A copy of the fixture's cache at another path, without write permissions, as it may come with a container.
std::string copyReadOnly(const CacheFixture &fixture, const char *name) {
  const std::string copy = fixture.scratch / name;
  std::filesystem::copy(fixture.knobs.cacheDirectory, copy, std::filesystem::copy_options::recursive);
  std::filesystem::permissions(copy, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  for (const auto &entry : std::filesystem::recursive_directory_iterator(copy))
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::remove);
  return copy;
}

void makeWritable(const std::string &copy) {
  std::filesystem::permissions(copy, std::filesystem::perms::owner_all);
  for (const auto &entry : std::filesystem::recursive_directory_iterator(copy))
    if (entry.is_directory())
      std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
}

WarmRequest requestOf(KernelSpec spec, bool anyScalars = false) {
  WarmRequest request;
  request.spec = std::move(spec);
  request.anyScalars = anyScalars;
  return request;
}

KernelSpec scaleSpec(const char *width, std::map<std::string, std::string> hooks = {}) {
  return {.file = "scale.tile", .source = kScaleKernel, .params = {{"D", width}}, .hooks = std::move(hooks)};
}

} // namespace

TEST_CASE("LACUNA_JIT=off: what is missing is told with all that helps, and nothing is started") {
  CacheFixture fixture;
  fixture.knobs.jit = "off";
  CompileRequest request = scaleRequest();
  request.params = {{"D", "32"}};
  request.hooks = {{"after", "v + 1"}};
  auto refused = CachedCompiler(fixture.knobs).compile(request);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::Unavailable);
  CHECK(refused.error().message == "kernel scale (D = 32; after = v + 1) for sm_90a is not in the cache " +
                                       fixture.knobs.cacheDirectory +
                                       ", and LACUNA_JIT=off lets nothing be compiled; put it there with: "
                                       "LACUNA_JIT=on lacuna warm scale.tile --set D=32 --hook 'after=v + 1'");
  request.allScalarsPositive = false;
  request.hooks = {};
  CHECK(CachedCompiler(fixture.knobs).compile(request).error().message.ends_with("--set D=32 --any-scalars"));
  request.source = libraryText("matmul");
  request.params = {};
  CHECK(CachedCompiler(fixture.knobs).compile(request).error().message.ends_with("warm matmul --any-scalars"));
  request.target = Target::Sm80;
  CHECK(CachedCompiler(fixture.knobs).compile(request).error().message.ends_with(" --any-scalars --target sm_80"));
  request.target = Target::Sm90a;
  CHECK(fixture.calls("version") + fixture.calls("assemble") == 0);
  // A mistake in the text stays what it is.
  request.source = "kernel";
  CHECK(CachedCompiler(fixture.knobs).compile(request).error().code == ErrorCode::ParseError);
}

TEST_CASE("LACUNA_JIT=off without a cache, on the CPU, for part of a compilation, and with another word") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  fixture.knobs.jit = "off";
  auto messageOf = [&](const CompileRequest &request) {
    auto refused = CachedCompiler(fixture.knobs).compile(request);
    REQUIRE(!refused);
    return refused.error().message;
  };
  CompileRequest request = scaleRequest();
  request.target = Target::Cpu;
  CHECK(messageOf(request).find("kernel scale for cpu is not in memory, and LACUNA_JIT=off") == 0);
  request.target = Target::Sm90a;
  request.stopAfter = Stage::Ptx;
  CHECK(messageOf(request).find("LACUNA_JIT=off lets nothing be compiled") != std::string::npos);
  for (const char *mode : {"memory", "off"}) {
    fixture.knobs.cache = mode;
    CHECK(messageOf(scaleRequest()).find("there is no cache on disk to take it from") != std::string::npos);
  }
  fixture.knobs.cache = "disk", fixture.knobs.dump = fixture.scratch / "dump";
  CHECK(messageOf(scaleRequest()).ends_with("and unset LACUNA_DUMP and LACUNA_OVERRIDE"));
  fixture.knobs.jit = "never";
  CHECK(messageOf(scaleRequest()) == "LACUNA_JIT=never: give on or off");
  CHECK(fixture.calls("assemble") == 1);
}

TEST_CASE("LACUNA_JIT=off takes what any assembler made, and says why an entry is of no use") {
  CacheFixture fixture;
  fixture.compile(CachedCompiler(fixture.knobs));
  fixture.setAssembler("13.1.1");
  CompileRequest wide = scaleRequest();
  wide.params = {{"D", "32"}};
  fixture.compile(CachedCompiler(fixture.knobs), wide);
  const long calls = fixture.calls("version") + fixture.calls("assemble");
  ScopedVariable none("LACUNA_PTXAS", (fixture.scratch / "nothing").c_str());
  fixture.knobs.jit = "off";
  CachedCompiler serving(fixture.knobs);
  CHECK(fixture.compile(serving).result->image == "\177ELF made by 13.0.88");
  CHECK(fixture.compile(serving, wide).result->image == "\177ELF made by 13.1.1");
  CHECK(fixture.compile(serving, wide).source == CacheSource::Memory);
  CHECK(fixture.calls("version") + fixture.calls("assemble") == calls);
  const std::string hex = serving.disk()->list().at(0).hex;
  const std::string path = fixture.knobs.cacheDirectory + "/v1/" + hex.substr(0, 2) + "/" + hex + ".lac";
  std::string bytes = readFile(path);
  bytes[bytes.size() / 2] ^= 1;
  writeFileAt(path, bytes);
  CachedCompiler later(fixture.knobs);
  auto first = later.compile(scaleRequest()), second = later.compile(wide);
  REQUIRE(first.has_value() != second.has_value());
  CHECK((first ? second : first).error().message.find(" (its entry: damaged), and") != std::string::npos);
  CHECK(readFile(path) == bytes);
}

TEST_CASE("a Jit with LACUNA_JIT=off: the first launch of a variant is refused too, unless it was warmed") {
  JitEnvironment environment;
  {
    REQUIRE(environment.open().compile(environment.spec));
  }
  ScopedVariable off("LACUNA_JIT", "off");
  std::vector<float> data(16 * 16);
  auto view = TensorView::contiguous(data.data(), DType::F32, {16, 16});
  std::vector<ArgumentValue> arguments = {view, view, -1.0f};
  {
    Jit jit = environment.open();
    auto kernel = jit.compile(environment.spec);
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    CHECK(kernel->source() == CacheSource::Disk);
    auto refused = kernel->launch(Stream::borrow(*jit.device(), nullptr), arguments);
    REQUIRE(!refused);
    CHECK(refused.error().code == ErrorCode::Unavailable);
    CHECK(refused.error().message.find("in the variant for float32 scalars that are not above zero") !=
          std::string::npos);
    CHECK(!kernel->loadForAnyScalars());
  }
  {
    ScopedVariable on("LACUNA_JIT", "on");
    CHECK(environment.open().compile(environment.spec)->loadForAnyScalars().value() == CacheSource::None);
  }
  Jit jit = environment.open();
  auto kernel = jit.compile(environment.spec);
  REQUIRE(kernel);
  CHECK(kernel->loadForAnyScalars().value() == CacheSource::Disk);
  CHECK(kernel->launch(Stream::borrow(*jit.device(), nullptr), arguments));
  CHECK(environment.fixture.calls("assemble") == 2);
}

TEST_CASE("LACUNA_JIT=off: an image that the driver refuses is told, and stays") {
  JitEnvironment environment;
  {
    REQUIRE(environment.open().compile(environment.spec));
  }
  ScopedVariable off("LACUNA_JIT", "off");
  environment.driver.state.failResult = cu::NoBinaryForGpu;
  environment.driver.state.failFunction = "cuModuleLoadDataEx";
  auto refused = environment.open().compile(environment.spec);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::Unavailable);
  REQUIRE(refused.error().cause);
  CHECK(refused.error().cause->code == ErrorCode::Incompatible);
  CHECK(environment.fixture.calls("assemble") == 1);
  environment.driver.state.failFunction = "";
  CHECK(environment.open().compile(environment.spec));
}

TEST_CASE("warm: compiled, then loaded; what is missing or wrong is named, all of it") {
  JitEnvironment environment;
  std::vector<WarmRequest> requests = {requestOf(scaleSpec("16")), requestOf(scaleSpec("32"), true),
                                       requestOf(scaleSpec("32", {{"after", "v - 1"}}))};
  requests.push_back({.spec = environment.spec, .target = Target::Cpu});
  {
    Jit jit = environment.open();
    int heard = 0;
    WarmReport report = jit.warm(requests, {.progress = [&](const WarmedKernel &) { ++heard; }});
    REQUIRE_MESSAGE(report.check(), report.check().error().render());
    CHECK(report.kernels.size() == 3); // One was for another target.
    CHECK(heard == 3);
    CHECK(report.count(WarmState::Compiled) == 3);
    CHECK(report.kernels[1].title == "scale (D = 32)");
    CHECK(environment.fixture.calls("assemble") == 4);
    CHECK(jit.compile(scaleSpec("32"))->source() == CacheSource::Memory);
  }
  ScopedVariable off("LACUNA_JIT", "off");
  Jit jit = environment.open();
  WarmReport report = jit.warm(requests);
  CHECK(report.count(WarmState::Cached) == 3);
  CHECK(report.kernels[1].kernel->loadForAnyScalars());
  requests[0].spec.hooks = {{"after", "2 * v"}};
  requests[0].place = "kernels.list:1";
  requests[2].spec.params = {{"D", "64"}};
  requests[2].place = "kernels.list:3";
  report = jit.warm(requests);
  CHECK(report.kernels[0].state == WarmState::Missing);
  CHECK(report.kernels[1].state == WarmState::Cached);
  CHECK(report.kernels[2].state == WarmState::Failed);
  auto missing = report.check();
  REQUIRE(!missing);
  const std::string text = missing.error().render();
  CHECK(text.find("kernels.list:1") == 0);
  CHECK(text.find("kernel scale (D = 16; after = 2 * v) for sm_90a is not in the cache") != std::string::npos);
  CHECK(text.find("kernels.list:3: ") != std::string::npos);
  CHECK(text.find("64 is not in the domain of D") != std::string::npos);
  CHECK(environment.fixture.calls("assemble") == 4);
}

TEST_CASE("warm with onlyLook compiles and loads nothing") {
  JitEnvironment environment;
  const std::vector<WarmRequest> requests = {requestOf(scaleSpec("16")), requestOf(scaleSpec("32"), true)};
  Jit jit = environment.open();
  REQUIRE(jit.compile(scaleSpec("16")));
  REQUIRE(jit.compile(scaleSpec("32")));
  const int loaded = environment.driver.state.count(fake::Call::cuModuleLoadDataEx);
  WarmReport report = environment.open().warm(requests, {.onlyLook = true});
  CHECK(report.kernels[0].state == WarmState::Cached);
  CHECK(!report.kernels[0].kernel);
  CHECK(report.kernels[1].state == WarmState::Missing);
  CHECK(report.kernels[1].error->message.ends_with("put it there with: lacuna warm scale.tile --set D=32 "
                                                   "--any-scalars"));
  CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == loaded);
  CHECK(environment.fixture.calls("assemble") == 2);
}

TEST_CASE("the library from a cache that was copied, read-only, under LACUNA_JIT=off: no call of an assembler") {
  JitEnvironment environment;
  const std::vector<WarmRequest> requests = libraryRequests();
  CHECK(requests.size() >= 10);
  {
    Jit builder = Jit::ahead();
    WarmReport report = builder.warm(requests);
    REQUIRE_MESSAGE(report.check(), report.check().error().render());
    auto launched = report.kernels[0].kernel->launch(Stream::borrow(*environment.open().device(), nullptr), {});
    REQUIRE(!launched);
    CHECK(launched.error().message.find("was compiled ahead, for a GPU that this Jit does not have") !=
          std::string::npos);
  }
  const long calls = environment.fixture.calls("version") + environment.fixture.calls("assemble");
  const std::string copy = copyReadOnly(environment.fixture, "elsewhere");
  std::filesystem::remove_all(environment.fixture.knobs.cacheDirectory);
  ScopedVariable off("LACUNA_JIT", "off"), directory("LACUNA_CACHE_DIR", copy.c_str());
  environment.fixture.setAssembler("14.0.0"); // Of the other machine; it is not asked.
  Jit jit = environment.open();
  WarmReport report = jit.warm(requests);
  CHECK_MESSAGE(report.check(), report.check().error().render());
  CHECK(report.count(WarmState::Cached) == requests.size());
  CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == static_cast<int>(requests.size()));
  CHECK(environment.fixture.calls("version") + environment.fixture.calls("assemble") == calls);
  makeWritable(copy);
}

TEST_CASE("the attention operator under LACUNA_JIT=off names the kernel that is missing") {
  JitEnvironment environment;
  ScopedVariable off("LACUNA_JIT", "off");
  AttentionShape shape{.batch = 1, .heads = 1, .kvHeads = 1, .queries = 64, .keys = 64, .headDim = 64, .valueDim = 64};
  auto attention =
      Attention::plan(environment.open(), {.shape = shape}, *Pattern::parse("dense")->build(shape, 64, 64, 1));
  REQUIRE(!attention);
  CHECK(attention.error().code == ErrorCode::Unavailable);
  CHECK(attention.error().message.find("kernel attention_forward (BM = ") == 0);
}

TEST_CASE("tuned params: a Jit without the GPU takes its records, and LACUNA_JIT=off holds to what was warmed") {
  JitEnvironment environment;
  const std::string path = environment.fixture.scratch / "tuning.db";
  autotune::MachineLimits machine = machineLimits(environment.open().device(), Target::Sm90a, 1);
  {
    ScopedVariable tuning{"LACUNA_TUNING", path.c_str()};
    putTwiceWinner(path, Target::Sm90a, machine, "128");
    auto untold = Jit::ahead().compile(kTwice), told = Jit::ahead(machine.name).compile(kTwice);
    REQUIRE(untold);
    REQUIRE(told);
    CHECK(untold->tuning().empty());
    CHECK(told->tuning().find("tuned on ") == 0);
    CHECK(told->metadata().grid.front() == "ceildiv(M, 128)");
  }
  // The records did not travel.
  ScopedVariable tuning{"LACUNA_TUNING", "none"};
  CHECK(environment.open().compile(kTwice)->metadata().grid.front() == "ceildiv(M, 64)");
  {
    ScopedVariable on{"LACUNA_TUNING", path.c_str()};
    REQUIRE(environment.open().compile(kTwice));
  }
  ScopedVariable off("LACUNA_JIT", "off");
  auto kernel = environment.open().compile(kTwice);
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  CHECK(kernel->metadata().grid.front() == "ceildiv(M, 128)");
}

TEST_CASE("compilations that run side by side give what one after another gives") {
  CacheFixture together, apart;
  std::vector<CompileRequest> requests;
  for (int number = 0; number < 12; ++number) {
    requests.push_back(scaleRequest());
    requests.back().hooks = {{"after", fmt::format("v * {}", number + 2)}};
  }
  CachedCompiler shared(together.knobs), alone(apart.knobs);
  std::vector<std::thread> threads;
  for (const CompileRequest &request : requests)
    threads.emplace_back([&] { CHECK(shared.compile(request)); });
  for (std::thread &thread : threads)
    thread.join();
  for (const CompileRequest &request : requests)
    apart.compile(alone, request);
  std::set<std::string> names, others;
  for (const auto &entry : shared.disk()->list())
    names.insert(entry.hex);
  for (const auto &entry : alone.disk()->list())
    others.insert(entry.hex);
  CHECK(names.size() == requests.size());
  CHECK(names == others);
}
