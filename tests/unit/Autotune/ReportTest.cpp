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

static size_t countOf(const std::string &text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST_CASE("Report: one file with the landscape, the best points, predictions and reasons, and no scripts") {
  std::string html = reportHtml({result()});
  CHECK(html.find(">attention_forward</h2>") != std::string::npos);
  CHECK(html.find("B=1 G=1 H=1 M=64 N=64 D=128 T=bf16 pattern=dense<br>NVIDIA H200") != std::string::npos);
  CHECK(html.find("Best: <b>BM=128 BN=128</b>, 12.5 us, the default") != std::string::npos);
  CHECK(html.find(">1.00</text>") != std::string::npos); // the best cell
  CHECK(html.find(">2.00</text>") != std::string::npos);
  CHECK(html.find("&lt;256&gt; registers &amp; more") != std::string::npos);
  for (const char *never : {"<script", "http://", "https://", "src="})
    CHECK(html.find(never) == std::string::npos);
}

TEST_CASE("Report: the landscape has a cell for each point, with its winner, its default and what was not reached") {
  CaseResult three = result();
  three.knobs.push_back({"stages", {"2", "3"}, "2", true});
  for (PointRecord &record : three.points)
    record.point["stages"] = "2";
  three.preset["stages"] = "2";
  three.winner->point = three.points[1].point;
  three.winner->microseconds = 11;
  std::string html = reportHtml({three});
  // BM, of the first two knobs with most values, across; BN and stages down.
  for (const char *row : {"BN=64 stages=2", "BN=64 stages=3", "BN=128 stages=2", "BN=256 stages=3"})
    CHECK(html.find(fmt::format(">{}</text>", row)) != std::string::npos);
  CHECK(countOf(html, ": not reached</title>") == 3 * 6 - 3);
  CHECK(html.find("BM=64 BN=64 stages=3: not reached") != std::string::npos);
  CHECK(countOf(html, "stroke-width=\"2\"") == 2); // the winner, and in the legend
  CHECK(countOf(html, "stroke-dasharray") == 2);
  CHECK(html.find("11.0 us; the default BM=128 BN=128 stages=2 takes 14.0 us, 27.3 % more") != std::string::npos);
}

TEST_CASE("Report: the winner is the first of the best points, whatever one with fewer rounds seemed to take") {
  CaseResult hasty = result();
  hasty.points[1].microseconds = 9;
  hasty.points[1].status = PointRecord::Status::Lost;
  hasty.points[1].spread = 0;
  hasty.points[1].reason = "did not hold";
  std::string html = reportHtml({hasty});
  CHECK(html.find("<tr class=\"winner\"><td class=\"point\">BM=128 BN=128</td><td>12.5</td><td>0.2</td>") !=
        std::string::npos);
  CHECK(html.find(
            "the winner, and the default</td></tr>\n<tr><td class=\"point\">BM=128 BN=64</td><td>9.0</td><td></td>") !=
        std::string::npos);
  CHECK(html.find("did not hold</td>") != std::string::npos);
}

TEST_CASE("Report: predictions are drawn where they differ, else a sentence says what there is") {
  CaseResult one = result();
  CHECK(reportHtml({one}).find("lets every point that was timed reach 90 % of the peak") != std::string::npos);
  one.points[1].predicted = 0.62;
  std::string html = reportHtml({one});
  CHECK(countOf(html, "<circle") == 2);
  CHECK(html.find("predicted share of the peak, at most") != std::string::npos);
  for (PointRecord &record : one.points)
    record.predicted = 0;
  html = reportHtml({one});
  CHECK(html.find("The cost model predicts nothing for this target") != std::string::npos);
  CHECK(html.find("predicted, at most</th>") == std::string::npos); // nor an empty column
}

TEST_CASE("Report: several cases have a table of winners, each with a link to its case") {
  CaseResult second = result();
  second.winner->microseconds = 10;
  std::string html = reportHtml({result(), second});
  CHECK(html.find("<a href=\"#case1\">attention_forward</a>") != std::string::npos);
  CHECK(html.find("<h2 id=\"case1\">") != std::string::npos);
  CHECK(html.find("<td>10.0</td><td>14.0</td><td>40.0 %</td>") != std::string::npos);
  CHECK(reportHtml({result()}).find("href") == std::string::npos);
}

TEST_CASE("Report: a case without measurements says why") {
  CaseResult failed = result();
  failed.failure = "no data";
  CHECK(reportHtml({failed}).find("Nothing could be measured: no data") != std::string::npos);
  CaseResult empty = result();
  empty.points.clear();
  empty.winner.reset();
  empty.notReached = 9;
  CHECK(reportHtml({empty}).find("The budget ended before 9 points were reached; --resume") != std::string::npos);
}

TEST_CASE("Report: written into a new directory; a place that cannot be is an error") {
  test::ScratchFile scratch;
  auto path = writeReport(scratch.path("a/b"), {result()});
  REQUIRE(path);
  CHECK(std::ifstream(*path).good());
  CHECK(writeReport("/proc/none", {result()}).error().message.find("/proc/none/index.html") != std::string::npos);
}
