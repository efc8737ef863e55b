#include "SchedulePoints.h"

#include "ScheduleCases.h"
#include "lacuna/Jit/Tuning.h"

#include <doctest/doctest.h>

#include <set>

using namespace lacuna;
using namespace lacuna::numeric;

static const ScheduleSpace &space() {
  static const ScheduleSpace made = ScheduleSpace::create("kernels_dsl").value();
  return made;
}

/// The number of a point by its text.
static int64_t find(const std::string &text) {
  for (int64_t index = 0; index < space().size(); ++index)
    if (space().textOf(index) == text)
      return index;
  FAIL("there is no point " << text);
  return -1;
}

TEST_CASE("ScheduleChoice: all, a sample, a part") {
  CHECK(ScheduleChoice::parse("all")->sample == 0);
  CHECK(ScheduleChoice::parse("defaults")->defaults);
  CHECK(ScheduleChoice::parse("40")->sample == 40);
  const ScheduleChoice part = ScheduleChoice::parse("2/10").value();
  CHECK(part.part == 2);
  CHECK(part.parts == 10);
  for (const char *wrong : {"", "some", "0", "-1", "0/3", "4/3", "1/", "/2", "1/0"}) {
    CAPTURE(wrong);
    auto parsed = ScheduleChoice::parse(wrong);
    REQUIRE(!parsed);
    CHECK(parsed.error().message.find("names no schedules; give all, defaults") != std::string::npos);
  }
}

TEST_CASE("ScheduleSpace: every kernel that has a `tune` entry, every point once") {
  std::set<std::string> kernels, texts;
  for (const ScheduleVariant &variant : space().variants())
    kernels.insert(variant.kernel);
  CHECK(kernels == std::set<std::string>{"attention_forward", "attention_packed", "attention_parts",
                                         "block_sparse_matmul", "matmul", "sigmoid_attention",
                                         "two_product_attention"});
  for (int64_t index = 0; index < space().size(); ++index)
    CHECK(texts.insert(space().textOf(index)).second);
}

TEST_CASE("ScheduleSpace: each variant has its defaults among its points, and the tuner compiles them") {
  Compiler compiler;
  std::map<std::string, int> defaults;
  for (int64_t index = 0; index < space().size(); ++index) {
    if (!space().isDefault(index))
      continue;
    ++defaults[space().variantOf(index).text()];
    CAPTURE(space().textOf(index));
    auto drop = space().judge(compiler, index);
    CHECK_MESSAGE(!drop, drop->reason);
  }
  CHECK(defaults.size() == space().variants().size());
  CHECK(defaults.at("attention_forward D=128 T=bf16") == 2); // the kernel's own, and the widest for dense lists
}

TEST_CASE("ScheduleSpace: points are dropped for what the tuner drops them for") {
  Compiler compiler;
  const auto kindOf = [&](const std::string &text) {
    auto drop = space().judge(compiler, find(text));
    return drop ? drop->kind : "";
  };
  CHECK(kindOf("attention_parts D=128 T=bf16 BM=128 BN=128 stages=2") == "");
  CHECK(kindOf("attention_parts D=256 T=bf16 BM=128 BN=96 stages=4") == "shared memory");
  CHECK(kindOf("attention_parts D=256 KB=128 QB=128 T=bf16 mask=causal BM=192 BN=64 stages=2") == "constraint");
  CHECK(kindOf("two_product_attention D=64 R=64 T=bf16 BM=64 BN=256 stages=2") == "registers");
  CHECK(kindOf("attention_forward D=64 T=f16 BM=64 BN=16 apart=1 stages=2") == "cost model");
}

TEST_CASE("Schedule cases are compiled for what their point says") {
  const int64_t index = find("attention_forward D=64 SINK=3 T=bf16 WINDOW=100 mask=library-window rows=sliding_window "
                             "BM=192 BN=96 apart=1 stages=3");
  const AttentionSpec spec = attentionSpecOf(space(), index);
  CHECK(spec.tile == runtime::AttentionTile{192, 96});
  CHECK(spec.queryBlock == 192);
  CHECK(spec.rows == "sliding_window");
  CHECK(hooksOf(spec) == space().kernel(index).hooks);
  for (const auto &[name, value] : space().kernel(index).params) {
    CAPTURE(name);
    CHECK(paramsOf(spec).at(name) == value);
  }
}

TEST_CASE("The tuner rejects what spills or is advised against, and nothing else") {
  CHECK(!rejectionOf(std::nullopt));
  AssemblerReport report;
  report.registers = 168;
  CHECK(!rejectionOf(report));
  report.spillStoreBytes = 12;
  CHECK(rejectionOf(report).value() == "registers do not suffice: 12 bytes of spill stores, 0 of loads");
  report.spillStoreBytes = 0;
  report.advisories = {"Potential Performance Loss: wgmma.mma_async instructions are serialized"};
  CHECK(rejectionOf(report).value().find("the assembler advises: Potential") == 0);
}
