#include "lacuna/Autotune/Report.h"

#include "ReportCharts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace lacuna::autotune {

namespace {

constexpr const char *kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tuning report</title><style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
td, th { padding: 3px 10px; text-align: right; vertical-align: top; } tr + tr td { border-top: 1px solid #eee; }
th { border-bottom: 1px solid #888; } td:first-child, th:first-child, .words { text-align: left; }
.point, th { white-space: nowrap; } .note, .shape { color: #666; } .wide { overflow-x: auto; }
svg text { font: 11px system-ui, sans-serif; }
h2 { margin: 2.5em 0 0; border-top: 1px solid #ccc; padding-top: 0.6em; } h3 { margin-bottom: 0.3em; }
.shape { margin-top: 0; } .winner { font-weight: bold; }
</style></head><body><h1>Tuning report</h1>
)";

/// What is to be said of a point beside its figures.
std::string remarkOf(const CaseResult &result, const PointRecord &record) {
  std::string remark = isWinner(result, record) ? "the winner" : "";
  if (record.point == result.preset)
    remark += remark.empty() ? "the default" : ", and the default";
  return remark.empty() ? record.reason : remark;
}

std::string bestTable(const CaseResult &result) {
  constexpr size_t kRows = 10;
  std::vector<const PointRecord *> timed;
  for (const PointRecord &record : result.points)
    if (hasTime(record))
      timed.push_back(&record);
  // The winner is that of the last rounds, whatever one with fewer rounds seemed to take.
  auto order = [&](const PointRecord *record) { return std::pair(!isWinner(result, *record), ratioOf(*record)); };
  std::sort(timed.begin(), timed.end(),
            [&](const PointRecord *a, const PointRecord *b) { return order(a) < order(b); });
  const bool predicted =
      std::any_of(timed.begin(), timed.end(), [](const auto *record) { return record->predicted > 0; });
  std::string text =
      fmt::format("<table><tr><th>point</th><th>us</th><th>&plusmn; us</th><th>of the default's time</th>"
                  "{}<th class=\"words\">remarks</th></tr>\n",
                  predicted ? "<th>predicted, at most</th>" : "");
  for (size_t index = 0; index < std::min(kRows, timed.size()); ++index) {
    const PointRecord &record = *timed[index];
    text += fmt::format("<tr{}><td class=\"point\">{}</td><td>{:.1f}</td><td>{}</td><td>{:.3f}</td>",
                        isWinner(result, record) ? " class=\"winner\"" : "", escaped(settingsText(record.point)),
                        record.microseconds, record.spread > 0 ? fmt::format("{:.1f}", record.spread) : "",
                        ratioOf(record));
    if (predicted)
      text += record.predicted > 0 ? fmt::format("<td>{:.0f} %</td>", 100 * record.predicted) : "<td></td>";
    text += fmt::format("<td class=\"words\">{}</td></tr>\n", escaped(remarkOf(result, record)));
  }
  return text + "</table>\n";
}

std::string dropTable(const CaseResult &result) {
  std::map<std::string, int> counts;
  std::map<std::string, const PointRecord *> examples;
  for (const PointRecord &record : result.points)
    if (!record.kind.empty()) {
      ++counts[record.kind];
      examples.try_emplace(record.kind, &record);
    }
  if (counts.empty())
    return "";
  std::string text = "<h3>What was left out, and why</h3>\n<table><tr><th>for</th><th>points</th><th "
                     "class=\"words\">for example</th></tr>\n";
  for (const auto &[kind, count] : counts)
    text += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"words\">{}: {}</td></tr>\n", escaped(kind), count,
                        escaped(settingsText(examples[kind]->point)), escaped(examples[kind]->reason.substr(0, 300)));
  return text + "</table>\n";
}

std::string gainOf(const WinnerRecord &winner) {
  if (winner.microseconds <= 0 || winner.presetMicroseconds <= 0)
    return "";
  return fmt::format("{:.1f} %", 100 * (winner.presetMicroseconds / winner.microseconds - 1));
}

std::string caseHtml(const CaseResult &result, size_t number) {
  std::string text = fmt::format("<h2 id=\"case{}\">{}</h2>\n<p class=\"shape\">{}<br>{}; {}</p>\n", number,
                                 escaped(result.key.kernel), escaped(result.shape.text()), escaped(result.key.machine),
                                 escaped(result.key.limits));
  if (!result.failure.empty())
    return text + "<p>Nothing could be measured: " + escaped(result.failure) + "</p>\n";
  if (const auto &winner = result.winner)
    text += winner->point == result.preset
                ? fmt::format("<p>Best: <b>{}</b>, {:.1f} us, the default.</p>\n", escaped(settingsText(winner->point)),
                              winner->microseconds)
                : fmt::format("<p>Best: <b>{}</b>, {:.1f} us; the default {} takes {:.1f} us, {} more.</p>\n",
                              escaped(settingsText(winner->point)), winner->microseconds,
                              escaped(settingsText(result.preset)), winner->presetMicroseconds, gainOf(*winner));
  if (!result.comparison.empty())
    text += fmt::format("<p>Without leaving anything out, {}.</p>\n", escaped(result.comparison));
  if (result.notReached > 0)
    text += fmt::format("<p>The budget ended before {} points were reached; --resume goes on with them.</p>\n",
                        result.notReached);
  const double best = bestRatio(result);
  text +=
      "<h3>Landscape</h3><p class=\"note\">Time of each point over the best one's; below 1 are points that had fewer "
      "rounds. Point at a cell for its figures, or for the reason why it was not timed.</p>\n" +
      landscapeSvg(result, best);
  if (best > 0)
    text += "<h3>Best points</h3>\n" + bestTable(result) + "<h3>Predicted and measured</h3>\n" +
            predictionSvg(result, best);
  return text + dropTable(result);
}

/// One line a case.
std::string summaryTable(const std::vector<CaseResult> &results) {
  std::string text =
      "<table><tr><th>kernel and shape</th><th class=\"words\">best point</th><th>us</th><th>the default, "
      "us</th><th>gained</th></tr>\n";
  for (size_t index = 0; index < results.size(); ++index) {
    const CaseResult &result = results[index];
    text += fmt::format("<tr><td><a href=\"#case{}\">{}</a> {}</td>", index, escaped(result.key.kernel),
                        escaped(result.shape.text()));
    if (const auto &winner = result.winner)
      text += fmt::format("<td class=\"words\">{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{}</td></tr>\n",
                          escaped(settingsText(winner->point)), winner->microseconds, winner->presetMicroseconds,
                          gainOf(*winner));
    else
      text += "<td class=\"words\">none</td><td></td><td></td><td></td></tr>\n";
  }
  return text + "</table>\n";
}

} // namespace

std::string reportHtml(const std::vector<CaseResult> &results) {
  std::string text = kHead;
  if (results.size() > 1)
    text += summaryTable(results);
  for (size_t index = 0; index < results.size(); ++index)
    text += caseHtml(results[index], index);
  return text + "</body></html>\n";
}

Expected<std::string> writeReport(const std::string &directory, const std::vector<CaseResult> &results) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  std::string path = directory + "/index.html", text = reportHtml(results);
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (failed || !file)
    return makeError(ErrorCode::Unavailable,
                     "cannot write the report {}: {}; give --report a directory that can be "
                     "written",
                     path, failed ? failed.message() : std::strerror(errno));
  return path;
}

} // namespace lacuna::autotune
