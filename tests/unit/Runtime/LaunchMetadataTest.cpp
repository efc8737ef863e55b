#include "lacuna/Runtime/LaunchMetadata.h"

#include <doctest/doctest.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

LaunchMetadata example() {
  LaunchMetadata metadata;
  metadata.kernel = "attention \"forward\"";
  metadata.symbol = "attention_forward";
  metadata.target = "sm_90a";
  metadata.processor = "sm_90a";
  metadata.arguments = {
      {"q", Argument::Kind::View, DType::BF16, {{"B"}, {"H"}, {"M"}, {"", 128}}},
      {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, 128, 64},
      {"o", Argument::Kind::View, DType::F16, {{"B"}, {"H"}, {"M"}, {"", 128}}, true},
      {"scale", Argument::Kind::Scalar, DType::F32},
  };
  metadata.dims = {"B", "H", "M"};
  metadata.grid = {"ceildiv(M, 128)", "H", "B"};
  metadata.constraints = {{"H % 2 == 0", "where H % 2 == 0"}};
  metadata.positiveScalars = {"scale"};
  metadata.threads = 384;
  metadata.sharedBytes = int64_t(227) * 1024;
  metadata.tensorMaps = {{0, 2, 128}, {2, 2, 16, 4}};
  return metadata;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string problem(const std::string &text) {
  Expected<LaunchMetadata> parsed = LaunchMetadata::fromJson(text);
  REQUIRE(!parsed);
  CHECK(parsed.error().code == ErrorCode::ParseError);
  return parsed.error().message;
}

} // namespace

TEST_CASE("metadata survives JSON, and equal metadata gives equal text") {
  LaunchMetadata metadata = example();
  std::string text = metadata.toJson();
  Expected<LaunchMetadata> parsed = LaunchMetadata::fromJson(text);
  REQUIRE(parsed);
  CHECK(*parsed == metadata);
  CHECK(parsed->toJson() == text);
  CHECK(*LaunchMetadata::fromJson(LaunchMetadata().toJson()) == LaunchMetadata());
}

TEST_CASE("JSON that is no metadata is refused by field") {
  std::string text = example().toJson();
  CHECK(problem("{") == "launch metadata of 1 bytes is not JSON");
  CHECK(problem("[]").find("expected an object") != std::string::npos);
  CHECK(problem("{}").find("field 'schema': expected a value, found nothing") != std::string::npos);
  CHECK(problem(replaced(text, "\"schema\": 4", "\"schema\": 5")).find("'schema': expected 4, found 5") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"threads\": 384", "\"threads\": 1e99")).find("'threads': expected an integer") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"threads\": 384", "\"threads\": 3840000000000")).find("integer of 32 bits") !=
        std::string::npos);
  CHECK(problem(replaced(text, "232448", "18446744073709551615")).find("integer of 64 bits") != std::string::npos);
  CHECK(problem(replaced(text, "\"bf16\"", "\"f8\"")).find("'arguments[0].dtype': expected bf16, f16, f32 or i32") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"blocks\"", "\"blobs\"")).find("'arguments[1].kind': expected view") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"output\": false", "\"output\": 0")).find("expected true or false") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"symbol\": \"attention_forward\"", "\"symbol\": null"))
            .find("'symbol': expected a string") != std::string::npos);
  CHECK(problem(replaced(text, "\"row_axis\": 2", "\"row_axis\": []")).find("'tensor_maps[0].row_axis'") !=
        std::string::npos);
  CHECK(problem(replaced(text, "\"shape\": [", "\"shape\": [null,")).find("expected names and integers") !=
        std::string::npos);
}

TEST_CASE("no cut or changed byte of the JSON makes the parser throw") {
  std::string text = example().toJson();
  for (size_t at = 0; at < text.size(); ++at) {
    (void)LaunchMetadata::fromJson(text.substr(0, at));
    std::string changed = text;
    for (char each : {'\0', '"', '{', ']', '9', '\xff'}) {
      changed[at] = each;
      (void)LaunchMetadata::fromJson(changed);
    }
  }
}
