#include "TestKernel.h"

#include "lacuna/Autotune/Report.h"

#include <fstream>

using namespace lacuna::autotune;

static CaseResult result() {
  CaseResult result;
  result.key = test::pointRecord("128").key;
  result.shape = *lacuna::autotune::parseShape("M=64 N=64 D=128 T=bf16", test::attentionLike());
  result.knobs = test::attentionLike().knobs;
  result.preset = {{"BM", "128"}, {"BN", "128"}};
  result.points = {test::pointRecord("128"), test::pointRecord("64"),
                   test::pointRecord("256", PointRecord::Status::Dropped)};
  result.points[1].microseconds = 25;
  result.points[2].microseconds = 0;
  result.points[2].kind = "registers";
  result.points[2].reason = "<256> registers & more";
  result.winner = test::winnerRecord("128");
  return result;
}

TEST_CASE("Report: one file with the landscape, the best points, predictions and reasons, and no scripts") {
  std::string html = reportHtml({result()});
  CHECK(html.find("<h2>attention_forward: B=1 G=1 H=1 M=64 N=64 D=128 T=bf16 pattern=dense</h2>") != std::string::npos);
  CHECK(html.find("Best: <b>BM=128 BN=128</b>, 12.5 us") != std::string::npos);
  CHECK(html.find(">1.00</text>") != std::string::npos); // the best cell
  CHECK(html.find(">2.00</text>") != std::string::npos);
  CHECK(html.find("&lt;256&gt; registers &amp; more") != std::string::npos);
  CHECK(html.find("predicted share") != std::string::npos);
  for (const char *never : {"<script", "http://", "https://", "src="})
    CHECK(html.find(never) == std::string::npos);
}

TEST_CASE("Report: a case without measurements says why") {
  CaseResult failed = result();
  failed.failure = "no data";
  CHECK(reportHtml({failed}).find("Nothing could be measured: no data") != std::string::npos);
  CaseResult empty = result();
  empty.points.clear();
  empty.winner.reset();
  empty.notReached = 9;
  CHECK(reportHtml({empty}).find("The budget left 9 points over") != std::string::npos);
}

TEST_CASE("Report: written into a new directory; a place that cannot be is an error") {
  test::ScratchFile scratch;
  auto path = writeReport(scratch.path("a/b"), {result()});
  REQUIRE(path);
  CHECK(std::ifstream(*path).good());
  CHECK(writeReport("/proc/none", {result()}).error().message.find("/proc/none/index.html") != std::string::npos);
}
