// The text of a list of kernels.
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Jit/Warm.h"

#include <algorithm>
#include <set>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

std::vector<WarmRequest> parse(std::string_view text) {
  auto list = parseWarmList("kernels.list", text);
  REQUIRE_MESSAGE(list, list.error().render());
  return *list;
}

std::string mistakesOf(std::string_view text) {
  auto list = parseWarmList("kernels.list", text);
  REQUIRE(!list);
  CHECK(list.error().code == ErrorCode::InvalidArgument);
  return list.error().message;
}

} // namespace

TEST_CASE("a line of words, one of JSON, remarks, quotes and several values") {
  ScratchDirectory scratch;
  writeFileAt(scratch / "mine.tile", "kernel");
  writeFileAt(scratch / "list", "# of a server\n"
                                "\n"
                                "  attention_forward D=64,128 T=bf16,f16 hook.keep=causal hook.rows=causal # decode\n"
                                "mine.tile kernel=scores 'hook.score=s * 2 # not a remark' target=cpu scalars=any\r\n"
                                "matmul param.kernel=3 BM=\"64\"\n"
                                "{\"file\": \"mine.tile\", \"kernel\": \"k\", \"params\": {\"BM\": 64, \"T\": \"f16\"},"
                                " \"hooks\": {\"h\": \"a, b\"}, \"target\": \"sm_90a\", \"scalars\": \"any\"}");
  auto list = readWarmList(scratch / "list");
  REQUIRE_MESSAGE(list, list.error().render());
  REQUIRE(list->size() == 7);
  std::set<std::string> pairs;
  for (int index = 0; index < 4; ++index) {
    const WarmRequest &request = (*list)[static_cast<size_t>(index)];
    CHECK(request.spec.library == "attention_forward");
    CHECK(request.spec.hooks.at("keep") == "causal");
    CHECK(request.place == (scratch / "list") + ":3");
    CHECK(!request.target);
    pairs.insert(request.spec.params.at("D") + request.spec.params.at("T"));
  }
  CHECK(pairs == std::set<std::string>{"64bf16", "64f16", "128bf16", "128f16"});
  const WarmRequest &words = (*list)[4], &named = (*list)[5], &object = (*list)[6];
  CHECK(words.spec.file == scratch / "mine.tile");
  CHECK(words.spec.kernel == "scores");
  CHECK(words.spec.hooks.at("score") == "s * 2 # not a remark");
  CHECK(words.target == Target::Cpu);
  CHECK(words.anyScalars);
  CHECK(named.spec.params == std::map<std::string, std::string>{{"kernel", "3"}, {"BM", "64"}});
  CHECK(object.spec.file == scratch / "mine.tile");
  CHECK(object.spec.params == std::map<std::string, std::string>{{"BM", "64"}, {"T", "f16"}});
  CHECK(object.spec.hooks.at("h") == "a, b");
  CHECK(object.target == Target::Sm90a);
  CHECK(object.anyScalars);
  CHECK(object.place == (scratch / "list") + ":6");
  CHECK(parse("").empty());
}

TEST_CASE("every mistake is told with its line, and a list that is not there by its name") {
  CHECK(
      mistakesOf("none\nmatmul\nmatmul BM\n") ==
      "kernels.list:1: error: the library has no kernel text 'none'; it has attention_forward, attention_packed, "
      "attention_split, block_sparse_matmul, matmul, pooled_scores, sigmoid_attention, two_product_attention. A file's "
      "name ends in .tile\n"
      "kernels.list:3: error: 'BM' is no NAME=VALUE; behind the kernel come params (D=128), hooks "
      "(hook.keep=causal), kernel=, target= and scalars=");
  CHECK(mistakesOf("gone.tile").find("there is no file 'gone.tile'") != std::string::npos);
  CHECK(mistakesOf(std::string(300, 'a') + ".tile").find("there is no file 'aaa") != std::string::npos);
  CHECK(mistakesOf("matmul BM=64 BM=128").find("'BM' is given twice; give it once") != std::string::npos);
  CHECK(mistakesOf("matmul kernel=a kernel=b").find("'kernel' is given twice") != std::string::npos);
  CHECK(mistakesOf("matmul target=cpu target=cpu").find("'target' is given twice") != std::string::npos);
  CHECK(mistakesOf("matmul hook.a=1 hook.a=2").find("'hook.a' is given twice") != std::string::npos);
  CHECK(mistakesOf("matmul target=sm_70").find("target=sm_70: give sm_90a, sm_80 or cpu") != std::string::npos);
  CHECK(mistakesOf("matmul scalars=all").find("scalars=all: give any, or positive") != std::string::npos);
  CHECK(mistakesOf("matmul 'BM=1").find("the quote ' does not end") != std::string::npos);
  CHECK(mistakesOf("{\"library\": }").find("this is no JSON object: ") != std::string::npos);
  CHECK(mistakesOf("{\"kernel\": \"x\"}").find("the object names no text") != std::string::npos);
  CHECK(mistakesOf(R"({"library": "matmul", "file": "x.tile"})").find("names two texts") != std::string::npos);
  CHECK(mistakesOf(R"({"library": "matmul", "hook": "x"})").find("\"hook\" is no key of a request") !=
        std::string::npos);
  CHECK(mistakesOf(R"({"library": "matmul", "kernel": 3})").find("\"kernel\" is no string") != std::string::npos);
  CHECK(mistakesOf(R"({"library": "matmul", "params": 3})").find("\"params\" is no object") != std::string::npos);
  CHECK(mistakesOf(R"({"library": "matmul", "params": {"BM": 1.5}})").find("\"BM\" in \"params\"") !=
        std::string::npos);
  CHECK(readWarmList("/nowhere/list").error().code == ErrorCode::NotFound);
}

TEST_CASE("requests that the front end refuses are told with their lines") {
  Jit jit = Jit::ahead();
  CHECK(checkWarmRequests(jit, parse("matmul BM=64\nmatmul target=cpu BM=3")));
  auto one = checkWarmRequests(jit, parse("matmul\nmatmul BM=3"));
  REQUIRE(!one);
  CHECK(one.error().message.find("kernels.list:2: ") == 0);
  auto two = checkWarmRequests(jit, parse("matmul Q=3\nmatmul\nmatmul hook.x=1"));
  REQUIRE(!two);
  CHECK(two.error().message.find("kernels.list:1: ") == 0);
  CHECK(two.error().message.find("\nkernels.list:3: ") != std::string::npos);
}

TEST_CASE("the library: every kernel of it, for each head dimension and type that it takes") {
  const std::vector<WarmRequest> requests =
      libraryRequests(std::vector<int64_t>{64, 128}, std::vector<std::string>{"f16"});
  auto count = [&](auto holds) { return std::count_if(requests.begin(), requests.end(), holds); };
  CHECK(count([](const WarmRequest &request) { return request.spec.library == "attention_forward"; }) == 2);
  CHECK(count([](const WarmRequest &request) { return request.spec.kernel == "attention_merge"; }) == 2);
  CHECK(count([](const WarmRequest &request) { return request.spec.library == "matmul"; }) == 1);
  CHECK(std::all_of(requests.begin(), requests.end(),
                    [](const WarmRequest &request) { return request.spec.params.at("T") == "f16"; }));
  CHECK(checkWarmRequests(Jit::ahead(), requests));
}
