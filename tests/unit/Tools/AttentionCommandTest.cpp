// `lacuna attention`, from its flags to its output and exit status.
#include "Runtime/ScratchDirectory.h"
#include "Tools/HandWrittenBackend.h"

#include "AttentionCommand.h"

#include "lacuna/Runtime/Npy.h"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

using namespace lacuna;
using namespace lacuna::runtime;
using namespace lacuna::tools;

namespace {

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
