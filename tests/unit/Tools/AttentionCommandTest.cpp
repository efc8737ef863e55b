#include "AttentionCommand.h"
#include "AttentionKernels.h"

#include "lacuna/Runtime/Npy.h"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;
using namespace lacuna::tools;

namespace {

constexpr int kHeadDim = 16, kTileRows = 64, kBlock = 64;

/// Reads launch parameters in order.
class Parameters {
public:
  explicit Parameters(void **slots) : slots(slots) {}
  template <class T> T next() {
    T value;
    std::memcpy(&value, *slots++, sizeof(value));
    return value;
  }

private:
  void **slots;
};

/// A view of 16-bit elements, [.., .., .., kHeadDim].
struct View {
  uint16_t *data;
  int64_t strides[3];
  explicit View(Parameters &p) : data(p.next<uint16_t *>()) {
    for (int64_t &stride : strides)
      stride = p.next<int64_t>();
  }
  uint16_t *row(int64_t a, int64_t b, int64_t c) const {
    return data + a * strides[0] + b * strides[1] + c * strides[2];
  }
};

/// Attention in float32, row by row: what a compiler would make of the library kernel for bf16, written by hand.
/// Without lists it looks at every key.
template <bool kCausal, bool kWrong, bool kListed = true>
void attention(void **slots, int32_t x, int32_t h, int32_t b) {
  Parameters p(slots);
  View q(p), k(p), v(p);
  const int32_t *indptr = nullptr, *split = nullptr, *indices = nullptr;
  int64_t batchStride = 0, headStride = 0;
  if (kListed) {
    for (const int32_t **array : {&indptr, &split, &indices})
      *array = p.next<const int32_t *>();
    batchStride = p.next<int64_t>(), headStride = p.next<int64_t>();
    p.next<int32_t>();
  }
  View o(p);
  auto *lse = p.next<float *>();
  const int64_t lseBatch = p.next<int64_t>(), lseHead = p.next<int64_t>();
  const float scale = p.next<float>();
  p.next<int32_t>();
  const auto heads = p.next<int32_t>(), queries = p.next<int32_t>(), kvHeads = p.next<int32_t>(),
             keys = p.next<int32_t>();
  const int64_t g = h / (heads / kvHeads), row = b * batchStride + h * headStride + x * kTileRows / kBlock;
  for (int64_t i = int64_t(x) * kTileRows; i < std::min<int64_t>(queries, (x + 1) * kTileRows); ++i) {
    float sum = 0, largest = -std::numeric_limits<float>::infinity(), acc[kHeadDim] = {};
    for (int pass = 0; pass < 2; ++pass)
      for (int32_t at = kListed ? indptr[row] : 0; at < (kListed ? indptr[row + 1] : (keys + kBlock - 1) / kBlock);
           ++at) {
        const int64_t block = kListed ? indices[at] : at;
        for (int64_t j = block * kBlock; j < std::min<int64_t>(keys, (block + 1) * kBlock); ++j) {
          if (kCausal && (!kListed || at < split[row]) && j > i + keys - queries)
            continue;
          float s = 0;
          for (int d = 0; d < kHeadDim; ++d)
            s += bf16ToFloat(q.row(b, h, i)[d]) * bf16ToFloat(k.row(b, g, j)[d]);
          s *= scale;
          if (pass == 0) {
            largest = std::max(largest, s);
            continue;
          }
          float weight = std::exp(s - largest);
          sum += weight;
          for (int d = 0; d < kHeadDim; ++d)
            acc[d] += bf16ToFloat(floatToBf16(weight)) * bf16ToFloat(v.row(b, g, j)[d]);
        }
      }
    for (int d = 0; d < kHeadDim; ++d)
      o.row(b, h, i)[d] = floatToBf16(sum == 0 ? 0 : acc[d] / sum * (kWrong ? 1.1f : 1.0f));
    lse[b * lseBatch + h * lseHead + i] = largest + std::log(sum);
  }
}

class HandWrittenBackend final : public AttentionBackend {
public:
  Expected<CompiledAttention> compile(const AttentionRequest &request) override {
    last = request;
    if (failWith)
      return tl::unexpected(*failWith);
    LaunchMetadata metadata;
    metadata.kernel = metadata.symbol = "attention_forward";
    metadata.target = "cpu";
    auto view = [](const char *name, const char *heads, const char *length, bool output = false) {
      return Argument{name, Argument::Kind::View, DType::BF16, {{"B"}, {heads}, {length}, {"", kHeadDim}}, output};
    };
    metadata.arguments = {view("q", "H", "M"),
                          view("k", "G", "N"),
                          view("v", "G", "N"),
                          {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, kBlock, kBlock},
                          view("o", "H", "M", true),
                          {"lse", Argument::Kind::View, DType::F32, {{"B"}, {"H"}, {"M"}}, true},
                          {"scale", Argument::Kind::Scalar, DType::F32}};
    metadata.dims = {"B", "H", "M", "G", "N"};
    metadata.grid = {"ceildiv(M, 64)", "H", "B"};
    metadata.constraints = {{"H % G == 0", "H % G == 0"}};
    auto asks = [&](const char *hook) {
      return std::ranges::any_of(request.hooks, [&](const auto &given) { return given.first == hook; });
    };
    const bool masked = asks("keep"), listed = !asks("rows");
    if (!listed)
      metadata.arguments.erase(metadata.arguments.begin() + 3);
    CpuEntry entry = listed ? entryFor<true>(masked) : entryFor<false>(masked);
    Expected<CpuKernel> kernel = CpuKernel::create(entry, metadata, request.pool);
    if (!kernel)
      return takeError(kernel);
    return CompiledAttention{std::move(*kernel), "none", {{"tile", 1.5}, {"llvm", 2.5}}, predicted};
  }

  Expected<std::optional<TileAnswer>> chooseTile(const TileQuestion &question) override {
    asked = question;
    return tile;
  }

  template <bool kListed> CpuEntry entryFor(bool masked) const {
    return wrong    ? attention<false, true, kListed>
           : masked ? attention<true, false, kListed>
                    : attention<false, false, kListed>;
  }

  bool wrong = false;
  std::optional<TileAnswer> tile;
  std::optional<TileQuestion> asked;
  std::optional<Prediction> predicted;
  std::optional<Error> failWith;
  std::optional<AttentionRequest> last;
};

/// Runs `lacuna attention` with these flags, small and on the CPU unless they say otherwise.
CommandResult run(HandWrittenBackend &backend, std::vector<std::string> flags, bool small = true) {
  CLI::App app;
  AttentionOptions options;
  addAttentionCommand(app, options);
  std::vector<std::string> arguments = std::move(flags);
  arguments.insert(arguments.begin(), {"attention", "--device", "cpu"});
  if (small)
    arguments.insert(arguments.end(),
                     {"--heads", "4", "--head-dim", "16", "--queries", "150", "--keys", "200", "--block", "64x64"});
  std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
  REQUIRE_NOTHROW(app.parse(arguments));
  return attentionCommand(options, backend);
}

struct ScratchDirectory {
  std::string path;
  ScratchDirectory() : path((std::filesystem::temp_directory_path() / "lacuna-attention-XXXXXX").string()) {
    REQUIRE(mkdtemp(path.data()));
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path); }
};

} // namespace

TEST_CASE("a right kernel passes the check, and JSON says all there is") {
  HandWrittenBackend backend;
  CommandResult result = run(backend, {"--pattern", "causal", "--kv-heads", "2", "--batch", "2", "--pack", "off",
                                       "--check", "--bench", "--json"});
  REQUIRE_MESSAGE(result.status == 0, result.errors);
  nlohmann::json json = nlohmann::json::parse(result.output);
  CHECK(json["target"] == "cpu");
  CHECK(json["kernel"] == "attention_forward");
  CHECK(json["params"] ==
        nlohmann::json{{"BM", 64}, {"BN", 128}, {"D", 16}, {"DV", 16}, {"T", "bf16"}, {"QB", 64}, {"KB", 64}});
  CHECK(json["hooks"]["keep"] == "j <= i + N - M");
  CHECK(json["lists"] == "synthesised");
  CHECK(json["blocks"]["partial"].get<int>() + json["blocks"]["full"].get<int>() > 0);
  CHECK(json["check"]["passed"] == true);
  CHECK(json["check"]["rel_frobenius"].get<double>() < 4e-3);
  CHECK(json["check"]["rows_checked"] == 2 * 4 * 150);
  CHECK(json["check"].contains("max_abs"));
  CHECK(json["check"].contains("lse_max_abs"));
  CHECK(json["bench"]["median_us"].get<double>() > 0);
  double executed = json["bench"]["tflops_executed"], dense = json["bench"]["tflops_dense"];
  double blocks = json["blocks"]["partial"].get<double>() + json["blocks"]["full"].get<double>();
  CHECK(executed / dense == doctest::Approx(blocks * 64 * 64 / (2 * 4 * 150 * 200)));
  CHECK(json["compile"] == nlohmann::json{{"cached", "none"}, {"ms", {{"tile", 1.5}, {"llvm", 2.5}}}});
  CHECK(backend.last->positiveScale);
}

TEST_CASE("heads are packed where that fills tiles, or as --pack says") {
  HandWrittenBackend backend;
  auto packed = [&](std::vector<std::string> flags) {
    CommandResult result = run(backend, std::move(flags));
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    return backend.last->kernel == LibraryKernel::Packed;
  };
  // Two tiles of two heads with 64 queries each do what four of 64 rows would, and at less than their cost.
  CHECK(packed({"--kv-heads", "2"}));
  CHECK(backend.last->params == std::vector<std::pair<std::string, std::string>>{{"R", "2"},
                                                                                 {"L", "64"},
                                                                                 {"BN", "128"},
                                                                                 {"D", "16"},
                                                                                 {"DV", "16"},
                                                                                 {"T", "bf16"},
                                                                                 {"QB", "64"},
                                                                                 {"KB", "64"}});
  CHECK_FALSE(packed({"--kv-heads", "2", "--pack", "off"}));
  CHECK_FALSE(packed({}));                                             // a KV head each
  CHECK_FALSE(packed({"--kv-heads", "2", "--pattern", "random:0.4"})); // lists of their own
  CHECK(packed({"--kv-heads", "2", "--pattern", "random:0.4:shared", "--check"}));
  CHECK_FALSE(packed({"--kv-heads", "2", "--pattern", "random:0.4:shared", "--pack", "off"}));
  CHECK(packed({"--kv-heads", "1", "--pack", "on"}));

  auto wrongCall = [&](std::vector<std::string> flags) {
    CommandResult result = run(backend, std::move(flags));
    CHECK(result.status == 2);
    return result.errors;
  };
  CHECK(wrongCall({"--pack", "yes"}) == "lacuna attention: --pack is 'yes'; give auto, on or off\n");
  CHECK(wrongCall({"--pack", "on"}) ==
        "lacuna attention: --pack on was given, but each of the 4 heads has a KV head of "
        "its own; give fewer --kv-heads\n");
  CHECK(wrongCall({"--pack", "on", "--kv-heads", "2", "--pattern", "random:0.4"}) ==
        "lacuna attention: --pack on needs lists that the heads of a KV head share, and the pattern 'random:0.4' "
        "gives each head its own; use random:0.4:shared\n");
}

TEST_CASE("lists in memory say which rows of which heads share tiles") {
  AttentionOptions options;
  options.device = "cpu", options.heads = 4, options.kvHeads = 2, options.queries = 300, options.keys = 400;
  options.block = "64x64", options.pattern = "lists:somewhere";
  auto planFor = [&](const char *text, const char *pack, uint64_t seed = 1) {
    options.pack = pack;
    AttentionPlan plan = planAttention(options, std::nullopt, std::nullopt).value();
    BlockLists lists = *Pattern::parse(text)->build(plan.shape, 64, 64, seed);
    Expected<std::optional<BlockLists>> rows = planRows(options, lists, plan);
    REQUIRE_MESSAGE(rows, rows.error().render());
    CHECK(rows->has_value() == (plan.packed || plan.rowsPaired > 1));
    return plan;
  };
  AttentionPlan plan = planFor("random:0.3:shared", "auto");
  CHECK(*plan.packed == PackedTile{2, 64, 128});
  CHECK(plan.packing == "2 heads a tile: 10 programs in 1 part, 32 steps; apart: 20 programs in 1 part, 48 steps");
  CHECK(plan.rowsPaired == 1);
  CHECK_FALSE(planFor("random:0.3:shared", "off").packed);
  plan = planFor("random:0.3", "auto");
  CHECK_FALSE(plan.packed);
  CHECK(plan.packing == "the heads of a KV head have lists of their own");
  // Neighbouring rows with the same blocks are one.
  plan = planFor("dense", "off");
  CHECK(plan.kernelQueryBlock() == 128);
  CHECK(plan.tile == AttentionTile{128, 128});
  options.pack = "on";
  plan = planAttention(options, std::nullopt, std::nullopt).value();
  Expected<std::optional<BlockLists>> refused =
      planRows(options, *Pattern::parse("random:0.3")->build(plan.shape, 64, 64, 1), plan);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "--pack on needs lists that the heads of a KV head share, and those of "
                                   "'lists:somewhere' differ; use --pack off");
}

TEST_CASE("few queries are packed, in as many parts as fill a GPU") {
  AttentionOptions options;
  options.heads = 64, options.kvHeads = 8, options.queries = 8, options.keys = 4096;
  auto packs = [&](const char *device, int64_t batch) {
    options.device = device, options.batch = batch;
    Expected<AttentionPlan> plan = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(plan);
    return plan->packed.has_value();
  };
  for (const char *split : {"auto", "1", "4"}) {
    options.split = split;
    for (int64_t batch : {1, 32}) {
      CHECK(packs("cpu", batch));
      CHECK(packs("gpu", batch));
    }
  }
  options.queries = 4096; // tiles are full either way
  CHECK_FALSE(packs("gpu", 1));
  options.pack = "on";
  CHECK(packs("gpu", 1));
}

TEST_CASE("a group that divides no tile is not packed") {
  AttentionOptions options;
  options.heads = 5, options.kvHeads = 1, options.queries = 3, options.keys = 10, options.device = "cpu";
  Expected<AttentionPlan> plan = planAttention(options, std::nullopt, std::nullopt);
  REQUIRE(plan);
  CHECK_FALSE(plan->packed);
  options.pack = "on";
  CHECK(
      planAttention(options, std::nullopt, std::nullopt).error().message ==
      "--pack on was given, but 5 heads a KV head divide no tile of 64 or 128 rows (192 for head dimensions up to 64) "
      "into a divisor of the query block 128; use --pack off");
}

TEST_CASE("what the compiler predicts stands beside what is measured") {
  HandWrittenBackend backend;
  auto bench = [&] { return nlohmann::json::parse(run(backend, {"--bench", "--json"}).output)["bench"]; };
  CHECK_FALSE(bench().contains("predicted_us"));
  backend.predicted = Prediction{0.75, "copies", 0.5};
  const nlohmann::json json = bench();
  // 4 heads of 3 tiles with 4 blocks of 64 keys, two of which fill a step: 24 steps.
  CHECK(json["predicted_us"] == 12);
  CHECK(json["bound_by"] == "copies");
  CHECK(json["predicted_tensor_fraction"] == 0.75);
  CHECK(run(backend, {"--bench"}).output.find("predicted 12.0 us at least, bound by copies") != std::string::npos);
}

TEST_CASE("a prediction counts the steps of all rows, or those of the longest where it is waited for") {
  HandWrittenBackend backend;
  backend.predicted = Prediction{1, "tensor cores", 2};
  AttentionRequest request;
  request.pool = std::make_shared<ThreadPool>();
  AttentionKernels kernels;
  kernels.code.push_back(backend.compile(request).value());
  AttentionPlan plan;
  plan.shape = {1, 2, 2, 128, 640, 16, 16};
  plan.tile = {64, 64};
  BlockLists lists = *Pattern::parse("dense")->build(plan.shape, 64, 64, 1);
  auto predict = [&](int64_t multiprocessors) { return *kernels.predict(plan, lists, multiprocessors); };
  CHECK(predict(1).microseconds == 2 * 2 * 2 * 10);
  CHECK(predict(4).microseconds == 20);
  CHECK(predict(4).boundBy == "tensor cores");
  CHECK(predict(132).microseconds == 20);
  CHECK(predict(132).boundBy == "the longest row");
  kernels.split = SplitPlan::create(lists, plan.shape, plan.tile, 5, {}).value();
  CHECK(predict(132).microseconds == 4);
  CHECK(predict(10).microseconds == 8);
  kernels.code[0].predicted.reset();
  CHECK_FALSE(kernels.predict(plan, lists, 1));
}

TEST_CASE("--split is auto, or a number of parts; auto is 1 on the CPU") {
  for (const char *wrong : {"0", "33", "-1", "two", "2x"}) {
    HandWrittenBackend backend;
    CommandResult result = run(backend, {std::string("--split=") + wrong});
    CHECK(result.status == 2);
    CHECK(result.errors ==
          fmt::format("lacuna attention: --split is '{}'; give auto, or a whole number from 1 to 32\n", wrong));
  }
  for (const char *one : {"auto", "1"}) {
    HandWrittenBackend backend;
    CommandResult result = run(backend, {"--split", one, "--json", "--check"});
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    CHECK(nlohmann::json::parse(result.output)["splits"] == 1);
    CHECK(backend.last->kernel == LibraryKernel::Forward);
  }
}

TEST_CASE("a tile that the backend knows is taken; lists follow it where they are open") {
  HandWrittenBackend backend;
  backend.tile = TileAnswer{{64, 64}, {{"stages", "3"}}, "tuned on a machine"};
  std::vector<std::string> small = {"--heads", "4", "--head-dim", "16", "--queries", "150", "--keys", "200"};
  auto runOpen = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), small.begin(), small.end());
    CommandResult result = run(backend, flags, /*small=*/false);
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    return result.output;
  };
  nlohmann::json json = nlohmann::json::parse(runOpen({"--pattern", "causal", "--check", "--json"}));
  CHECK_FALSE(backend.asked->block);
  CHECK(backend.asked->pattern == "causal");
  CHECK(backend.asked->keep == "j <= i + N - M");
  CHECK(json["tile"] == "tuned on a machine");
  CHECK(json["params"]["QB"] == 64);
  CHECK(json["params"]["KB"] == 64);
  CHECK(json["params"]["stages"] == 3);
  CHECK(json["problem"]["block"] == nlohmann::json{64, 64});
  CHECK(runOpen({"--check"}).find("  tile     tuned on a machine\n") != std::string::npos);

  // Lists that the caller gave keep their block.
  json = nlohmann::json::parse(runOpen({"--block", "64x64", "--json"}));
  CHECK(backend.asked->block == AttentionTile{64, 64});
  backend.failWith = Error{ErrorCode::CompileFailed, "stop here"};
  (void)run(backend, {"--pattern", "random:0.5"}, /*small=*/false);
  CHECK(backend.asked->block == AttentionTile{128, 128});

  // Parts that were asked for, and packed heads, are other kernels than the one that was measured.
  for (std::vector<std::string> flags :
       {std::vector<std::string>{"--split", "2"}, {"--kv-heads", "1", "--pack", "on"}}) {
    backend.asked.reset();
    (void)run(backend, flags, /*small=*/false);
    CHECK_FALSE(backend.asked);
    CHECK(backend.last->choices.empty());
  }
}

TEST_CASE("dense, causal and random lists run and pass") {
  for (const char *pattern : {"dense", "causal", "random:0.4"}) {
    HandWrittenBackend backend;
    CommandResult result = run(backend, {"--pattern", pattern, "--lists", "--check", "--seed", "5"});
    CHECK_MESSAGE(result.status == 0, result.errors);
    CHECK(result.output.find("check    passed against float64") != std::string::npos);
    CHECK(result.output.find("from lists in memory") != std::string::npos);
    CHECK(std::ranges::none_of(backend.last->hooks, [](const auto &hook) { return hook.first == "rows"; }));
  }
}

TEST_CASE("a formula needs no lists, which are saved all the same") {
  for (const char *pattern : {"dense", "causal"}) {
    HandWrittenBackend backend;
    ScratchDirectory directory;
    CommandResult result = run(backend, {"--pattern", pattern, "--check", "--json", "--save", directory.path});
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    nlohmann::json json = nlohmann::json::parse(result.output);
    CHECK(json["lists"] == "synthesised");
    CHECK(json["hooks"]["rows"] == pattern);
    CHECK(json["check"]["passed"] == true);
    CHECK(
        readNpy(directory.path + "/indices.npy")->shape ==
        std::vector<int64_t>{json["blocks"]["partial"].get<int64_t>() / 4 + json["blocks"]["full"].get<int64_t>() / 4});
    CHECK(run(backend, {"--pattern", pattern, "--check"}).output.find("synthesised in the kernel") !=
          std::string::npos);
  }
  HandWrittenBackend backend;
  CHECK(nlohmann::json::parse(run(backend, {"--pattern", "random:0.4", "--json"}).output)["lists"] == "memory");
}

TEST_CASE("where no block is given the pattern decides, and lists take 128x128") {
  AttentionOptions options;
  options.device = "cpu";
  auto plan = [&](const char *pattern, int64_t headDim) {
    options.pattern = pattern;
    options.headDim = headDim;
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(made.has_value());
    CHECK(made->tile == AttentionTile{made->queryBlock, made->keyBlock});
    return made->tile;
  };
  CHECK(plan("dense", 128) == AttentionTile{128, 176});
  CHECK(plan("causal", 128) == AttentionTile{128, 176});
  CHECK(plan("window:100", 64) == AttentionTile{128, 128});
  CHECK(plan("random:0.1", 64) == AttentionTile{128, 128});
}

TEST_CASE("a pattern is synthesised unless rows run in parts; heads are packed either way") {
  AttentionOptions options;
  options.device = "cpu", options.heads = 8, options.kvHeads = 2, options.queries = 3;
  auto plan = [&] {
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE(made.has_value());
    return *made;
  };
  for (const char *split : {"auto", "1"}) {
    options.split = split;
    CHECK(plan().synthesised);
    CHECK(plan().packed == PackedTile{4, 16, 128});
  }
  options.split = "2";
  CHECK_FALSE(plan().synthesised);
  CHECK(plan().packed == PackedTile{4, 16, 128});
}

TEST_CASE("packed heads take blocks of 128x128 where none is given, others the best for the pattern") {
  AttentionOptions options;
  options.device = "cpu", options.headDim = 64, options.heads = 8, options.kvHeads = 2, options.queries = 300;
  auto block = [&] {
    Expected<AttentionPlan> made = planAttention(options, std::nullopt, std::nullopt);
    REQUIRE_MESSAGE(made.has_value(), made.error().render());
    CHECK(made->packed.has_value() == (options.pack == "on"));
    return AttentionTile{made->queryBlock, made->keyBlock};
  };
  options.pack = "on";
  CHECK(block() == AttentionTile{128, 128});
  options.pack = "off";
  CHECK(block() == AttentionTile{192, 128});
}

TEST_CASE("parts are of lists: a pattern is left out where the rule decides on them") {
  HandWrittenBackend backend;
  AttentionRequest request;
  request.pool = std::make_shared<ThreadPool>();
  request.hooks = {{"keep", "j <= i + N - M"}, {"rows", "causal"}};
  AttentionPlan plan;
  plan.shape = {1, 2, 2, 128, 640, 16, 16};
  plan.tile = {64, 64};
  plan.splits = 1;
  BlockLists lists = *Pattern::parse("causal")->build(plan.shape, 64, 64, 1);
  CHECK(compileAttention(plan, request, backend, lists)->hooks == request.hooks);
  plan.splits = 3;
  Expected<AttentionKernels> parts = compileAttention(plan, request, backend, lists);
  REQUIRE_MESSAGE(parts.has_value(), parts.error().render());
  CHECK(parts->splits() == 3);
  request.hooks.pop_back();
  CHECK(parts->hooks == request.hooks);
  CHECK(parts->params.front() == std::pair<std::string, std::string>("BM", "64"));
  AttentionPlan packed = plan;
  packed.shape.kvHeads = 1, packed.packed = PackedTile{2, 64, 64};
  Expected<AttentionKernels> together = compileAttention(packed, request, backend, lists);
  REQUIRE_MESSAGE(together.has_value(), together.error().render());
  CHECK(together->params.front() == std::pair<std::string, std::string>("R", "2"));
  CHECK(together->params[1] == std::pair<std::string, std::string>("BM", "128"));
  CHECK(2 * together->split->programs() == parts->split->programs());
  CHECK(backend.last->hooks.empty()); // of the merge
}

TEST_CASE("a wrong kernel fails with status 1 and the reason") {
  HandWrittenBackend backend;
  backend.wrong = true;
  CommandResult result = run(backend, {"--check", "--json"});
  CHECK(result.status == 1);
  CHECK(result.errors.find("the check failed: the relative Frobenius error of O is 0.1") != std::string::npos);
  CHECK(nlohmann::json::parse(result.output)["check"]["passed"] == false);
  CHECK(run(backend, {}).status == 0);
}

TEST_CASE("the scale is any finite number") {
  HandWrittenBackend backend;
  CHECK(run(backend, {"--scale", "-0.5", "--check"}).status == 0);
  CHECK(!backend.last->positiveScale);
  CHECK(run(backend, {"--scale", "0", "--check"}).status == 0);
  CHECK(run(backend, {"--scale", "inf"}).errors == "lacuna attention: --scale is 'inf'; give a finite number\n");
}

TEST_CASE("saved data is loaded again and gives the same result") {
  HandWrittenBackend backend;
  ScratchDirectory first, second;
  CommandResult saved =
      run(backend, {"--pattern", "random:0.4", "--batch", "2", "--kv-heads", "2", "--save", first.path});
  REQUIRE_MESSAGE(saved.status == 0, saved.errors);
  for (const char *name : {"q", "k", "v", "o", "lse", "indptr", "split", "indices"})
    CHECK(std::filesystem::exists(first.path + "/" + name + ".npy"));
  CHECK(readNpy(first.path + "/q.npy")->shape == std::vector<int64_t>{2, 4, 150, 16});
  CHECK(readNpy(first.path + "/k.npy")->shape == std::vector<int64_t>{2, 2, 200, 16});
  CHECK(readNpy(first.path + "/o.npy")->type == NpyType::U16);
  CHECK(readNpy(first.path + "/lse.npy")->shape == std::vector<int64_t>{2, 4, 150});
  CHECK(readNpy(first.path + "/split.npy")->shape == std::vector<int64_t>{2 * 4 * 3});

  CommandResult loaded = run(
      backend,
      {"--load", first.path, "--pattern", "lists:" + first.path, "--block", "64x64", "--check", "--save", second.path},
      false);
  REQUIRE_MESSAGE(loaded.status == 0, loaded.errors);
  for (const char *name : {"q", "o", "lse", "indices"})
    CHECK(readNpy(first.path + "/" + name + ".npy")->bytes == readNpy(second.path + "/" + name + ".npy")->bytes);

  CHECK(run(backend, {"--load", first.path, "--queries", "151", "--block", "64x64"}, false).errors ==
        "lacuna attention: --queries 151 was given, and the files of --load have 150; leave the flag out\n");
  CHECK(run(backend, {"--load", first.path + "/none"}, false).status == 1);
  const float vector[] = {1, 2};
  REQUIRE(writeNpy(first.path + "/k.npy", NpyType::F32, {2}, vector));
  CHECK(run(backend, {"--load", first.path}, false)
            .errors.find("k.npy has 1 dimensions; give [batch, heads, length, head dimension]") != std::string::npos);
  REQUIRE(writeNpy(first.path + "/k.npy", NpyType::F32, {1, 1, 1, 2}, vector));
  CommandResult mixed = run(backend, {"--load", first.path}, false);
  CHECK(mixed.errors.find("do not go together") != std::string::npos);
  CHECK(mixed.status == 1);
}

TEST_CASE("wrong calls have status 2 and a sentence") {
  HandWrittenBackend backend;
  auto wrongCall = [&](const std::vector<std::string> &flags) {
    CommandResult result = run(backend, flags, false);
    CHECK(result.status == 2);
    CHECK(result.output.empty());
    return result.errors;
  };
  CHECK(wrongCall({"--dtype", "f32"}) == "lacuna attention: --dtype is 'f32'; give bf16 or f16\n");
  CHECK(wrongCall({"--block", "128"}) ==
        "lacuna attention: --block is '128'; give QUERIESxKEYS, for example 128x128\n");
  CHECK(wrongCall({"--block", "100x128"}).find("multiples of 16") != std::string::npos);
  CHECK(wrongCall({"--pattern", "diagonal"}).find("'diagonal' is not known") != std::string::npos);
  CHECK(wrongCall({"--queries", "0"}) == "lacuna attention: queries is 0; give 1 to 2147479552\n");
  CHECK(wrongCall({"--head-dim", "100"}) == "lacuna attention: head-dim is 100; give a multiple of 8 up to 256\n");
  CHECK(wrongCall({"--heads", "6", "--kv-heads", "4"}).find("6 heads cannot share 4 KV heads") != std::string::npos);
  CHECK(wrongCall({"--batch", "2147479552", "--queries", "2147479552"}).find("more than 2^48 elements") !=
        std::string::npos);
  CHECK(wrongCall({"--scale", "x"}) == "lacuna attention: --scale is 'x'; give a finite number\n");
  for (const char *scale : {"1e-50", "-1e-50", "1e50"})
    CHECK(
        wrongCall({"--scale", scale}) ==
        fmt::format("lacuna attention: --scale is '{}', and the kernel takes a float32; give 0, or a size from 1.2e-38 "
                    "to 3.4e38\n",
                    scale));
}

TEST_CASE("failed work has status 1 and a sentence") {
  HandWrittenBackend backend;
  backend.failWith = Error{ErrorCode::CompileFailed, "the compiler gave up"}.withNote("a note");
  CommandResult failed = run(backend, {});
  CHECK(failed.status == 1);
  CHECK(failed.errors == "lacuna attention: the compiler gave up\n  note: a note\n");
  backend.failWith.reset();
  CommandResult missing = run(backend, {"--pattern", "lists:/nowhere"});
  CHECK(missing.status == 1);
  CHECK(missing.errors == "lacuna attention: /nowhere/indptr.npy cannot be read: No such file or directory\n");
  CommandResult unwritable = run(backend, {"--save", "/proc/nowhere"});
  CHECK(unwritable.status == 1);
  CHECK(unwritable.errors.find("the directory /proc/nowhere cannot be made") != std::string::npos);
}
