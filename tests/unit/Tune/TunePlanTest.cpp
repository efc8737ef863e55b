// From a call of `lacuna tune` to cases, and what the compiler says of points, on machines with other limits.
#include "TunePlan.h"

#include "fakecuda/FakeDriver.h"
#include "lacuna/Jit/KernelLibrary.h"

#include <set>

using namespace lacuna;
using namespace lacuna::autotune;
using namespace lacuna::tools;

static KernelSpec library(std::string_view name) {
  return {.file = std::string(name) + ".tile", .source = std::string(libraryText(name))};
}

namespace {

/// Analyses in this process, and remembers what it is asked to compile.
struct RecordingWorkshop : Workshop {
  Compiler compiler;
  std::map<std::string, Facts> facts;
  std::vector<std::string> compiled;

  static CompileRequest requestOf(const Variant &variant, const Point &point) {
    CompileRequest request;
    request.fileName = variant.kernel.file;
    request.source = variant.kernel.source;
    request.target = parseTarget(variant.machine.target).value();
    request.kernel = variant.kernel.kernel;
    request.params = variant.fixed;
    for (const auto &[name, value] : point)
      request.params[name] = value;
    request.allScalarsPositive = true;
    return request;
  }
  void analyze(const Variant &variant, const std::vector<Point> &points, TimePoint,
               const std::function<void(size_t, Expected<Facts>)> &sink) override {
    for (size_t index = 0; index < points.size(); ++index) {
      Expected<Facts> found = analyzePoint(compiler, requestOf(variant, points[index]));
      if (found)
        facts[settingsText(points[index])] = *found;
      sink(index, std::move(found));
    }
  }
  void compile(const Variant &, const std::vector<Point> &points, TimePoint,
               const std::function<void(size_t, Expected<Json>)> &sink) override {
    for (size_t index = 0; index < points.size(); ++index) {
      compiled.push_back(settingsText(points[index]));
      sink(index, Json::object());
    }
  }
  struct FlatBench : Bench {
    Expected<std::vector<double>> time(const Candidate &, int launches) override {
      return std::vector<double>(static_cast<size_t>(launches), 100.0);
    }
  };
  Expected<std::unique_ptr<Bench>> open(const Variant &, const Shape &, Candidate) override {
    return std::make_unique<FlatBench>();
  }
};

struct Silent : Progress {
  void start(int64_t, double) override {}
  void update(const ProgressState &) override {}
  void point(const PointRecord &) override {}
  void winner(const WinnerRecord &) override {}
  void note(const std::string &) override {}
  void end() override {}
};

/// The matrix product on a device with so much shared memory; what was compiled, with its facts.
struct LimitedRun {
  explicit LimitedRun(int sharedBytes, Target target = Target::Sm90a) {
    runtime::fake::FakeDriver fake;
    fake.state.sharedBytes = sharedBytes;
    if (target == Target::Sm80)
      fake.state.major = 8, fake.state.minor = 9, fake.state.multiprocessors = 128;
    auto driver = fake.load();
    REQUIRE(driver);
    auto device = runtime::Device::open(*driver, 0);
    REQUIRE(device);
    MachineLimits machine = machineLimits(&*device, target, 1);
    CHECK(machine.sharedBytes == sharedBytes);
    auto kernels = kernelsToTune({.kernels = {"matmul"}}, target);
    REQUIRE(kernels);
    auto cases = planCases({.shapes = {"M=256 N=256 K=256"}}, *kernels, target, machine);
    REQUIRE(cases);
    for (Knob &knob : cases->front().variant.kernel.knobs) // A few of each suffice.
      knob.values = knob.name == "BM"   ? std::vector<std::string>{"128"}
                    : knob.name == "BN" ? std::vector<std::string>{"64", "256"}
                    : knob.name == "BK" ? std::vector<std::string>{"64", "128"}
                                        : std::vector<std::string>{"2", target == Target::Sm80 ? "3" : "4"};
    cases->front().preset = {{"BM", "128"}, {"BN", "64"}, {"BK", "64"}, {"stages", "2"}};
    auto database = Database::open("");
    Silent silent;
    auto results = Tuner(shop, *database, silent, {}).run(*cases);
    REQUIRE(results);
    result = std::move(results->front());
  }
  RecordingWorkshop shop;
  CaseResult result;
};

} // namespace

TEST_CASE("Tune: no candidate over a device's limits is ever compiled") {
  LimitedRun full(232448), small(80 * 1024);
  for (const LimitedRun *run : {&full, &small}) {
    int64_t limit = run == &full ? 232448 : 80 * 1024;
    CHECK_FALSE(run->shop.compiled.empty());
    for (const std::string &point : run->shop.compiled)
      CHECK(run->shop.facts.at(point).sharedBytes <= limit);
    CHECK(run->result.points.size() == 8);
  }
  CHECK(small.shop.compiled.size() < full.shop.compiled.size());
  bool told = false;
  for (const PointRecord &record : small.result.points)
    if (record.kind == "shared memory") {
      CHECK(std::find(small.shop.compiled.begin(), small.shop.compiled.end(), settingsText(record.point)) ==
            small.shop.compiled.end());
      told |= record.reason.find("a thread block of Fake GPU has 81920") != std::string::npos;
    }
  CHECK(told);
}

TEST_CASE("Tune: on sm_80 an operand in registers counts beside the accumulators") {
  Compiler compiler;
  for (auto [keys, fits] : {std::pair("176", true), std::pair("192", false)}) { // as ptxas has it: 192 spills
    CompileRequest request;
    request.fileName = "attention_forward.tile";
    request.source = std::string(libraryText("attention_forward"));
    request.target = Target::Sm80;
    request.params = {{"D", "64"}, {"BM", "128"}, {"BN", keys}};
    auto facts = analyzePoint(compiler, request);
    REQUIRE_MESSAGE(facts, facts.error().render());
    CHECK(facts->registersPresent == 168);
    CHECK(facts->registersFit() == fits);
  }
}

TEST_CASE("Tune: on a card with 99 KiB and 128 multiprocessors the target is sm_80, and nothing larger is compiled") {
  constexpr int64_t kLimit = 99 * 1024;
  LimitedRun card(kLimit, Target::Sm80);
  CHECK_FALSE(card.shop.compiled.empty());
  CHECK(card.shop.compiled.size() < card.shop.facts.size());
  bool anyOver = false;
  for (const auto &[point, facts] : card.shop.facts)
    anyOver |= facts.sharedBytes > kLimit;
  CHECK(anyOver); // 163 KiB are the target's; this card has less
  for (const std::string &point : card.shop.compiled)
    CHECK(card.shop.facts.at(point).sharedBytes <= kLimit);
  for (const PointRecord &record : card.result.points)
    if (card.shop.facts.contains(settingsText(record.point)) &&
        card.shop.facts.at(settingsText(record.point)).sharedBytes > kLimit)
      CHECK(record.reason.find("a thread block of Fake GPU has 101376") != std::string::npos);
}

TEST_CASE("Tune: facts of attention name shared memory, registers and what bounds it") {
  Compiler compiler;
  KernelSpec spec = library("attention_forward");
  CompileRequest request;
  request.fileName = spec.file;
  request.source = spec.source;
  request.params = {{"D", "128"}, {"BM", "128"}, {"BN", "128"}};
  request.allScalarsPositive = true;
  auto facts = analyzePoint(compiler, request);
  REQUIRE(facts);
  CHECK(facts->sharedBytes > 5 * 128 * 128 * 2);
  CHECK(facts->registersNeeded == 64 + 64 + 32);
  CHECK(facts->registersPresent == 232);
  CHECK(facts->registersFit());
  CHECK(facts->predictedFraction > 0.9);
  CHECK(facts->stepWork > 0);
}

TEST_CASE("Tune: the description of a kernel has what shapes and points may name") {
  auto kernel = describeForTuning(library("attention_forward"), Target::Sm90a);
  REQUIRE(kernel);
  REQUIRE(kernel->knobs.size() == 4);
  CHECK(kernel->knobs[0].name == "stages");
  CHECK_FALSE(kernel->knobs[0].isParam);
  CHECK(kernel->knobs[1].name == "apart");
  CHECK(kernel->knobs[2].name == "BM");
  CHECK(kernel->knobs[2].preset == "128");
  CHECK(kernel->knobs[3].values.size() == 16);
  CHECK(kernel->listColumns == "N");
  CHECK(kernel->listRowParam == "QB");
  CHECK(kernel->listColumnParam == "KB");
  CHECK(kernel->hasMask);
  CHECK(kernel->conditions ==
        std::vector<std::string>{
            "smem <= 232448 && regs_fit && (BM < 192 || D + DV <= 192) && (BM == 64 || 3 * BN / 4 + DV / 2 < 208)"});
  CHECK(kernel->hash.size() == 32);
  auto onCpu = describeForTuning(library("attention_forward"), Target::Cpu);
  REQUIRE(onCpu);
  CHECK(onCpu->knobs.size() == 2); // a ring's depth means nothing there
  auto sparse = describeForTuning(library("block_sparse_matmul"), Target::Sm90a);
  REQUIRE(sparse);
  CHECK(sparse->listColumns == "K");
  KernelSpec edited = library("matmul");
  std::string before = describeForTuning(edited, Target::Cpu)->hash;
  edited.source += "\n";
  CHECK(describeForTuning(edited, Target::Cpu)->hash == before);
  edited.source += "hook unused(x, i, j) -> f32 = x\n";
  CHECK(describeForTuning(edited, Target::Cpu)->hash != before);
}

TEST_CASE("Tune: kernels that are not there, or have nothing to tune") {
  auto none = kernelsToTune({.kernels = {"atention"}}, Target::Cpu);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::NotFound);
  CHECK(none.error().message.find("it has attention_forward, attention_packed, attention_split, ") !=
        std::string::npos);
  CHECK(kernelsToTune({.kernels = {"missing.tile"}}, Target::Cpu).error().code == ErrorCode::NotFound);
  CHECK_FALSE(kernelsToTune({.kernels = {"pooled_scores"}}, Target::Cpu));
}

TEST_CASE("Tune: cases have full params, the lists' block, a default and usual shapes") {
  MachineLimits machine{"NVIDIA H200", "sm_90a", 232448, 132};
  auto kernels = kernelsToTune({.kernels = {"attention_forward", "matmul"}}, Target::Sm90a);
  REQUIRE(kernels);
  auto cases = planCases({}, *kernels, Target::Sm90a, machine);
  REQUIRE(cases);
  CHECK(cases->size() == 8); // three patterns and two sizes; two sizes
  auto lists =
      planCases({.shapes = {"M=512 D=64 pattern=random:0.5 block=64x64"}}, {kernels->front()}, Target::Sm90a, machine);
  REQUIRE(lists);
  REQUIRE(lists->size() == 1);
  const TuneCase &each = lists->front();
  CHECK(each.shape.text() == "B=1 G=1 H=1 M=512 N=512 D=64 DV=64 T=bf16 pattern=random:0.5 block=64x64");
  CHECK(each.variant.fixed == Settings{{"D", "64"}, {"DV", "64"}, {"T", "bf16"}, {"QB", "64"}, {"KB", "64"}});
  CHECK(settingsText(each.preset) == "BM=64 BN=128 apart=0 stages=2");
  auto wrong = planCases({.shapes = {"M=512 D=63"}}, *kernels, Target::Sm90a, machine);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("--shape 'M=512 D=63'") != std::string::npos);
}

TEST_CASE("Tune: of a text with several kernels one is named") {
  auto unnamed = kernelsToTune({.kernels = {"attention_split"}}, Target::Sm90a);
  REQUIRE_FALSE(unnamed);
  CHECK(unnamed.error().message.find("name one") != std::string::npos);
  CHECK(unnamed.error().message.find("`lacuna tune attention_split:KERNEL`") != std::string::npos);
  auto named = kernelsToTune({.kernels = {"attention_split:attention_parts"}}, Target::Sm90a);
  REQUIRE_MESSAGE(named, named.error().render());
  CHECK(named->front().description.kernel == "attention_parts");
  CHECK(named->front().spec.kernel == "attention_parts");
  CHECK_FALSE(kernelsToTune({.kernels = {"attention_split:nothing"}}, Target::Sm90a));
}

TEST_CASE("Tune: the usual shapes of every library kernel are ones that it accepts") {
  for (Target target : {Target::Sm90a, Target::Cpu})
    for (const LibraryText &text : kernelLibrary()) {
      CAPTURE(text.name);
      KernelSpec spec = library(text.name);
      auto description = describeForTuning(spec, target);
      if (!description || description->knobs.empty())
        continue;
      for (const std::string &line : usualShapes(*description, target)) {
        CAPTURE(line);
        auto shape = parseShape(line, *description);
        CHECK_MESSAGE(shape, shape.error().render());
      }
    }
  auto packed = describeForTuning(library("attention_packed"), Target::Sm90a);
  REQUIRE(packed);
  CHECK(usualShapes(*packed, Target::Sm90a).front().find("H=16") != std::string::npos);
  CHECK(usualShapes(*packed, Target::Sm90a).front().find("G=2") != std::string::npos);
}

TEST_CASE("Tune: a user's kernel of the operator's name that has other params keeps its own defaults") {
  KernelSpec spec{.file = "mine.tile", .source = std::string(libraryText("attention_forward"))};
  for (size_t at; (at = spec.source.find("DV")) != std::string::npos;) // The head dimensions have other names.
    spec.source.replace(at, 2, "EV");
  auto description = describeForTuning(spec, Target::Sm90a);
  REQUIRE_MESSAGE(description, description.error().render());
  REQUIRE(description->kernel == "attention_forward");
  auto cases = planCases({.shapes = {"M=512 block=128x128"}}, {TunedKernel{spec, *description}}, Target::Sm90a,
                         {"NVIDIA H200", "sm_90a", 232448, 132});
  REQUIRE_MESSAGE(cases, cases.error().render());
  CHECK(settingsText(cases->front().preset) == "BM=128 BN=128 apart=1 stages=2");
}

//===--------------------------------------------------------------------------------------------------------------===//
// What to run untold
//===--------------------------------------------------------------------------------------------------------------===//

TEST_CASE("Tune: open params take the nearest legal record, else the default, which says so") {
  MachineLimits h200{"NVIDIA H200", "sm_90a", 232448, 132}, other{"NVIDIA Other", "sm_90a", 232448, 132};
  TunedRecords records(TunedRecords::shipped());
  OpenQuestion question{.spec = library("attention_forward"), .shape = {}, .keepLists = false};
  question.spec.params = {{"D", "128"}};
  question.shape.pattern = "dense";
  auto open = chooseOpenPoint(question, Target::Sm90a, h200, records);
  REQUIRE(open);
  REQUIRE(*open);
  CHECK((*open)->isTuned);
  CHECK(settingsText((*open)->point) == "BM=128 BN=176");
  CHECK((*open)->origin.starts_with("tuned on NVIDIA H200 ("));

  question.keepLists = true; // lists of 128x128, as without tuning: tiles of 176 keys do not fit them
  open = chooseOpenPoint(question, Target::Sm90a, h200, records);
  REQUIRE(open);
  REQUIRE(*open);
  CHECK((*open)->point.at("BN") != "176");

  question.spec.params = {{"D", "128"}, {"BN", "64"}, {"QB", "128"}, {"KB", "128"}, {"stages", "2"}};
  open = chooseOpenPoint(question, Target::Sm90a, other, records);
  REQUIRE(open);
  REQUIRE(*open);
  CHECK_FALSE((*open)->isTuned);
  CHECK((*open)->point.contains("BM"));
  CHECK_FALSE((*open)->point.contains("BN"));
  CHECK((*open)->origin.find("attention_forward is not tuned on NVIDIA Other; `lacuna tune attention_forward` "
                             "measures") != std::string::npos);

  // Lists of 64x64, which the default tile of 128 rows does not fit: no error, and a tile that fits.
  question.keepLists = false;
  question.spec.params = {{"D", "64"}, {"QB", "64"}, {"KB", "64"}, {"BN", "64"}};
  question.shape.block = ListBlock{64, 64};
  open = chooseOpenPoint(question, Target::Sm90a, h200, records);
  REQUIRE_MESSAGE(open, open.error().render());
  REQUIRE(*open);
  CHECK((*open)->point.at("BM") == "64");
  CHECK_FALSE(*chooseOpenPoint(question, Target::Cpu, {"a CPU", "cpu"}, records));

  question.spec.params = {{"BM", "128"}, {"BN", "64"}, {"stages", "2"}, {"apart", "0"}};
  open = chooseOpenPoint(question, Target::Sm90a, h200, records);
  REQUIRE(open);
  CHECK_FALSE(*open); // nothing is open
}

TEST_CASE("Tune: records of another choice of the caller's are passed over; what it takes untold stands without one") {
  MachineLimits h200{"NVIDIA H200", "sm_90a", 232448, 132}, other{"NVIDIA Other", "sm_90a", 232448, 132};
  TunedRecords records(TunedRecords::shipped());
  OpenQuestion question{.spec = library("attention_forward"), .shape = {}, .keepLists = true, .measuredOnly = true};
  question.spec.params = {{"D", "128"}, {"BN", "128"}};
  auto open = chooseOpenPoint(question, Target::Sm90a, h200, records);
  REQUIRE(open);
  REQUIRE(*open);
  CHECK(settingsText((*open)->point) == "BM=128 KB=128 QB=128"); // and not the nearest, which is for 176 keys
  CHECK_FALSE(*chooseOpenPoint(question, Target::Sm90a, other, records));

  question.measuredOnly = question.keepLists = false;
  question.untold = {{"BM", "192"}, {"BN", "64"}};
  question.spec.params = {{"D", "64"}, {"BN", "128"}};
  open = chooseOpenPoint(question, Target::Sm90a, other, records);
  REQUIRE(open);
  REQUIRE(*open);
  CHECK((*open)->point.at("BM") == "192");
}
