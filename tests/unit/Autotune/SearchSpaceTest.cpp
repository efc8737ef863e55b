#include "TestKernel.h"

#include "lacuna/Autotune/SearchSpace.h"

#include <set>

using namespace lacuna;
using namespace lacuna::autotune;

TEST_CASE("SearchSpace: the product of the knobs, every point once, presets") {
  auto space = SearchSpace::create(test::attentionLike().knobs);
  REQUIRE(space);
  CHECK(space->size() == 9);
  std::set<std::string> seen;
  for (int64_t index = 0; index < space->size(); ++index)
    seen.insert(settingsText(space->point(index)));
  CHECK(seen.size() == 9);
  CHECK(settingsText(space->point(0)) == "BM=64 BN=64");
  CHECK(settingsText(space->point(1)) == "BM=64 BN=128");
  CHECK(settingsText(space->preset()) == "BM=128 BN=128");
}

TEST_CASE("SearchSpace: nothing to vary, an empty domain and a space without end are refused") {
  CHECK(SearchSpace::create({}).error().message.find("nothing to vary") != std::string::npos);
  CHECK(SearchSpace::create({{"BM", {}, "", true}}).error().message.find("'BM' has no value") != std::string::npos);
  std::vector<std::string> many(1000, "1");
  auto large = SearchSpace::create({{"a", many, "1", true}, {"b", many, "1", true}});
  CHECK(large.error().message.find("more than 100000 points") != std::string::npos);
  auto overflow = SearchSpace::create(std::vector<Knob>(8, {"a", many, "1", true}));
  CHECK(overflow.error().code == ErrorCode::InvalidArgument);
}

TEST_CASE("Settings: text and back; words of another form and names given twice are refused") {
  auto settings = parseSettings("  BN=128\tBM=64 T=bf16 ");
  REQUIRE(settings);
  CHECK(settingsText(*settings) == "BM=64 BN=128 T=bf16");
  CHECK(parseSettings("")->empty());
  for (const char *wrong : {"BM", "=3", "BM="})
    CHECK(parseSettings(wrong).error().message.find("NAME=VALUE") != std::string::npos);
  CHECK(parseSettings("a=1 a=2").error().message == "'a' is given twice");
}
