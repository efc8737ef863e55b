// The facade on a GPU that is none: kernels from memory and from disk, and a driver that refuses what the cache holds.
#include "JitEnvironment.h"

#include "lacuna/Jit/Tuning.h"

#include <thread>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("a Jit loads each kernel once; the next process takes it from disk") {
  JitEnvironment environment;
  {
    Jit jit = environment.open();
    auto first = jit.compile(environment.spec), second = jit.compile(environment.spec);
    REQUIRE_MESSAGE(first, first.error().render());
    REQUIRE(second);
    CHECK(first->source() == CacheSource::None);
    CHECK(second->source() == CacheSource::Memory);
    CHECK(&first->compilation() == &second->compilation());
    CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == 1);
  }
  Jit jit = environment.open();
  auto third = jit.compile(environment.spec);
  REQUIRE(third);
  CHECK(third->source() == CacheSource::Disk);
  CHECK(environment.fixture.calls("assemble") == 1);
  // The variant for scalars that are not greater than zero is a kernel of its own.
  Stream stream = Stream::borrow(*jit.device(), nullptr);
  std::vector<float> data(16 * 16);
  auto view = TensorView::contiguous(data.data(), DType::F32, {16, 16});
  std::vector<ArgumentValue> arguments = {view, view, -1.0f};
  REQUIRE(third->launch(stream, arguments));
  CHECK(environment.fixture.calls("assemble") == 2);
}

TEST_CASE("of threads that ask a Jit at once one compiles and loads") {
  JitEnvironment environment;
  Jit jit = environment.open();
  std::atomic<int> compiled{0}, found{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread)
    threads.emplace_back([&] {
      auto kernel = jit.compile(environment.spec);
      compiled += kernel && kernel->source() == CacheSource::None;
      found += kernel && kernel->source() == CacheSource::Memory;
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(compiled == 1);
  CHECK(found == 5);
  CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == 1);
}

TEST_CASE("what the driver refuses is compiled anew once, if it came from the cache") {
  JitEnvironment environment;
  environment.driver.state.failResult = cu::NoBinaryForGpu;
  {
    REQUIRE(environment.open().compile(environment.spec));
  }
  environment.driver.state.failFunction = "cuModuleLoadDataEx";
  environment.driver.state.counts = {};
  auto refused = environment.open().compile(environment.spec);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::Incompatible);
  CHECK(refused.error().message.find("Fake GPU") != std::string::npos);
  CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == 2);
  CHECK(environment.fixture.calls("assemble") == 2);
  // What was just compiled is not compiled again.
  std::filesystem::remove_all(environment.fixture.knobs.cacheDirectory);
  environment.driver.state.counts = {};
  CHECK(!environment.open().compile(environment.spec));
  CHECK(environment.driver.state.count(fake::Call::cuModuleLoadDataEx) == 1);
  CHECK(environment.fixture.calls("assemble") == 3);
}

TEST_CASE("without an assembler PTX is stored, and the driver's version is part of the key") {
  JitEnvironment environment;
  ScopedVariable none("LACUNA_PTXAS", nullptr), path("PATH", "/none"), home("CUDA_HOME", nullptr),
      cudaPath("CUDA_PATH", nullptr);
  if (std::filesystem::exists("/usr/local/cuda/bin/ptxas")) {
    MESSAGE("left out: there is an assembler in /usr/local/cuda, which is always found");
    return;
  }
  for (int version : {12040, 12080}) {
    environment.driver.state.version = version;
    for (CacheSource source : {CacheSource::None, CacheSource::Disk}) {
      auto kernel = environment.open().compile(environment.spec);
      REQUIRE_MESSAGE(kernel, kernel.error().render());
      CHECK(kernel->source() == source);
      CHECK(!kernel->compilation().isCubin);
      CHECK(kernel->compilation().image.find(".target sm_90a") != std::string::npos);
    }
  }
}

TEST_CASE("LACUNA_CACHE=off compiles every time, and a word that is none is an error") {
  JitEnvironment environment;
  ScopedVariable off("LACUNA_CACHE", "off");
  Jit jit = environment.open();
  for (int time = 0; time < 2; ++time)
    CHECK(jit.compile(environment.spec).value().source() == CacheSource::None);
  CHECK(environment.fixture.calls("assemble") == 2);
  ScopedVariable wrong("LACUNA_CACHE", "sometimes");
  auto refused = environment.open().compile(environment.spec);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::InvalidArgument);
}

TEST_CASE(
    "tuned params are part of what a kernel is found by; the choice lies beside the kernels until a record changes") {
  constexpr const char *kTwice = R"(
param BM in {64, 128} = 64
kernel twice(x: f32[M, 16], y: out f32[M, 16])
  grid (i: ceildiv(M, BM))
{
  store y[i * BM :+ BM, :] = 2 * load x[i * BM :+ BM, :]
}
schedule twice on sm_90a { tune BM }
)";
  JitEnvironment environment;
  const std::string path = environment.fixture.scratch / "tuning.db";
  ScopedVariable tuning{"LACUNA_TUNING", path.c_str()};
  const KernelSpec spec = {.file = "twice.tile", .source = kTwice};
  auto record = [&](const char *rows) {
    autotune::MachineLimits machine = machineLimits(environment.open().device(), Target::Sm90a, 1);
    auto description = describeForTuning(spec, Target::Sm90a);
    REQUIRE_MESSAGE(description, description.error().render());
    auto database = autotune::Database::open(path);
    REQUIRE(database);
    REQUIRE(database->put(autotune::WinnerRecord{{"twice", description->hash, machine.name, machine.limitsText(), ""},
                                                 "M=512",
                                                 {{"BM", rows}},
                                                 "measured",
                                                 1,
                                                 2,
                                                 100}));
  };
  auto compiled = [&](const KernelSpec &asked) {
    auto kernel = environment.open().compile(asked);
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    return kernel->metadata().grid.front() + ", " + std::string(cacheSourceName(kernel->source())) +
           (kernel->tuning().empty() ? "" : ", tuned");
  };
  KernelSpec written = spec;
  written.params = {{"BM", "128"}};
  CHECK(compiled(spec) == "ceildiv(M, 64), none");
  record("128");
  CHECK(compiled(spec) == "ceildiv(M, 128), none, tuned");
  CHECK(compiled(spec) == "ceildiv(M, 128), disk, tuned");
  CHECK(compiled(written) == "ceildiv(M, 128), disk");
  bool noted = false;
  for (const auto &file : std::filesystem::directory_iterator(environment.fixture.knobs.cacheDirectory + "/v1/notes"))
    noted |= readFile(file.path()).find("BM=128\ntuned on ") != std::string::npos;
  CHECK(noted);
  record("64");
  CHECK(compiled(spec) == "ceildiv(M, 64), disk, tuned");
}
