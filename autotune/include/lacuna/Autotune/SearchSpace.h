//===- SearchSpace.h - What a tuner may vary --------------------*- C++ -*-===//
//
// A kernel's `tune` entry names knobs, each with its candidate values; a point gives every knob a value. The space is
// the product of the candidates. Whether a point is legal is not known here: Pruner.h judges it.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_SEARCHSPACE_H
#define LACUNA_AUTOTUNE_SEARCHSPACE_H

#include "lacuna/Runtime/Error.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::autotune {

/// Names and values, of knobs or of params; ordered, so that equal ones have equal texts.
using Settings = std::map<std::string, std::string>;

/// A value for every knob.
using Point = Settings;

/// "BM=128 BN=176 stages=2".
std::string settingsText(const Settings &settings);
/// The reverse. Errors: ParseError for a word without '=', or a name given twice.
Expected<Settings> parseSettings(std::string_view text);

/// One name of a `tune` entry.
struct Knob {
  std::string name;
  std::vector<std::string> values; ///< in the order of its domain
  std::string preset;              ///< the value that an unset knob takes
  bool isParam = false;            ///< a param of the kernel; else a choice of its schedule alone
};

/// Thread safety: immutable; any number of threads may read one.
class SearchSpace {
public:
  /// The most points that a space may have.
  static constexpr int64_t kMaxPoints = 100000;

  /// Errors: InvalidArgument for no knobs, or more than kMaxPoints points.
  static Expected<SearchSpace> create(std::vector<Knob> knobs);

  const std::vector<Knob> &knobs() const { return all; }
  int64_t size() const { return count; }
  /// Point `index`; the last knob varies fastest.
  Point point(int64_t index) const;
  /// Every knob at its preset.
  Point preset() const;

private:
  SearchSpace(std::vector<Knob> knobs, int64_t count) : all(std::move(knobs)), count(count) {}
  std::vector<Knob> all;
  int64_t count;
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_SEARCHSPACE_H
