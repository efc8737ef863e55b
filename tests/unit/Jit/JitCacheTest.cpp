// The facade on a GPU that is none: kernels from memory and from disk, and a driver that refuses what the cache holds.
#include "JitEnvironment.h"
#include "TwiceKernel.h"

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
  JitEnvironment environment;
  const std::string path = environment.fixture.scratch / "tuning.db";
  ScopedVariable tuning{"LACUNA_TUNING", path.c_str()};
  auto record = [&](const char *rows) {
    putTwiceWinner(path, Target::Sm90a, machineLimits(environment.open().device(), Target::Sm90a, 1), rows);
  };
  auto compiled = [&](const KernelSpec &asked) {
    auto kernel = environment.open().compile(asked);
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    return kernel->metadata().grid.front() + ", " + std::string(cacheSourceName(kernel->source())) +
           (kernel->tuning().empty() ? "" : ", tuned");
  };
  KernelSpec written = kTwice;
  written.params = {{"BM", "128"}};
  CHECK(compiled(kTwice) == "ceildiv(M, 64), none");
  record("128");
  CHECK(compiled(kTwice) == "ceildiv(M, 128), none, tuned");
  CHECK(compiled(kTwice) == "ceildiv(M, 128), disk, tuned");
  CHECK(compiled(written) == "ceildiv(M, 128), disk");
  bool noted = false;
  for (const auto &file : std::filesystem::directory_iterator(environment.fixture.knobs.cacheDirectory + "/v1/notes"))
    noted |= readFile(file.path()).find("BM=128\ntuned on ") != std::string::npos;
  CHECK(noted);
  record("64");
  CHECK(compiled(kTwice) == "ceildiv(M, 64), disk, tuned");
}

TEST_CASE("a choice is noted under the records it was made from; of unreadable records nothing is noted") {
  constexpr const char *kText = R"(
param BM in {64, 128} = 64
kernel NAME(x: f32[M, 16], y: out f32[M, 16])
  grid (i: ceildiv(M, BM))
{
  store y[i * BM :+ BM, :] = 2 * load x[i * BM :+ BM, :]
}
schedule NAME on sm_90a { tune BM }
)";
  auto specOf = [&](const std::string &name) {
    std::string text = kText;
    for (size_t at; (at = text.find("NAME")) != std::string::npos;)
      text.replace(at, 4, name);
    return KernelSpec{.file = name + ".tile", .source = text};
  };
  JitEnvironment environment;
  const std::string path = environment.fixture.scratch / "tuning.db";
  ScopedVariable tuning{"LACUNA_TUNING", path.c_str()};
  const KernelSpec first = specOf("first"), second = specOf("second");
  auto record = [&](const KernelSpec &spec, const char *rows, const char *assembler, int64_t time) {
    autotune::MachineLimits machine = machineLimits(environment.open().device(), Target::Sm90a, 1);
    auto description = describeForTuning(spec, Target::Sm90a);
    REQUIRE_MESSAGE(description, description.error().render());
    auto database = autotune::Database::open(path);
    REQUIRE_MESSAGE(database, database.error().render());
    REQUIRE(database->put(
        autotune::WinnerRecord{{description->kernel, description->hash, machine.name, machine.limitsText(), assembler},
                               "M=512",
                               {{"BM", rows}},
                               "measured",
                               1,
                               2,
                               time}));
  };
  auto gridOf = [&](Jit &jit, const KernelSpec &spec) {
    auto kernel = jit.compile(spec);
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    return kernel->metadata().grid.front();
  };
  SUBCASE("a process that outlives a tuning run") {
    record(first, "128", "", 100);
    record(second, "64", "", 100);
    Jit old = environment.open();
    CHECK(gridOf(old, first) == "ceildiv(M, 128)"); // The records are read now.
    record(second, "128", "", 200);
    CHECK(gridOf(old, second) == "ceildiv(M, 64)");
    Jit young = environment.open();
    CHECK(gridOf(young, second) == "ceildiv(M, 128)");
  }
  SUBCASE("a database that cannot be opened for a while") {
    record(first, "128", "", 100);
    // Something else stands there, and the same file comes back: neither size nor time tells.
    std::filesystem::rename(path, path + ".away");
    std::filesystem::create_directory(path);
    Jit blind = environment.open();
    CHECK(gridOf(blind, first) == "ceildiv(M, 64)");
    const std::string notes = environment.fixture.knobs.cacheDirectory + "/v1/notes";
    if (std::filesystem::exists(notes))
      for (const auto &file : std::filesystem::directory_iterator(notes))
        CHECK(readFile(file.path()).find(path) == std::string::npos);
    std::filesystem::remove(path);
    std::filesystem::rename(path + ".away", path);
    Jit seeing = environment.open();
    CHECK(gridOf(seeing, first) == "ceildiv(M, 128)");
  }
  SUBCASE("another assembler than the newest record's") {
    record(first, "128", "ptxas 1.0", 300);
    record(first, "64", "ptxas 2.0", 200);
    Jit jit = environment.open(); // Its assembler is neither: the newest.
    CHECK(gridOf(jit, first) == "ceildiv(M, 128)");
  }
}
