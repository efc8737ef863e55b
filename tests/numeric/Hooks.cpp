#include "Hooks.h"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace lacuna::numeric {

using runtime::AttentionShape;
using Shape = const AttentionShape &;

namespace {

/// The position of query i among the keys: the last query stands beside the last key.
int64_t place(Shape shape, int64_t i) {
  return i + shape.keys - shape.queries;
}

const MaskHook kMasks[] = {
    {"none", "", {}, {}},
    {"causal", "j <= i + N - M", {}, [](Shape p, int64_t, int64_t, int64_t i, int64_t j) { return j <= place(p, i); }},
    {"window:40:5",
     "j <= i + N - M && (i + N - M - j <= 40 || j < 5)",
     {},
     [](Shape p, int64_t, int64_t, int64_t i, int64_t j) {
       return j <= place(p, i) && (place(p, i) - j <= 40 || j < 5);
     }},
    {"library-causal", "causal", {}, [](Shape p, int64_t, int64_t, int64_t i, int64_t j) { return j <= place(p, i); }},
    {"library-window",
     "sliding_window",
     {{"WINDOW", "100"}, {"SINK", "3"}},
     [](Shape p, int64_t, int64_t, int64_t i, int64_t j) {
       return j <= place(p, i) && (place(p, i) - j <= 100 || j < 3);
     }},
    {"library-symmetric",
     "symmetric_window",
     {{"WINDOW", "33"}},
     [](Shape p, int64_t, int64_t, int64_t i, int64_t j) { return std::abs(place(p, i) - j) <= 33; }},
    {"library-chunked",
     "chunked",
     {{"CHUNK", "50"}},
     [](Shape p, int64_t, int64_t, int64_t i, int64_t j) { return j <= place(p, i) && place(p, i) / 50 == j / 50; }},
    {"thirds", "(i + j) % 3 != 0", {}, [](Shape, int64_t, int64_t, int64_t i, int64_t j) { return (i + j) % 3 != 0; }},
    {"by-head",
     "h % 2 == 0 ? j <= i : j >= i",
     {},
     [](Shape, int64_t, int64_t h, int64_t i, int64_t j) { return h % 2 == 0 ? j <= i : j >= i; }},
    {"not-self", "i != j", {}, [](Shape, int64_t, int64_t, int64_t i, int64_t j) { return i != j; }},
    {"by-batch",
     "b + h < 2 || !(j % 2 == 1 && i > 7)",
     {},
     [](Shape, int64_t b, int64_t h, int64_t i, int64_t j) { return b + h < 2 || !(j % 2 == 1 && i > 7); }},
    {"documents",
     "i / 48 == j / 48",
     {},
     [](Shape, int64_t, int64_t, int64_t i, int64_t j) { return i / 48 == j / 48; }},
    {"nothing", "false", {}, [](Shape, int64_t, int64_t, int64_t, int64_t) { return false; }},
    {"one-key", "j == M % 13", {}, [](Shape p, int64_t, int64_t, int64_t, int64_t j) { return j == p.queries % 13; }},
};

const ScoreHook kScores[] = {
    {"none", "", {}, {}},
    {"library-softcap",
     "softcap",
     {{"CAP", "30"}},
     [](Shape, double s, int64_t, int64_t, int64_t, int64_t) { return 30 * std::tanh(s / 30); }},
    {"library-alibi",
     "alibi",
     {{"HEADS", "6"}},
     [](Shape p, double s, int64_t, int64_t h, int64_t i, int64_t j) {
       return s - std::exp2(-8.0 * static_cast<double>(h + 1) / 6) * static_cast<double>(std::abs(place(p, i) - j));
     }},
    {"head-bias",
     "s + 0.25 * h - 0.03125 * (j % 7)",
     {},
     [](Shape, double s, int64_t, int64_t h, int64_t, int64_t j) {
       return s + 0.25 * static_cast<double>(h) - 0.03125 * static_cast<double>(j % 7);
     }},
    {"distance",
     "s - 0.0625 * abs(i - j)",
     {},
     [](Shape, double s, int64_t, int64_t, int64_t i, int64_t j) {
       return s - 0.0625 * static_cast<double>(std::abs(i - j));
     }},
    {"offset-4096", "s + 4096", {}, [](Shape, double s, int64_t, int64_t, int64_t, int64_t) { return s + 4096; }},
    {"offset-minus-4096",
     "s - 4096.0",
     {},
     [](Shape, double s, int64_t, int64_t, int64_t, int64_t) { return s - 4096; }},
    {"select",
     "j % 3 == 0 ? s : 0.5 * s",
     {},
     [](Shape, double s, int64_t, int64_t, int64_t, int64_t j) { return j % 3 == 0 ? s : 0.5 * s; }},
    {"by-batch",
     "b == 0 ? s : -s",
     {},
     [](Shape, double s, int64_t b, int64_t, int64_t, int64_t) { return b == 0 ? s : -s; }},
    {"square", "0.125 * s * s", {}, [](Shape, double s, int64_t, int64_t, int64_t, int64_t) { return 0.125 * s * s; }},
    {"constant", "1.5", {}, [](Shape, double, int64_t, int64_t, int64_t, int64_t) { return 1.5; }},
    {"mask-in-score",
     "(i + j) % 5 == 0 ? -inf : s",
     {},
     [](Shape, double s, int64_t, int64_t, int64_t i, int64_t j) {
       return (i + j) % 5 == 0 ? -std::numeric_limits<double>::infinity() : s;
     }},
    {"log-distance",
     "s - log2(1.0 + abs(i - j))",
     {},
     [](Shape, double s, int64_t, int64_t, int64_t i, int64_t j) {
       return s - std::log2(1.0 + static_cast<double>(std::abs(i - j)));
     }},
};

} // namespace

std::span<const MaskHook> maskHooks() {
  return kMasks;
}
std::span<const ScoreHook> scoreHooks() {
  return kScores;
}

} // namespace lacuna::numeric
