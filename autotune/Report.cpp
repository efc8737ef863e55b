#include "lacuna/Autotune/Report.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

namespace lacuna::autotune {

namespace {

using Status = PointRecord::Status;

constexpr const char *kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tuning report</title><style>
body { font: 14px/1.4 sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; } td, th { padding: 2px 10px; text-align: right; }
th { border-bottom: 1px solid #888; } td:first-child, th:first-child { text-align: left; }
svg text { font: 11px sans-serif; } .note { color: #666; } h2 { margin-top: 2em; }
</style></head><body><h1>Tuning report</h1>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += c;
    }
  }
  return result;
}

bool hasTime(const PointRecord &record) {
  return record.status == Status::Measured || record.status == Status::Lost;
}

/// Time as a multiple of the default's.
double ratioOf(const PointRecord &record) {
  return record.presetMicroseconds > 0 ? record.microseconds / record.presetMicroseconds : 1;
}

/// Dark green for the best, over yellow to red at twice its time.
std::string colour(double overBest) {
  double slow = std::clamp(overBest - 1, 0.0, 1.0);
  return fmt::format("hsl({:.0f},70%,{:.0f}%)", 130 * (1 - slow), 45 + 20 * std::sqrt(slow));
}

std::string tooltip(const PointRecord &record) {
  std::string text = settingsText(record.point) + ": " + std::string(statusName(record.status));
  if (hasTime(record))
    text += fmt::format(", {:.1f} us, {:.3f} of the default's time", record.microseconds, ratioOf(record));
  if (record.predicted > 0)
    text += fmt::format(", predicted at most {:.0f} % of the peak", 100 * record.predicted);
  if (!record.reason.empty())
    text += "; " + record.kind + ": " + record.reason;
  return escaped(text);
}

/// The map: columns and rows are the values of the two largest knobs.
class Landscape {
public:
  Landscape(const CaseResult &result, double best) : result(result), best(best) {
    std::vector<const Knob *> knobs;
    for (const Knob &knob : result.knobs)
      knobs.push_back(&knob);
    std::stable_sort(knobs.begin(), knobs.end(),
                     [](const Knob *a, const Knob *b) { return a->values.size() > b->values.size(); });
    across = knobs.front();
    down = knobs.size() > 1 ? knobs[1] : nullptr;
  }

  std::string svg() const {
    size_t rows = down ? down->values.size() : 1;
    double width = kLeft + kCellWidth * static_cast<double>(across->values.size()) + 10;
    double height = kTop + kCellHeight * static_cast<double>(rows) + 10;
    std::string text = fmt::format("<svg role=\"img\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
                                   "{1:.0f}\"><text x=\"{2}\" y=\"14\">{3}</text><text x=\"4\" y=\"30\">{4}</text>\n",
                                   width, height, kLeft, escaped(across->name), down ? escaped(down->name) : "");
    for (size_t x = 0; x < across->values.size(); ++x)
      text += fmt::format("<text x=\"{:.0f}\" y=\"30\" text-anchor=\"middle\">{}</text>\n",
                          kLeft + kCellWidth * (static_cast<double>(x) + 0.5), escaped(across->values[x]));
    for (size_t y = 0; y < rows; ++y) {
      if (down)
        text += fmt::format("<text x=\"4\" y=\"{:.0f}\">{}</text>\n",
                            kTop + kCellHeight * (static_cast<double>(y) + 0.6), escaped(down->values[y]));
      for (size_t x = 0; x < across->values.size(); ++x)
        text += cell(x, y);
    }
    return text + "</svg>\n";
  }

private:
  static constexpr double kLeft = 60, kTop = 38, kCellWidth = 46, kCellHeight = 30;

  /// The best record of a cell: the fastest, else any.
  const PointRecord *at(size_t x, size_t y) const {
    const PointRecord *found = nullptr;
    for (const PointRecord &record : result.points) {
      if (record.point.at(across->name) != across->values[x] ||
          (down && record.point.at(down->name) != down->values[y]))
        continue;
      bool better = !found || (hasTime(record) && (!hasTime(*found) || ratioOf(record) < ratioOf(*found)));
      if (better)
        found = &record;
    }
    return found;
  }

  std::string cell(size_t x, size_t y) const {
    const PointRecord *record = at(x, y);
    double left = kLeft + kCellWidth * static_cast<double>(x), top = kTop + kCellHeight * static_cast<double>(y);
    std::string fill = "#fff", label;
    if (record && hasTime(*record)) {
      double overBest = ratioOf(*record) / best;
      fill = colour(overBest);
      label = fmt::format("{:.2f}", overBest);
    } else if (record) {
      fill = record->status == Status::Failed ? "#c9a0a0" : "#ddd";
    }
    return fmt::format("<g><title>{}</title><rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
                       "fill=\"{}\" stroke=\"#fff\"/><text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>"
                       "</g>\n",
                       record ? tooltip(*record) : "not reached", left, top, kCellWidth, kCellHeight, fill,
                       left + kCellWidth / 2, top + kCellHeight * 0.62, label);
  }

  const CaseResult &result;
  double best;
  const Knob *across, *down;
};

/// Predicted share of the peak against measured speed, relative to the best.
std::string predictionSvg(const CaseResult &result, double best) {
  constexpr double kSize = 260, kEdge = 40;
  std::string dots;
  for (const PointRecord &record : result.points)
    if (hasTime(record) && record.predicted > 0)
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\" stroke=\"#444\"><title>{}</title>"
                          "</circle>\n",
                          kEdge + record.predicted * kSize, 10 + (1 - best / ratioOf(record)) * kSize,
                          colour(ratioOf(record) / best), tooltip(record));
  if (dots.empty())
    return "<p class=\"note\">The cost model predicts nothing for this target.</p>\n";
  return fmt::format("<svg role=\"img\" width=\"{0:.0f}\" height=\"{1:.0f}\"><rect x=\"{2}\" y=\"10\" width=\"{3}\" "
                     "height=\"{3}\" fill=\"none\" stroke=\"#888\"/>\n{4}<text x=\"{2}\" y=\"{5:.0f}\">predicted share "
                     "of the peak, at most: 0 to 1</text><text transform=\"translate(14,{6:.0f}) rotate(-90)\">speed, "
                     "of the best: 0 to 1</text></svg>\n",
                     kSize + kEdge + 20, kSize + 40, kEdge, kSize, dots, kSize + 28, kSize);
}

std::string bestTable(const CaseResult &result) {
  constexpr size_t kRows = 10;
  std::vector<const PointRecord *> timed;
  for (const PointRecord &record : result.points)
    if (hasTime(record))
      timed.push_back(&record);
  std::sort(timed.begin(), timed.end(),
            [](const PointRecord *a, const PointRecord *b) { return ratioOf(*a) < ratioOf(*b); });
  std::string text = "<table><tr><th>point</th><th>us</th><th>spread</th><th>of the default's time</th>"
                     "<th>predicted</th></tr>\n";
  for (size_t index = 0; index < std::min(kRows, timed.size()); ++index) {
    const PointRecord &record = *timed[index];
    text += fmt::format("<tr><td>{}{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.3f}</td><td>{}</td></tr>\n",
                        escaped(settingsText(record.point)), record.point == result.preset ? " (the default)" : "",
                        record.microseconds, record.spread, ratioOf(record),
                        record.predicted > 0 ? fmt::format("{:.0f} %", 100 * record.predicted) : "");
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
  std::string text = "<table><tr><th>left out for</th><th>points</th><th style=\"text-align:left\">for example</th>"
                     "</tr>\n";
  for (const auto &[kind, count] : counts)
    text +=
        fmt::format("<tr><td>{}</td><td>{}</td><td style=\"text-align:left\">{}: {}</td></tr>\n", escaped(kind), count,
                    escaped(settingsText(examples[kind]->point)), escaped(examples[kind]->reason.substr(0, 300)));
  return text + "</table>\n";
}

std::string caseHtml(const CaseResult &result) {
  std::string text = fmt::format("<h2>{}: {}</h2>\n<p class=\"note\">{}; {}</p>\n", escaped(result.key.kernel),
                                 escaped(result.shape.text()), escaped(result.key.machine), escaped(result.key.limits));
  if (!result.failure.empty())
    return text + "<p>Nothing could be measured: " + escaped(result.failure) + "</p>\n";
  if (const auto &winner = result.winner)
    text += fmt::format("<p>Best: <b>{}</b>, {:.1f} us; the default {} takes {:.1f} us.</p>\n",
                        escaped(settingsText(winner->point)), winner->microseconds,
                        escaped(settingsText(result.preset)), winner->presetMicroseconds);
  if (!result.comparison.empty())
    text += fmt::format("<p>Without leaving anything out, {}.</p>\n", escaped(result.comparison));
  if (result.notReached > 0)
    text += fmt::format("<p>The budget left {} points over.</p>\n", result.notReached);
  double best = 0;
  for (const PointRecord &record : result.points)
    if (hasTime(record) && (best == 0 || ratioOf(record) < best))
      best = ratioOf(record);
  text += "<h3>Landscape</h3><p class=\"note\">Time over the best one's; grey: dropped before compiling, red: failed "
          "(point at a cell for the reason).</p>\n" +
          Landscape(result, best > 0 ? best : 1).svg();
  if (best > 0)
    text += "<h3>Best points</h3>\n" + bestTable(result) + "<h3>Predicted and measured</h3>\n" +
            predictionSvg(result, best);
  return text + dropTable(result);
}

} // namespace

std::string reportHtml(const std::vector<CaseResult> &results) {
  std::string text = kHead;
  for (const CaseResult &result : results)
    text += caseHtml(result);
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
