#include "ReportCharts.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace lacuna::autotune {

using Status = PointRecord::Status;

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

double ratioOf(const PointRecord &record) {
  return record.presetMicroseconds > 0 ? record.microseconds / record.presetMicroseconds : 1;
}

double bestRatio(const CaseResult &result) {
  if (result.winner && result.winner->microseconds > 0 && result.winner->presetMicroseconds > 0)
    return result.winner->microseconds / result.winner->presetMicroseconds;
  double best = 0;
  for (const PointRecord &record : result.points)
    if (hasTime(record) && (best == 0 || ratioOf(record) < best))
      best = ratioOf(record);
  return best;
}

bool isWinner(const CaseResult &result, const PointRecord &record) {
  return result.winner && result.winner->point == record.point;
}

namespace {

/// Green for the best, over yellow to red at twice its time.
std::string colour(double overBest) {
  const double slow = std::clamp(overBest - 1, 0.0, 1.0);
  return fmt::format("hsl({:.0f},65%,{:.0f}%)", 130 * (1 - slow), 55 + 15 * std::sqrt(slow));
}
constexpr const char *kDropped = "#ddd", *kFailed = "#bca6d4", *kNotReached = "#f6f6f6";

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

std::string textAt(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Landscape
//===--------------------------------------------------------------------------------------------------------------===//

class Landscape {
public:
  Landscape(const CaseResult &result, double best) : result(result), best(best) {
    across = &*std::max_element(result.knobs.begin(), result.knobs.end(),
                                [](const Knob &a, const Knob &b) { return a.values.size() < b.values.size(); });
    rows = {{}};
    std::map<std::string, const Knob *> others; // by name, as settingsText has them
    for (const Knob &knob : result.knobs)
      if (&knob != across)
        others.emplace(knob.name, &knob);
    for (const auto &[name, knob] : others) {
      std::vector<Point> longer;
      for (const Point &row : rows)
        for (const std::string &value : knob->values) {
          longer.push_back(row);
          longer.back().emplace(name, value);
        }
      rows = std::move(longer);
    }
    for (const PointRecord &record : result.points)
      records.emplace(record.point, &record);
    for (const Point &row : rows)
      left = std::max(left, 16 + kLetter * static_cast<double>(settingsText(row).size()));
  }

  std::string svg() const {
    const double cells = left + kCellWidth * static_cast<double>(across->values.size()) + 4;
    const double width = std::max(cells, kLegendWidth);
    const double height = kTop + kCellHeight * static_cast<double>(rows.size()) + kLegend;
    std::string text = fmt::format("<div class=\"wide\"><svg role=\"img\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
                                   "viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
                                   width, height);
    text += textAt(left - 8, kTop - 8, "end", across->name);
    for (size_t x = 0; x < across->values.size(); ++x)
      text += textAt(left + kCellWidth * (static_cast<double>(x) + 0.5), kTop - 8, "middle", across->values[x]);
    std::string marks; // over all cells
    for (size_t y = 0; y < rows.size(); ++y) {
      text += textAt(left - 8, topOf(y) + kCellHeight * 0.68, "end", settingsText(rows[y]));
      for (size_t x = 0; x < across->values.size(); ++x)
        text += cell(x, y, marks);
    }
    return text + marks + legend(height - kLegend + 24) + "</svg></div>\n";
  }

private:
  static constexpr double kTop = 24, kCellWidth = 46, kCellHeight = 22, kLetter = 6.7, kLegend = 40, kLegendWidth = 840;

  double topOf(size_t y) const { return kTop + kCellHeight * static_cast<double>(y); }

  static std::string box(double x, double y, double width, double height, std::string_view fill,
                         std::string_view style = "stroke=\"#fff\"") {
    return fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" fill=\"{}\" {}/>", x, y,
                       width, height, fill, style);
  }
  static constexpr const char *kWinner = "stroke=\"#000\" stroke-width=\"2\"";
  static constexpr const char *kPreset = "stroke=\"#000\" stroke-width=\"1.5\" stroke-dasharray=\"3 2\"";

  std::string cell(size_t x, size_t y, std::string &marks) const {
    Point point = rows[y];
    point[across->name] = across->values[x];
    auto found = records.find(point);
    const PointRecord *record = found == records.end() ? nullptr : found->second;
    const double at = left + kCellWidth * static_cast<double>(x), top = topOf(y);
    std::string fill = kNotReached, label;
    if (record && hasTime(*record)) {
      const double overBest = ratioOf(*record) / best;
      fill = colour(overBest);
      label = textAt(at + kCellWidth / 2, top + kCellHeight * 0.68, "middle",
                     overBest < 9.995 ? fmt::format("{:.2f}", overBest) : fmt::format("{:.0f}", overBest));
    } else if (record) {
      fill = record->status == Status::Failed ? kFailed : kDropped;
    }
    if (result.winner && result.winner->point == point)
      marks += box(at + 1, top + 1, kCellWidth - 2, kCellHeight - 2, "none", kWinner) + "\n";
    else if (result.preset == point)
      marks += box(at + 1, top + 1, kCellWidth - 2, kCellHeight - 2, "none", kPreset) + "\n";
    return fmt::format("<g><title>{}</title>{}{}</g>\n",
                       record ? tooltip(*record) : escaped(settingsText(point)) + ": not reached",
                       box(at, top, kCellWidth, kCellHeight, fill), label);
  }

  static std::string legend(double top) {
    std::string text;
    double x = 4;
    auto entry = [&](std::string_view fill, std::string_view style, std::string_view words) {
      text += box(x, top - 11, 16, 14, fill, style) + textAt(x + 22, top, "start", words);
      x += 40 + kLetter * static_cast<double>(words.size());
    };
    entry(colour(1), "", "1.00, the best");
    entry(colour(1.5), "", "1.50 of its time");
    entry(colour(2), "", "2 and more");
    entry(kDropped, "", "dropped");
    entry(kFailed, "", "failed");
    entry(kNotReached, "stroke=\"#ddd\"", "not reached");
    entry("none", kWinner, "winner");
    entry("none", kPreset, "default");
    return text;
  }

  const CaseResult &result;
  double best, left = 60;
  const Knob *across;
  std::vector<Point> rows;
  std::map<Point, const PointRecord *> records;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Prediction
//===--------------------------------------------------------------------------------------------------------------===//

/// A square with ticks at tenths, from below the least value to 1.
struct Axes {
  static constexpr double kSize = 300, kLeft = 60, kTop = 10;
  double leastX, leastY;

  static double below(double value) { return std::min(std::floor(value * 10 - 0.25) / 10, 0.8); }
  double x(double value) const { return kLeft + (value - leastX) / (1 - leastX) * kSize; }
  double y(double value) const { return kTop + (1 - value) / (1 - leastY) * kSize; }

  std::string svg() const {
    std::string text;
    auto line = [&](double x1, double y1, double x2, double y2) {
      text += fmt::format("<line x1=\"{:.0f}\" y1=\"{:.0f}\" x2=\"{:.0f}\" y2=\"{:.0f}\" stroke=\"#ddd\"/>\n", x1, y1,
                          x2, y2);
    };
    const double bottom = kTop + kSize;
    auto ticks = [](double least, auto draw) {
      const int first = static_cast<int>(std::lround(least * 10)), step = first < 5 ? 2 : 1;
      for (int tenth = 10; tenth >= first; tenth -= step)
        draw(tenth / 10.0);
    };
    ticks(leastX, [&](double value) {
      line(x(value), kTop, x(value), bottom);
      text += textAt(x(value), bottom + 16, "middle", fmt::format("{:.0f} %", 100 * value));
    });
    ticks(leastY, [&](double value) {
      line(kLeft, y(value), kLeft + kSize, y(value));
      text += textAt(kLeft - 6, y(value) + 4, "end", fmt::format("{:.0f} %", 100 * value));
    });
    text += textAt(kLeft + kSize / 2, bottom + 36, "middle", "predicted share of the peak, at most");
    return text +
           fmt::format("<text transform=\"translate(14,{:.0f}) rotate(-90)\" text-anchor=\"middle\">speed, of the "
                       "best</text>\n",
                       kTop + kSize / 2);
  }
};

} // namespace

std::string landscapeSvg(const CaseResult &result, double best) {
  return Landscape(result, best > 0 ? best : 1).svg();
}

std::string predictionSvg(const CaseResult &result, double best) {
  double least = 1, most = 0, slowest = 1;
  for (const PointRecord &record : result.points)
    if (hasTime(record) && record.predicted > 0) {
      least = std::min(least, record.predicted);
      most = std::max(most, record.predicted);
      slowest = std::min(slowest, best / ratioOf(record));
    }
  if (most == 0)
    return "<p class=\"note\">The cost model predicts nothing for this target.</p>\n";
  if (most - least < 0.005)
    return fmt::format(
        "<p class=\"note\">The cost model lets every point that was timed reach {:.0f} % of the peak: it "
        "does not tell them apart.</p>\n",
        100 * most);
  const Axes axes{Axes::below(least), Axes::below(slowest)};
  std::string dots;
  for (const PointRecord &record : result.points)
    if (hasTime(record) && record.predicted > 0) {
      const double speed = std::min(best / ratioOf(record), 1.0);
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" stroke=\"#444\"><title>{}</title>"
                          "</circle>\n",
                          axes.x(record.predicted), axes.y(speed), isWinner(result, record) ? 7 : 4,
                          colour(ratioOf(record) / best), tooltip(record));
    }
  return fmt::format("<div class=\"wide\"><svg role=\"img\" width=\"{0:.0f}\" height=\"{1:.0f}\">{2}{3}</svg></div>\n",
                     Axes::kSize + Axes::kLeft + 30, Axes::kSize + 60, axes.svg(), dots);
}

} // namespace lacuna::autotune
