#include "lacuna/Autotune/Progress.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace lacuna::autotune {

using Json = nlohmann::ordered_json;

/// `value` with so many parts of one.
static double rounded(double value, double parts) {
  return std::round(value * parts) / parts;
}

double secondsLeft(double fraction, double elapsed, double budgetLeft) {
  double estimate = fraction > 0 ? elapsed * (1 - fraction) / fraction : budgetLeft;
  return std::max(0.0, std::min(estimate, budgetLeft));
}

std::string progressLine(const ProgressState &state, int columns) {
  constexpr int kBar = 24;
  int filled = static_cast<int>(std::clamp(state.fraction, 0.0, 1.0) * kBar);
  std::string line = fmt::format("[{}{}] {:3.0f} %  {} {}/{}  about {:.0f} s left  {}", std::string(filled, '#'),
                                 std::string(kBar - filled, '.'), 100 * state.fraction, state.phase, state.done,
                                 state.total, state.secondsLeft, state.caseText);
  if (static_cast<int>(line.size()) > columns)
    line.resize(static_cast<size_t>(std::max(columns, 0)));
  return line;
}

//===--------------------------------------------------------------------------------------------------------------===//
// JSON lines
//===--------------------------------------------------------------------------------------------------------------===//

static std::string dump(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonProgress::line(const std::string &text) {
  std::string whole = text + "\n";
  std::fwrite(whole.data(), 1, whole.size(), out);
  std::fflush(out);
}

void JsonProgress::start(int64_t cases, double budgetSeconds) {
  line(dump({{"event", "start"}, {"cases", cases}, {"budget", budgetSeconds}}));
}

void JsonProgress::update(const ProgressState &state) {
  line(dump({{"event", "progress"},
             {"case", state.caseText},
             {"phase", state.phase},
             {"done", state.done},
             {"total", state.total},
             {"fraction", rounded(state.fraction, 1000)},
             {"seconds_left", rounded(state.secondsLeft, 10)}}));
}

void JsonProgress::point(const PointRecord &record) {
  Json json = {{"event", "point"},
               {"case", record.key.kernel + " " + record.shape},
               {"point", settingsText(record.point)},
               {"status", statusName(record.status)}};
  if (!record.kind.empty())
    json["kind"] = record.kind;
  if (!record.reason.empty())
    json["reason"] = record.reason;
  if (record.microseconds > 0) {
    json["us"] = rounded(record.microseconds, 100);
    json["preset_us"] = rounded(record.presetMicroseconds, 100);
  }
  line(dump(json));
}

void JsonProgress::winner(const WinnerRecord &record) {
  line(dump({{"event", "winner"},
             {"case", record.key.kernel + " " + record.shape},
             {"point", settingsText(record.point)},
             {"us", rounded(record.microseconds, 100)},
             {"preset_us", rounded(record.presetMicroseconds, 100)}}));
}

void JsonProgress::note(const std::string &text) {
  line(dump({{"event", "note"}, {"text", text}}));
}

void JsonProgress::end() {
  line(dump({{"event", "end"}}));
}

//===--------------------------------------------------------------------------------------------------------------===//
// A terminal
//===--------------------------------------------------------------------------------------------------------------===//

void TerminalProgress::clear() {
  if (drawn)
    std::fputs("\r\033[K", out);
  drawn = false;
}

void TerminalProgress::print(const std::string &text) {
  clear();
  std::fputs((text + "\n").c_str(), out);
  std::fflush(out);
}

void TerminalProgress::start(int64_t, double) {}

void TerminalProgress::update(const ProgressState &state) {
  clear();
  std::fputs(progressLine(state, columns - 1).c_str(), out);
  std::fflush(out);
  drawn = true;
}

void TerminalProgress::point(const PointRecord &record) {
  // Dropped and slow points are many, and stand in the report.
  if (record.status == PointRecord::Status::Failed)
    print(fmt::format("failed: {}: {}", settingsText(record.point), record.reason));
}

void TerminalProgress::winner(const WinnerRecord &record) {
  print(fmt::format("{} {}\n  {}: {:.1f} us, the default {:.1f} us ({:.2f} times as fast)", record.key.kernel,
                    record.shape, settingsText(record.point), record.microseconds, record.presetMicroseconds,
                    record.microseconds > 0 ? record.presetMicroseconds / record.microseconds : 1.0));
}

void TerminalProgress::note(const std::string &text) {
  print(text);
}

void TerminalProgress::end() {
  clear();
  std::fflush(out);
}

} // namespace lacuna::autotune
