// Which target and which processor a GPU gets.
#include "CacheTestSupport.h"
#include "fakecuda/FakeDriver.h"

#include "lacuna/Jit/DeviceTarget.h"
#include "lacuna/Jit/Jit.h"

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

DeviceInfo gpu(int major, int minor) {
  DeviceInfo info;
  info.name = "Some GPU";
  info.major = major;
  info.minor = minor;
  return info;
}

} // namespace

TEST_CASE("a GPU's target follows from its compute capability, the processor is the GPU itself") {
  ScopedVariable none("LACUNA_TARGET", nullptr);
  const std::tuple<int, int, Target, const char *> rows[] = {
      {8, 0, Target::Sm80, "sm_80"},   {8, 6, Target::Sm80, "sm_86"},   {8, 9, Target::Sm80, "sm_89"},
      {9, 0, Target::Sm90a, "sm_90a"}, {10, 0, Target::Sm80, "sm_100"}, {12, 0, Target::Sm80, "sm_120"},
      {9, 4, Target::Sm80, ""},        {13, 0, Target::Sm80, ""}}; // newer than the table: the driver assembles
  for (const auto &[major, minor, target, processor] : rows) {
    CAPTURE(major);
    CAPTURE(minor);
    auto chosen = chooseTarget(gpu(major, minor));
    REQUIRE_MESSAGE(chosen, chosen.error().render());
    CHECK(chosen->target == target);
    CHECK(chosen->processor == processor);
    CompileRequest request;
    chosen->applyTo(request);
    CHECK(request.target == target);
    CHECK(request.driverAssembles == chosen->processor.empty());
  }
  auto old = chooseTarget(gpu(7, 5));
  REQUIRE(!old);
  CHECK(old.error().code == ErrorCode::Unsupported);
  CHECK(old.error().message ==
        "Some GPU has compute capability 7.5; kernels are generated for 8.0 and above. Use the CPU target");
}

TEST_CASE("an H100 runs the kernels for sm_80 where that is asked for; an A100 not those for sm_90a") {
  ScopedVariable none("LACUNA_TARGET", nullptr);
  auto forced = chooseTarget(gpu(9, 0), Target::Sm80);
  REQUIRE(forced);
  CHECK(forced->target == Target::Sm80);
  CHECK(forced->processor == "sm_90");
  auto wrong = chooseTarget(gpu(8, 0), Target::Sm90a);
  REQUIRE(!wrong);
  CHECK(wrong.error().message == "Some GPU with compute capability 8.0 does not run code for sm_90a; it runs sm_80");
  {
    ScopedVariable named("LACUNA_TARGET", "sm_80");
    CHECK(chooseTarget(gpu(9, 0))->target == Target::Sm80);
    CHECK(chooseTarget(gpu(9, 0), Target::Sm90a)->target == Target::Sm90a); // what the caller says comes first
  }
  ScopedVariable word("LACUNA_TARGET", "sm_75");
  auto unknown = chooseTarget(gpu(9, 0));
  REQUIRE(!unknown);
  CHECK(unknown.error().code == ErrorCode::InvalidArgument);
  CHECK(unknown.error().message == "LACUNA_TARGET is 'sm_75'; give sm_90a or sm_80, or unset it");
}

TEST_CASE("a Jit for a card with 99 KiB compiles for sm_80; one newer than the table takes the PTX") {
  ScopedVariable none("LACUNA_TARGET", nullptr);
  fake::FakeDriver driver;
  const KernelSpec spec = {.params = {{"D", "128"}}, .library = "attention_forward"};
  for (auto [major, minor, isCubin] : {std::tuple(8, 9, true), std::tuple(14, 0, false)}) {
    driver.state.major = major, driver.state.minor = minor;
    driver.state.multiprocessors = 128, driver.state.sharedBytes = 101376;
    auto jit = Jit::forDevice(driver.open());
    REQUIRE(jit);
    CHECK(jit->target() == Target::Sm80);
    auto kernel = jit->compile(spec);
    REQUIRE_MESSAGE(kernel, kernel.error().render());
    CHECK(kernel->metadata().target == "sm_80");
    CHECK(kernel->metadata().sharedBytes <= 101376);
    CHECK(kernel->metadata().tensorMaps.empty());
    if (kernel->compilation().isCubin) // without an assembler both are PTX
      CHECK(kernel->metadata().processor == "sm_89");
    if (!isCubin) {
      CHECK(!kernel->compilation().isCubin);
      CHECK(kernel->compilation().image.find(".target sm_80") != std::string::npos);
    }
    auto large =
        jit->compile({.params = {{"D", "128"}, {"BN", "128"}, {"stages", "2"}}, .library = "attention_forward"});
    REQUIRE(!large);
    CHECK(large.error().code == ErrorCode::ResourceExhausted);
  }
}
